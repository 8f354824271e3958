"""Which items a call speaks of by what they are: ``where``, read once and kept as bits.

::

    {"genre": ["noir", "drama"], "year": {">=": 1950, "<": 1970}}     both must hold
    {"any": [{"genre": "noir"}, {"DIRECTOR": "Ozu"}]}                 one of them
    {"not": {"country": "France"}}
    {"path": "(i)-[:DIRECTOR]->(:Person {name: 'Ozu'})"}              a pattern of the graph

A key is ``id``, ``title``, a column of the items, a property of items in the graph, or a
relation of theirs, which is compared with the names and ids of its nodes.
"""

import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from trefoil.data.errors import ConfigError
from trefoil.data.interactions import Bools
from trefoil.data.items import Items
from trefoil.data.suggest import closest
from trefoil.fusion.requests.conditions import Condition, text_of
from trefoil.kg.graph import ITEM, USER, KnowledgeGraph
from trefoil.kg.patterns.match import equal, matched

KEPT = 256  # filters whose items are remembered
MOST_NESTED = 8
TOO_DEEP = f"where: nested more than {MOST_NESTED} deep; write it flatter"
EXAMPLE = "give a mapping, such as {'genre': ['noir'], 'year': {'>=': 1950}}"


Graph = Callable[[], KnowledgeGraph]  # perhaps on a disk until somebody needs it


@dataclass(frozen=True)
class Filter:
    """The items that fit, as bits, and what the filter names that nothing has."""

    bits: NDArray[np.uint8]
    items: int
    unknown: tuple[str, ...]

    @property
    def mask(self) -> Bools:
        """[items], true for those that fit."""
        return np.unpackbits(self.bits, count=self.items).view(bool)


T = TypeVar("T")


