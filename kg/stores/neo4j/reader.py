"""A Neo4j database, whoever filled it, as a graph: scalars streamed label by label."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl

from trefoil.data.errors import StoreError
from trefoil.data.vocabulary import Vocabulary
from trefoil.kg.cypher.names import quoted
from trefoil.kg.graph import Edges, EdgeType, KnowledgeGraph, Nodes
from trefoil.kg.stores.base import Schema, chosen
from trefoil.kg.stores.neo4j.manifest import KEY, LABEL, Card, Types
from trefoil.kg.stores.property_types import type_of
from trefoil.kg.stores.values import table_of

logger = logging.getLogger(__name__)

NO_LABEL = "Node"
Run = Callable[..., list[tuple[Any, ...]]]  # a statement and its parameters to rows


@dataclass(frozen=True)
class Kind:
    """Nodes of one exact set of labels: they belong to the first of them that is asked for."""

    labels: tuple[str, ...]
    home: str

    def pattern(self, variable: str, parameter: str) -> tuple[str, str]:
        """The node in a pattern, and the condition that it has these labels and no others."""
        label = f":{quoted(self.labels[0])}" if self.labels else ""
        return f"({variable}{label})", f"labels({variable}) = ${parameter}"


class Neo4jReader:
    """Reads what was asked for. ``key`` is the property that holds a node's id."""

    def __init__(
        self,
        run: Run,
        card: Card,
        *,
        labels: Collection[str] | None = None,
        relationships: Collection[str] | None = None,
        properties: Collection[str] | None = None,
        key: str = "id",
    ) -> None:
        self.run, self.card, self.key = run, card, key
        self.labels, self.relationships, self.properties = labels, relationships, properties
        self.rows: dict[str, dict[str, int]] = {}
        self.odd: set[str] = set()  # labels with nodes whose id is missing or no text

    def graph(self) -> KnowledgeGraph:
        kinds = self.kinds()
        nodes = {}
        for home in self.homes(kinds):
            nodes[home] = self.nodes(home, [kind for kind in kinds if kind.home == home])
        edges = self.edges(kinds, nodes)
        predicates = self.card.predicates
        if self.labels is not None or self.relationships is not None:
            kept = {relation for _, relation, _ in edges}
            predicates = {name: iri for name, iri in predicates.items() if name in kept}
        return KnowledgeGraph(nodes, edges, dict(predicates))

    def schema(self) -> Schema:
        kinds = self.kinds()
        labels = {}
        for home in self.homes(kinds):
            found = {name: "" for k in kinds if k.home == home for name in self.keys(k)}
            labels[home] = {"id": "string"} | found | dict(self.card.nodes.get(home, {}))
        ends = {(s.home, name, t.home): {} for name, s, t in self.joins(kinds)}
        return Schema(labels, {e: dict(self.card.edges.get(e, {})) for e in ends | self.card.edges})  # type: ignore[operator]

    def kinds(self) -> list[Kind]:
        found = self.run("MATCH (n) RETURN DISTINCT labels(n)")
        sets = sorted(tuple(row[0]) for row in found if LABEL not in row[0])
        known = dict.fromkeys(label for labels in sets for label in sorted(labels))
        known |= dict.fromkeys(self.card.nodes)
        if any(not labels for labels in sets):
            known[NO_LABEL] = None
        wanted = chosen(self.labels, known, "label")
        order = list(self.labels or ()) + list(self.card.nodes) + sorted(known)
        kinds = []
        for labels in sets:
            homes = [name for name in order if name in (labels or (NO_LABEL,)) and name in wanted]
            if homes:
                kinds.append(Kind(labels, homes[0]))
        return kinds

    def homes(self, kinds: Iterable[Kind]) -> list[str]:
        written = [
            label for label in self.card.nodes if self.labels is None or label in self.labels
        ]
        return list(dict.fromkeys([*written, *sorted({kind.home for kind in kinds})]))

    def keys(self, kind: Kind) -> list[str]:
        pattern, condition = kind.pattern("n", "l")
        statement = f"MATCH {pattern} WHERE {condition} UNWIND keys(n) AS k RETURN DISTINCT k"
        return sorted(
            row[0] for row in self.run(statement, l=list(kind.labels)) if row[0] != self.key
        )

    def wanted(self, names: Iterable[str], types: Types) -> list[str]:
        found = dict.fromkeys([*types, *names])
        return [n for n in found if self.properties is None or n in self.properties]

    def nodes(self, home: str, kinds: Sequence[Kind]) -> Nodes:
        types = self.card.nodes.get(home, {})
        names = self.wanted((name for kind in kinds for name in self.keys(kind)), types)
        columns = "".join(f", n.{quoted(name)}" for name in names)
        rows: list[tuple[Any, ...]] = []
        for kind in kinds:
            pattern, condition = kind.pattern("n", "l")
            text = f"MATCH {pattern} WHERE {condition} RETURN n.{quoted(self.key)}{columns}"
            part = self.run(text, l=list(kind.labels))
            if any(type(row[0]) is not str for row in part):
                self.odd.add(home)
                id = self.id_of("n", home)
                part = self.run(text.replace(f"n.{quoted(self.key)}", id, 1), l=list(kind.labels))
            rows += part
        if home in self.odd:
            logger.warning("some %s nodes have no text %r; their ids are made up", home, self.key)
        rows.sort(key=lambda row: row[0])
        self.rows[home] = {row[0]: k for k, row in enumerate(rows)}
        if len(self.rows[home]) != len(rows):
            twice = next(a[0] for a, b in pairwise(rows) if a[0] == b[0])
            raise StoreError(f"two {home} nodes have the {self.key} {twice!r}; make it unique")
        return Nodes(Vocabulary(self.rows[home]), _frame(names, [row[1:] for row in rows], types))

    def id_of(self, variable: str, home: str) -> str:
        plain = f"{variable}.{quoted(self.key)}"
        if home not in self.odd:
            return plain
        return f"coalesce(toString({plain}), 'neo4j:' + elementId({variable}))"

    def joins(self, kinds: Sequence[Kind]) -> list[tuple[str, Kind, Kind]]:
        """Which kinds of nodes each relationship type joins."""
        by_labels = {kind.labels: kind for kind in kinds}
        types = {row[0] for row in self.run("MATCH ()-[r]->() RETURN DISTINCT type(r)")}
        known = dict.fromkeys([*(r for _, r, _ in self.card.edges), *sorted(types)])
        out = []
        for name in chosen(self.relationships, known, "relationship type"):
            for source, target in self.run(
                f"MATCH (a)-[:{quoted(name)}]->(b) RETURN DISTINCT labels(a), labels(b)"
            ):
                ends = by_labels.get(tuple(source)), by_labels.get(tuple(target))
                if ends[0] is not None and ends[1] is not None:
                    out.append((name, ends[0], ends[1]))
        return out

    def edges(self, kinds: Sequence[Kind], nodes: Collection[str]) -> dict[EdgeType, Edges]:
        joins = self.joins(kinds)
        found = {(s.home, name, t.home) for name, s, t in joins}
        written = [
            ends
            for ends in self.card.edges
            if ends[0] in nodes
            and ends[2] in nodes
            and (self.relationships is None or ends[1] in self.relationships)
        ]
        return {
            ends: self.edges_of(ends, [(s, t) for n, s, t in joins if (s.home, n, t.home) == ends])
            for ends in dict.fromkeys([*written, *sorted(found)])
        }

    def edges_of(self, ends: EdgeType, pairs: Sequence[tuple[Kind, Kind]]) -> Edges:
        types = self.card.edges.get(ends, {})
        found: dict[str, None] = {}
        matches = []
        for one, other in pairs:
            (a, is_a), (b, is_b) = one.pattern("a", "a"), other.pattern("b", "b")
            match = f"MATCH {a}-[r:{quoted(ends[1])}]->{b} WHERE {is_a} AND {is_b}"
            given = {"a": list(one.labels), "b": list(other.labels)}
            matches.append((match, given))
            keys = self.run(f"{match} UNWIND keys(r) AS k RETURN DISTINCT k", **given)
            found |= dict.fromkeys(sorted(row[0] for row in keys if row[0] != KEY))
        names = self.wanted(found, types)
        columns = "".join(f", r.{quoted(name)}" for name in names)
        head = f"{self.id_of('a', ends[0])}, {self.id_of('b', ends[2])}, coalesce(r.{KEY}, 0)"
        source, target = self.rows[ends[0]], self.rows[ends[2]]
        rows = [
            (source[s], target[t], *rest)
            for match, given in matches
            for s, t, *rest in self.run(f"{match} RETURN {head}{columns}", **given)
            if s in source and t in target  # both ends were there when nodes were read
        ]
        rows.sort(key=lambda row: row[:3])
        return Edges(
            np.fromiter((row[0] for row in rows), np.int64, len(rows)),
            np.fromiter((row[1] for row in rows), np.int64, len(rows)),
            _frame(names, [row[3:] for row in rows], types),
        )


