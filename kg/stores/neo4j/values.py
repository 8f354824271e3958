"""Graph values of the Neo4j driver as the cells that every store returns."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any

from trefoil.data.neo4j.columns import native
from trefoil.kg.stores.neo4j.homes import NO_LABEL
from trefoil.kg.stores.neo4j.manifest import KEY
from trefoil.kg.stores.values import node_cell, path_cell, relationship_cell

ENDS = "MATCH (n) WHERE elementId(n) IN $ids RETURN elementId(n), labels(n), n.id"


class Cells:
    """Nodes, relationships and paths of some rows.

    The driver gives a relationship's ends by internal number only, so ``run``
    asks once for the labels and ids of all of them.
    """

    def __init__(self, run: Callable[..., Iterable[Any]], rows: list[list[Any]]) -> None:
        self._nodes: dict[str, tuple[str, str]] = {}
        ends: set[str] = set()
        for value in _relationships(rows):
            ends.update(node.element_id for node in value.nodes if node is not None)
        if ends:
            for key, labels, id in run(ENDS, ids=sorted(ends)):
                self._nodes[key] = _label(labels), str(key if id is None else id)

    def cell(self, value: Any) -> Any:
        """One value of a row."""
        if isinstance(value, list):
            return [self.cell(part) for part in value]
        if isinstance(value, dict):
            return {name: self.cell(part) for name, part in value.items()}
        if _is_path(value):
            return path_cell(map(self.cell, value.nodes), map(self.cell, value.relationships))
        if _is_relationship(value):
            ends = [self._end(node) for node in value.nodes]
            properties = {k: native(v) for k, v in value.items() if k != KEY}
            return relationship_cell(value.type, ends[0], ends[1], properties)
        if hasattr(value, "labels"):
            id = value.get("id")
            properties = {k: native(v) for k, v in value.items() if k != "id"}
            return node_cell(
                _label(value.labels), str(value.element_id if id is None else id), properties
            )
        return native(value)

    def _end(self, node: Any) -> tuple[str, str]:
        # not "if node": one without properties is an empty mapping
        return ("", "") if node is None else self._nodes.get(node.element_id, ("", ""))


def _relationships(value: Any) -> Iterable[Any]:
    if isinstance(value, list):
        for part in value:
            yield from _relationships(part)
    elif isinstance(value, dict):
        yield from _relationships(list(value.values()))
    elif _is_path(value):
        yield from value.relationships
    elif _is_relationship(value):
        yield value


def _is_path(value: Any) -> bool:
    return hasattr(value, "relationships")


def _is_relationship(value: Any) -> bool:
    return hasattr(value, "type") and hasattr(value, "nodes")


def _label(labels: Collection[str]) -> str:
    return min(labels, default=NO_LABEL)
