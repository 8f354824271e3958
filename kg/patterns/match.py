"""Which items a pattern holds for, over the arrays of a graph: each edge is looked at once.

A chain is followed from both ends to its item: the nodes that fit the end, then those that an
edge leads to, and so on. Nothing is joined, so the cost grows with edges and not with paths.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from trefoil.data.errors import ConfigError
from trefoil.data.interactions import Bools
from trefoil.kg.graph import INTERACTED, ITEM, USER, KnowledgeGraph
from trefoil.kg.patterns.parse import Chain, EdgePattern, NodePattern, Value, parse

Marks = dict[str, Bools]  # by node type: which of its nodes


@dataclass(frozen=True)
class Matched:
    """``items`` [items] says which of them fit; ``unknown`` what the graph does not have."""

    items: Bools
    unknown: tuple[str, ...] = ()


@dataclass
class _Search:
    graph: KnowledgeGraph
    unknown: list[str] = field(default_factory=list)

    def items(self, chain: Chain) -> Bools:
        """Items from which the chain can be walked to both of its ends."""
        found = self.nodes(chain.nodes[chain.item], item=True)
        left = range(chain.item), (1, "out", "in")
        right = range(len(chain.nodes) - 1, chain.item, -1), (-1, "in", "out")
        for places, (step, forward, backward) in (left, right):
            marks: Marks | None = None
            for place in places:
                own = self.nodes(chain.nodes[place])
                marks = own if marks is None else _both(own, marks)
                edge = chain.edges[place if step > 0 else place - 1]
                ways = {"out": (forward,), "in": (backward,), "both": ("out", "in")}
                marks = self.along(edge, ways[edge.direction], marks)
            if marks is not None:
                found = _both(found, marks)
        return found.get(ITEM, np.zeros(len(self.graph.nodes[ITEM]), bool))

    def along(self, edge: EdgePattern, ways: Iterable[str], marks: Marks) -> Marks:
        """Nodes that an edge joins to those marked, walked as it points ("out") or back ("in")."""
        types = {one: one.casefold() for one in edge.types}
        there = {relation.casefold() for _, relation, _ in self.graph.edges}
        self.unknown += [f"relation {one}" for one, low in types.items() if low not in there]
        found: Marks = {}
        for (source, relation, target), edges in self.graph.edges.items():
            if USER in (source, target) or (types and relation.casefold() not in types.values()):
                continue
            for way in ways:
                ends = (source, edges.source), (target, edges.target)
                (begin, rows), (end, others) = ends if way == "out" else ends[::-1]
                if begin in marks:
                    reached = found.setdefault(end, np.zeros(len(self.graph.nodes[end]), bool))
                    reached[others[marks[begin][rows]]] = True
        return found

    def nodes(self, pattern: NodePattern, *, item: bool = False) -> Marks:
        """The nodes that fit a pattern by themselves."""
        wanted = [one.casefold() for one in pattern.labels]
        names = {name.casefold(): name for name in self.graph.nodes}
        if item and not wanted:
            wanted = [ITEM.casefold()]
        self.unknown += [f"label {one}" for one in pattern.labels if one.casefold() not in names]
        if USER.casefold() in wanted:
            raise ConfigError(
                f"path: {USER} stands for people; leave it out, a path speaks of facts"
            )
        kept = [names[one] for one in wanted[:1] if one in names]
        if len(set(wanted)) > 1:
            kept = []  # a node of a run has one label
        elif not wanted:
            kept = [name for name in self.graph.nodes if name != USER]
        return {name: self._fitting(name, pattern) for name in kept}

    def _fitting(self, label: str, pattern: NodePattern) -> Bools:
        nodes = self.graph.nodes[label]
        marks = np.ones(len(nodes), bool)
        for name, value in pattern.properties:
            if name == "id":
                marks &= np.arange(len(nodes)) == nodes.vocabulary.rows([str(value)])[0]
            elif name in nodes.properties.columns:
                marks &= equal(nodes.properties[name], value)
            else:
                marks[:] = False
        return marks


def matched(graph: KnowledgeGraph, pattern: str) -> Matched:
    """The items that fit a pattern. Labels and types may be written in any case.

    Raises ConfigError for what is no pattern, and for one that speaks of people.
    """
    search = _Search(graph)
    found = np.ones(len(graph.nodes[ITEM]), bool)
    for chain in parse(pattern):
        for edge in chain.edges:
            if INTERACTED.casefold() in {one.casefold() for one in edge.types}:
                raise ConfigError(
                    f"path: {INTERACTED} tells of people; leave it out, a path speaks of facts"
                )
        found &= search.items(chain)
    return Matched(found, tuple(dict.fromkeys(search.unknown)))


def equal(column: pl.Series, value: Value) -> Bools:
    """Rows whose value is this one, or whose list holds it; none where kinds differ."""
    if isinstance(column.dtype, pl.List):
        count = column.list.len().fill_null(0).cast(pl.Int64).to_numpy()
        held = equal(column.filter(pl.Series(count > 0)).explode(), value)
        out = np.zeros(len(column), bool)
        out[np.repeat(np.arange(len(column)), count)[held]] = True
        return out
    if column.dtype == pl.Boolean:
        fits = isinstance(value, bool)
    elif column.dtype.is_numeric():
        fits = isinstance(value, int | float) and not isinstance(value, bool)
    elif column.dtype == pl.String:
        value, fits = _text(value), True
    elif column.dtype.is_temporal():
        column, fits = column.cast(pl.String), isinstance(value, str)
    else:
        fits = False
    if not fits:
        return np.zeros(len(column), bool)
    return (column == value).fill_null(False).to_numpy()


def _text(value: Value) -> str:
    """As texts write it: 7.0 is ``7``."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _both(one: Mapping[str, Bools], other: Mapping[str, Bools]) -> Marks:
    return {name: marks & other[name] for name, marks in one.items() if name in other}
