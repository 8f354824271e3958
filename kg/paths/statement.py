"""A path as a Cypher statement: of the run's own store, or of the database the graph came from."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from trefoil.kg.cypher.names import quoted


class Place(NamedTuple):
    """How a node is found in the database that it came from.

    Without a ``property``, ``value`` is its element id; without a value it may be
    any node of the label.
    """

    label: str
    property: str | None
    value: str | int | None


class PathNode(NamedTuple):
    """A node of a path; ``name`` is what to show, ``place`` where it is in its database."""

    label: str
    id: str
    name: str
    place: Place | None = None

    def hidden(self) -> PathNode:
        """The same without what tells it from others of its label."""
        place = None if self.place is None else self.place._replace(value=None)
        return self._replace(id="", place=place)


class PathEdge(NamedTuple):
    """An edge of a path; ``forward`` says that it points from the earlier node to the later.

    ``via`` are the relationships of the database that stand for it, as steps (type, along it)
    from the earlier node to the later, and ``between`` the labels of nodes between them.
    """

    type: str
    forward: bool
    via: tuple[tuple[str, bool], ...] = ()
    between: tuple[str, ...] = ()


@lru_cache(maxsize=4096)
def one_of(edges: tuple[PathEdge, ...]) -> tuple[PathEdge, ...]:
    """The one that stands for all that are equal: many paths have the same few."""
    return edges


def of_store(nodes: Sequence[PathNode], edges: Sequence[PathEdge]) -> str:
    """A statement that returns one path; a node without an id may be any of its label."""
    return _of_shape(
        tuple([(node.label, bool(node.id)) for node in nodes]),
        tuple([edge[:2] for edge in edges]),
    )


@lru_cache(maxsize=4096)
def _of_shape(nodes: tuple[tuple[str, bool], ...], edges: tuple[tuple[str, bool], ...]) -> str:
    """The same by labels, and which nodes have an id: paths of one shape have one statement."""
    bound = [
        f"(n{at}:{quoted(label)}{f' {{id: $n{at}}}' if known else ''})"
        for at, (label, known) in enumerate(nodes)
    ]
    parts = [
        f"{_arrow(type, forward)}{one}"
        for (type, forward), one in zip(edges, bound[1:], strict=True)
    ]
    return f"MATCH p = {bound[0]}{''.join(parts)} RETURN p LIMIT 1"


def of_database(nodes: Sequence[PathNode], edges: Sequence[PathEdge]) -> str:
    """The same in the labels, keys and relationships of the database that the graph came from."""
    text, conditions = "", []
    for at, node in enumerate(nodes):
        place = node.place or Place(node.label, "id", node.id or None)
        inner = ""
        if place.value is not None and place.property is None:
            conditions.append(f"elementId(n{at}) = $n{at}")
        elif place.value is not None:
            inner = f" {{{quoted(place.property or 'id')}: $n{at}}}"
        if at:
            edge = edges[at - 1]
            labels = [f"(:{quoted(label)})" for label in edge.between] + [""]
            steps = edge.via or ((edge.type, edge.forward),)
            for (type, along), label in zip(steps, labels, strict=False):
                text += _arrow(type, along) + label
        text += f"(n{at}:{quoted(place.label)}{inner})"
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"MATCH p = {text}{where} RETURN p LIMIT 1"


def _arrow(type: str, forward: bool) -> str:
    left, right = ("-", "->") if forward else ("<-", "-")
    return f"{left}[:{quoted(type)}]{right}"