def _frame(names: Sequence[str], rows: Sequence[Sequence[Any]], types: Types) -> pl.DataFrame:
    """Property columns: in the types of the card where they fit, else as found."""
    if not names:
        return pl.DataFrame()
    columns = zip(*rows, strict=True) if rows else ([] for _ in names)
    return pl.DataFrame(
        [
            _column(n, list(map(native, c)), types.get(n))
            for n, c in zip(names, columns, strict=True)
        ]
    )


def _column(name: str, values: list[Any], type: str | None) -> pl.Series:
    if type is not None:
        dtype = type_of(type)
        try:
            if isinstance(dtype, pl.Datetime) and dtype.time_zone:
                utc = pl.Series(name, values, dtype=pl.Datetime(dtype.time_unit, "UTC"))
                return utc.dt.convert_time_zone(dtype.time_zone)
            return pl.Series(name, values, dtype=dtype, strict=True)
        except (TypeError, ValueError, OverflowError, pl.exceptions.PolarsError):
            logger.warning("property %r no longer has the type %s it was written with", name, type)
    numbers = {kind for value in values if (kind := value.__class__) in (int, float)}
    if numbers == {int, float} and all(isinstance(v, int | float | None) for v in values):
        return pl.Series(name, [None if v is None else float(v) for v in values])
    return table_of([name], [[value] for value in values]).to_series()


def native(value: Any) -> Any:
    """A Python value for what the driver made of a property."""
    if isinstance(value, list):
        return [native(part) for part in value]
    if hasattr(value, "to_native"):
        return value.to_native()
    if hasattr(value, "months") and hasattr(value, "nanoseconds"):
        if value.months:
            return str(value)
        return dt.timedelta(
            days=value.days, seconds=value.seconds, microseconds=value.nanoseconds // 1000
        )
    if isinstance(value, tuple):  # a point
        return str(value)
    return bytes(value) if isinstance(value, bytearray) else value
