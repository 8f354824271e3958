"""What the engine returns, as the cells that every store returns."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

from trefoil.kg.stores.kglite.engine import NODE, RELATIONSHIP, Engine, Rows
from trefoil.kg.stores.kglite.names import ID, shown_kind
from trefoil.kg.stores.values import node_cell, path_cell, relationship_cell, table_of

End = tuple[str, str]  # label and id


class KgliteCells:
    """Turns rows into a table; moments with a zone become UTC, as a column has one zone."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._ends: dict[int, End] = {}  # by the engine's number of a node

    def table(self, found: Rows) -> pl.DataFrame:
        if not found.columns:  # a statement that only writes
            return pl.DataFrame()
        self._find_ends(found.rows)
        return table_of(found.columns, [[self._cell(value) for value in row] for row in found.rows])

    def _cell(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._cell(part) for part in value]
        if isinstance(value, dt.datetime) and value.tzinfo is not None:
            return value.astimezone(dt.UTC)
        if not isinstance(value, dict):
            return value
        if value.keys() == NODE:
            label, id = _end(value)
            return node_cell(label, id, _own(value["properties"]))
        if value.keys() == RELATIONSHIP:
            ends = [self._ends[value[side]] for side in ("start", "end")]
            return relationship_cell(value["type"], ends[0], ends[1], value["properties"])
        if _is_path(value):
            nodes, edges = value["nodes"], value["relationships"]
            return path_cell(map(self._cell, nodes), map(self._cell, edges))
        return {name: self._cell(part) for name, part in value.items()}

    def _find_ends(self, rows: Iterable[Any]) -> None:
        """The label and id of every node that some relationship in the rows joins."""
        wanted: set[int] = set()

        def visit(value: Any) -> None:
            if isinstance(value, list):
                for part in value:
                    visit(part)
            elif isinstance(value, dict):
                if value.keys() == NODE:
                    self._ends[value["id"]] = _end(value)
                elif value.keys() == RELATIONSHIP:
                    wanted.update((value["start"], value["end"]))
                else:
                    visit(list(value.values()))

        visit(list(rows))
        if missing := wanted - self._ends.keys():
            found = self._engine.run(
                "UNWIND $numbers AS number MATCH (n) WHERE elementId(n) = number"
                f" RETURN number, labels(n)[0] AS label, n.`{ID}` AS id",
                {"numbers": [str(number) for number in missing]},
            )
            for row in found.to_list():
                self._ends[int(row["number"])] = (shown_kind(row["label"]), str(row["id"]))


def _end(node: Mapping[str, Any]) -> End:
    return next(iter(node["labels"]), ""), str(node["properties"].get("id", node["id"]))


def _own(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in properties.items() if name != "id"}


def _is_path(value: Mapping[str, Any]) -> bool:
    return value.keys() == {"nodes", "relationships"} and all(
        isinstance(node, dict) and node.keys() == NODE for node in value["nodes"]
    )