class Filters:
    """What was made of items lately; good for as long as items and graph are the same ones."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[Items, object, Any]] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, where: object, items: Items, held: object, graph: Graph) -> Filter:
        """The items that fit ``where``; ``held`` stands for the graph.

        Unknown columns, values, labels and relations fit no item and are told. Raises
        ConfigError for what is no filter.
        """
        said = _plain(where)
        return self.kept(_key(said), items, held, lambda: _made(said, items, graph))

    def has(self, where: object, items: Items, held: object) -> bool:
        """Whether the items that fit ``where`` are kept."""
        found = self._kept.get(_key(_plain(where)))
        return found is not None and found[0] is items and found[1] is held

    def kept(self, key: str, items: Items, held: object, make: Callable[[], T]) -> T:
        """What ``make`` returns, or returned for this key, these items and this graph."""
        with self._lock:
            found = self._kept.get(key)
            if found is not None and found[0] is items and found[1] is held:
                self._kept.move_to_end(key)
                return found[2]
        made = make()
        with self._lock:
            self._kept[key] = items, held, made
            self._kept.move_to_end(key)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return made


def _key(where: object) -> str:
    """A name for a filter of plain values."""
    return f"where {json.dumps(where, sort_keys=True, default=str, ensure_ascii=False)}"


def _made(where: object, items: Items, graph: Graph) -> Filter:
    reader = _Reader(items, graph)
    mask = reader.all_of(where)
    return Filter(np.packbits(mask), len(items), tuple(dict.fromkeys(reader.unknown)))


class _Reader:
    """Reads a filter over the columns of items, and over the graph where they do not have it."""

    def __init__(self, items: Items, graph: Graph) -> None:
        self.items, self.graph = items, graph
        self.unknown: list[str] = []

    def all_of(self, where: object, depth: int = 0) -> Bools:
        """Items for which every entry holds."""
        if not isinstance(where, Mapping):
            raise ConfigError(f"where = {where!r}: {EXAMPLE}")
        if depth > MOST_NESTED:
            raise ConfigError(TOO_DEEP)
        mask = np.ones(len(self.items), bool)
        for name, said in where.items():
            mask &= self._entry(str(name), said, depth + 1)
        return mask

    def _entry(self, name: str, said: object, depth: int) -> Bools:
        if name == "not":
            return ~self.all_of(said, depth)
        if name == "any":
            if isinstance(said, Mapping | str) or not isinstance(said, Iterable):
                raise ConfigError(f"where any = {said!r}: give a list of mappings")
            return np.logical_or.reduce(
                [self.all_of(one, depth) for one in said] or [np.zeros(len(self.items), bool)]
            )
        if name == "path":
            patterns = [said] if isinstance(said, str) else said
            if not isinstance(patterns, Iterable) or not all(isinstance(p, str) for p in patterns):
                raise ConfigError(f"where path = {said!r}: give a pattern, or a list of them")
            mask = np.ones(len(self.items), bool)
            for pattern in patterns:
                found = matched(self.graph(), pattern)
                self.unknown += [f"where path: {one}" for one in found.unknown]
                mask &= self._sized(found.items)
            return mask
        return self._column(Condition.of(name, said))

    def _column(self, asked: Condition) -> Bools:
        """Items whose column passes; none, which is told, where there is no such column."""
        name, items, unknown = asked.name, self.items, self.unknown
        if name in items.category:
            return asked.labels(items.category[name], unknown)
        if name in items.score:
            return asked.numbers(items.score[name], unknown)
        if name == "id":
            return asked.texts(items.vocabulary.ids, unknown)
        if name == "title":
            return asked.texts([one or "" for one in items.titles], unknown)
        graph = self.graph()
        properties = graph.nodes[ITEM].properties
        found = None
        if name in properties.columns:
            found = _property(properties[name], asked, unknown)
        elif any(relation.casefold() == name.casefold() for _, relation in _relations(graph)):
            found = _relation(graph, asked, unknown)
        if found is None:
            relations = [relation for _, relation in _relations(graph)]
            names = [*items.category, *items.score, "id", "title", *properties.columns, *relations]
            unknown.append(f"where {name}: {closest(name, dict.fromkeys(names), limit=9)}")
            return np.zeros(len(items), bool)
        return self._sized(found)

    def _sized(self, mask: Bools) -> Bools:
        """As many as there are items; those that the graph does not have do not fit."""
        size = len(self.items)
        return np.concatenate([mask[:size], np.zeros(max(size - len(mask), 0), bool)])


def _property(column: pl.Series, asked: Condition, unknown: list[str]) -> Bools:
    """Items whose property in the graph passes."""
    if column.dtype.is_numeric():
        return asked.numbers(column.cast(pl.Float64).fill_null(np.nan).to_numpy(), unknown)
    if column.dtype == pl.String or column.dtype.is_temporal():
        return asked.texts(column.cast(pl.String).fill_null("").to_list(), unknown)
    if asked.bounds:
        raise ConfigError(f"where {asked.name}: its values have no order; compare by =, in or !=")
    found = np.zeros(len(column), bool)
    for value in asked.values:
        one = equal(column, value)
        if not one.any():
            unknown.append(f"where {asked.name}={text_of(value)}")
        found |= one
    return ~found if asked.denies else found


def _relations(graph: KnowledgeGraph) -> list[tuple[tuple[str, str, str], str]]:
    """Types of edges between items and other nodes, people left aside, and their names."""
    return [(one, one[1]) for one in graph.edges if ITEM in (one[0], one[2]) and USER not in one]


def _relation(graph: KnowledgeGraph, asked: Condition, unknown: list[str]) -> Bools:
    """Items that have a relation, either way, to a node of such a name or id."""
    if asked.bounds:
        raise ConfigError(f"where {asked.name}: a relation leads to names; compare by =, in or !=")
    found = np.zeros(len(graph.nodes[ITEM]), bool)
    missing = {text_of(one) for one in asked.values}
    for (source, relation, target), _ in _relations(graph):
        if relation.casefold() != asked.name.casefold():
            continue
        edges = graph.edges[source, relation, target]
        both = (
            (source, edges.source, target, edges.target),
            (target, edges.target, source, edges.source),
        )
        for begin, rows, end, others in both:
            if begin != ITEM:
                continue
            nodes = graph.nodes[end]
            for value in asked.values:
                marks = nodes_named(nodes, value)
                if marks.any():
                    missing.discard(text_of(value))
                found[rows[marks[others]]] = True
    unknown += [f"where {asked.name}={one}" for one in sorted(missing)]
    return ~found if asked.denies else found


def nodes_named(nodes: Any, value: Any) -> Bools:
    """Nodes of a name, and the node of an id."""
    marks = np.zeros(len(nodes), bool)
    if "name" in nodes.properties.columns:
        marks |= equal(nodes.properties["name"], value)
    row = int(nodes.vocabulary.rows([text_of(value)])[0])
    if row >= 0:
        marks[row] = True
    return marks


def _plain(value: Any, depth: int = 0) -> Any:
    """A copy of mappings, lists and values: what can be read once only is read once."""
    if depth > 3 * MOST_NESTED:  # a nesting is a mapping, perhaps of a list, perhaps of signs
        raise ConfigError(TOO_DEEP)
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return {str(name): _plain(one, depth + 1) for name, one in value.items()}
    if isinstance(value, set | frozenset):
        return sorted((_plain(one, depth + 1) for one in value), key=str)
    if isinstance(value, Iterable) and not isinstance(value, str | bytes):
        return [_plain(one, depth + 1) for one in value]
    return value
