"""What an embedded store holds: which table and columns keep which label, type and property.

The engine ignores letter case in names and has one name space for labels and
relationship types, so that ``Genre`` and ``GENRE`` cannot both be tables. The
later one is stored with trailing spaces, and the card says so. A dot in a name
would end the name of a database, so another dot is stored in its place.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from trefoil.data.errors import StoreError
from trefoil.kg.graph import EdgeType, KnowledgeGraph
from trefoil.kg.stores.property_types import type_name

FORMAT = 1
DOT = "\u2024"
ROW = "_row"  # the position of a node or edge, hidden from readers
_TAKEN = ("id", ROW, "_id", "_label", "_src", "_dst", "_nodes", "_rels", "from", "to")


@dataclass(frozen=True)
class Column:
    """One property: its name, the stored column, and its portable type."""

    name: str
    stored: str
    type: str


@dataclass(frozen=True)
class Table:
    """Where nodes of a label, or edges between two labels, are kept."""

    stored: str
    columns: tuple[Column, ...]


@dataclass(frozen=True)
class Card:
    nodes: Mapping[str, Table]
    edges: Mapping[EdgeType, Table]
    predicates: Mapping[str, str]

    @classmethod
    def of(cls, graph: KnowledgeGraph) -> Card:
        """Names for the tables and columns that will hold this graph."""
        tables = Names()
        nodes = {
            label: Table(tables.of(label), _columns(part.properties, Names(_TAKEN)))
            for label, part in graph.nodes.items()
        }
        stored: dict[str, str] = {}
        columns: dict[str, Names] = {}
        edges = {}
        for (source, relation, target), part in graph.edges.items():
            if relation not in stored:
                stored[relation] = tables.of(relation, "relationship")
                columns[relation] = Names(_TAKEN)
            edges[source, relation, target] = Table(
                stored[relation], _columns(part.properties, columns[relation])
            )
        return cls(nodes, edges, dict(graph.predicates))

    def stored_labels(self) -> dict[str, str]:
        return {label: table.stored for label, table in self.nodes.items()}

    def stored_types(self) -> dict[str, str]:
        return {relation: table.stored for (_, relation, _), table in self.edges.items()}

    def stored_properties(self) -> dict[str, str]:
        """Properties with the one name under which every label and type keeps them."""
        found: dict[str, set[str]] = {}
        for table in (*self.nodes.values(), *self.edges.values()):
            for column in table.columns:
                if column.name != "id":
                    found.setdefault(column.name, set()).add(column.stored)
        return {name: stored.pop() for name, stored in found.items() if len(stored) == 1}

    def save(self, path: Path) -> None:
        def columns(table: Table) -> dict[str, Any]:
            return {
                "table": table.stored,
                "columns": [[c.name, c.stored, c.type] for c in table.columns],
            }

        parts = {
            "format": FORMAT,
            "nodes": [{"label": label} | columns(t) for label, t in self.nodes.items()],
            "edges": [{"ends": list(ends)} | columns(t) for ends, t in self.edges.items()],
            "predicates": dict(self.predicates),
        }
        path.write_text(json.dumps(parts, ensure_ascii=False, indent=1), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Card:
        """Raises StoreError if the file is damaged or of another format."""

        def table(part: Mapping[str, Any]) -> Table:
            return Table(part["table"], tuple(Column(*column) for column in part["columns"]))

        try:
            parts = json.loads(path.read_text(encoding="utf-8"))
            if parts["format"] != FORMAT:
                raise StoreError(
                    f"{path}: format {parts['format']!r}, this version reads {FORMAT};"
                    " write the store again"
                )
            return cls(
                {part["label"]: table(part) for part in parts["nodes"]},
                {tuple(part["ends"]): table(part) for part in parts["edges"]},
                parts["predicates"],
            )
        except (OSError, ValueError, KeyError, TypeError) as fault:
            raise StoreError(f"{path}: damaged ({fault!r}); write the store again") from fault


class Names:
    """Hands out stored names that differ in more than letter case and trailing spaces."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = {name.casefold() for name in taken}
        self._by_use: dict[tuple[str, str], str] = {}

    def of(self, name: str, use: str = "") -> str:
        """The stored form of a name; the same for the same name and use."""
        if (name, use) not in self._by_use:
            stored = name.replace(".", DOT)
            while stored.casefold() in self._taken:
                stored += " "
            self._taken.add(stored.casefold())
            self._by_use[name, use] = stored
        return self._by_use[name, use]


def _columns(properties: pl.DataFrame, names: Names) -> tuple[Column, ...]:
    # a property of two types between different ends gets two columns
    kinds = {name: type_name(dtype, name) for name, dtype in properties.schema.items()}
    return tuple(Column(name, names.of(name, kind), kind) for name, kind in kinds.items())
