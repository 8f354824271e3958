"""What the embedded engine returns, as the cells that every store returns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import ladybug
import polars as pl

from trefoil.kg.cypher.names import quoted
from trefoil.kg.stores.embedded.manifest import ROW, Card
from trefoil.kg.stores.values import node_cell, path_cell, relationship_cell, table_of, unique_names

Key = tuple[int, int]  # table and offset: the engine's own number of a node
_HIDDEN = {"_ID", "_LABEL", "_SRC", "_DST", ROW, "id"}


class EmbeddedCells:
    """Turns a result into a table; plain columns go through Arrow, graph values through Python."""

    def __init__(self, connection: ladybug.Connection, card: Card) -> None:
        self._connection = connection
        self._labels = {stored: label for label, stored in card.stored_labels().items()}
        self._types = {stored: name for name, stored in card.stored_types().items()}
        self._names = {
            table.stored: {column.stored: column.name for column in table.columns}
            for table in card.nodes.values()
        }
        for table in card.edges.values():
            part = self._names.setdefault(table.stored, {})
            part |= {column.stored: column.name for column in table.columns}
        self._ends: dict[Key, tuple[str, str]] = {}

    def table(self, result: ladybug.QueryResult, names: list[str] | None) -> pl.DataFrame:
        """All rows of a result, under these column names or those of the engine."""
        columns = result.get_column_names()
        if not columns:  # a statement that only writes
            return pl.DataFrame()
        columns = unique_names(names if names and len(names) == len(columns) else columns)
        kinds = result.get_column_data_types()
        if not any(_is_graph(kind) for kind in kinds):
            try:
                arrow = result.get_as_arrow().rename_columns(columns)
                return pl.DataFrame(pl.from_arrow(arrow))
            except (pl.exceptions.PolarsError, TypeError, ValueError):  # a type polars lacks
                result.reset_iterator()
        rows = result.get_all()
        self._find_ends(rows)
        return table_of(columns, [[self._cell(value) for value in row] for row in rows])

    def _cell(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._cell(part) for part in value]
        if not isinstance(value, dict):
            return value
        if "_NODES" in value:
            return path_cell(map(self._cell, value["_NODES"]), map(self._cell, value["_RELS"]))
        if "_SRC" in value:
            ends = [self._ends.get(_key(value[end]), ("", "")) for end in ("_SRC", "_DST")]
            kind: str = self._types.get(value["_LABEL"]) or value["_LABEL"]
            return relationship_cell(kind, ends[0], ends[1], self._properties(value))
        if "_LABEL" in value:
            return node_cell(*self._label_and_id(value), self._properties(value))
        return {name: self._cell(part) for name, part in value.items()}

    def _label_and_id(self, node: Mapping[str, Any]) -> tuple[str, str]:
        return self._labels.get(node["_LABEL"]) or str(node["_LABEL"]), node["id"]

    def _properties(self, value: Mapping[str, Any]) -> dict[str, Any]:
        names = self._names.get(value["_LABEL"], {})
        return {names.get(k, k): v for k, v in value.items() if k not in _HIDDEN}

    def _find_ends(self, rows: Iterable[Any]) -> None:
        """The label and id of every node that some relationship in the rows joins."""
        wanted: set[Key] = set()

        def visit(value: Any) -> None:
            if isinstance(value, list):
                for part in value:
                    visit(part)
            elif isinstance(value, dict):
                if "_SRC" in value:
                    wanted.update((_key(value["_SRC"]), _key(value["_DST"])))
                elif "_LABEL" in value:
                    self._ends[_key(value["_ID"])] = self._label_and_id(value)
                else:
                    visit(list(value.values()))

        visit(list(rows))
        missing = wanted - set(self._ends)
        if not missing:
            return
        offsets = sorted({offset for _, offset in missing})
        for stored, label in self._labels.items():
            found: list[Any] = run(
                self._connection,
                f"MATCH (n:{quoted(stored)}) WHERE offset(id(n)) IN $offsets RETURN id(n), n.id",
                {"offsets": offsets},
            ).get_all()
            self._ends |= {_key(key): (label, id) for key, id in found}


def run(
    connection: ladybug.Connection, text: str, parameters: Mapping[str, Any] | None = None
) -> ladybug.QueryResult:
    """The result of one statement."""
    result = connection.execute(text, dict(parameters or {}))
    assert not isinstance(result, list), "the guard lets one statement through"
    return result


def _key(number: Mapping[str, int]) -> Key:
    return number["table"], number["offset"]


def _is_graph(kind: str) -> bool:
    return any(word in kind for word in ("NODE", "REL", "MAP", "UNION", "ANY"))
