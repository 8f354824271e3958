"""Facts that come or go after the graph was made: edges of items that are in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from trefoil.data.errors import GraphDataError
from trefoil.data.interactions import Bools, Ints
from trefoil.kg.construction.new_items import Growing, Triple, numbered
from trefoil.kg.graph import ITEM, Edges, EdgeType, KnowledgeGraph, Nodes

Pairs = Mapping[EdgeType, list[tuple[int, int]]]


@dataclass(frozen=True)
class Told:
    """A graph after facts came or went, and the rows of the items that these were of."""

    graph: KnowledgeGraph
    items: Ints
    edges: int


def with_triples(graph: KnowledgeGraph, triples: Sequence[Triple]) -> Told:
    """The graph with an edge for each triple; one that it has already stays as it is.

    The head is an item's id, relation and tail as for new items. Raises GraphDataError with
    the triple's number for a head that is no item, a relation that is unknown and a name
    that several nodes have.
    """
    growing, items = Growing(graph), []
    for where, (head, relation, tail) in numbered(triples):
        way, pair = growing.place(where, head, relation, tail)
        if not _there(graph, way, [pair]).any():
            growing.ends.setdefault(way, []).append(pair)
            items += _items(way, pair)
    grown = growing.grown()
    return Told(grown.graph, np.unique(np.array(items, np.int64)), grown.edges)


def without_triples(graph: KnowledgeGraph, triples: Sequence[Triple]) -> Told:
    """The graph without the edges of these triples; nodes stay.

    Raises GraphDataError with the triple's number where the graph has no such edge.
    """
    finding = Growing(graph)
    gone: dict[EdgeType, list[tuple[int, int]]] = {}
    items = []
    for where, (head, relation, tail) in numbered(triples):
        way, pair = finding.place(where, head, relation, tail, make=False)
        if not _there(graph, way, [pair]).any():
            raise GraphDataError(f"{where}: the graph does not say so; see the facts of {head!r}")
        gone.setdefault(way, []).append(pair)
        items += _items(way, pair)
    edges, count = dict(graph.edges), 0
    for way, pairs in gone.items():
        kept = np.flatnonzero(~_there(graph, way, pairs))
        count += len(edges[way]) - len(kept)
        edges[way] = _taken(edges[way], kept)
    graph = replace(graph, edges=edges)
    return Told(graph, np.unique(np.array(items, np.int64)), count)


def with_names(
    graph: KnowledgeGraph, items: Ints, columns: Mapping[str, Sequence[str | None]]
) -> KnowledgeGraph:
    """The graph in which these items have another name or text; None leaves what is there."""
    nodes = graph.nodes[ITEM]
    table = nodes.properties
    for name, values in columns.items():
        if name in table.columns:
            held = table[name].to_list()
            for row, value in zip(items.tolist(), values, strict=True):
                held[row] = held[row] if value is None else value
            table = table.with_columns(pl.Series(name, held, dtype=table[name].dtype))
    return replace(graph, nodes={**graph.nodes, ITEM: Nodes(nodes.vocabulary, table)})


def _there(graph: KnowledgeGraph, way: EdgeType, pairs: Sequence[tuple[int, int]]) -> Bools:
    """Which edges of a type join these pairs."""
    edges = graph.edges.get(way)
    if edges is None:
        return np.zeros(0, bool)
    found = np.zeros(len(edges), bool)
    for source, target in pairs:
        found |= (edges.source == source) & (edges.target == target)
    return found


def _items(way: EdgeType, pair: tuple[int, int]) -> list[int]:
    """The items among the ends of an edge."""
    return [row for label, row in zip((way[0], way[2]), pair, strict=True) if label == ITEM]


def _taken(edges: Edges, rows: Ints) -> Edges:
    table = edges.properties
    return Edges(edges.source[rows], edges.target[rows], table[rows] if table.width else table)
