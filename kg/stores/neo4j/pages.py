"""Nodes and relationships in pages of columns: a row each would cost the driver six times more."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import repeat
from typing import Any, NamedTuple

import numpy as np

from trefoil.data.interactions import Ints
from trefoil.kg.cypher.names import quoted
from trefoil.kg.stores.neo4j.homes import Labels
from trefoil.kg.stores.neo4j.manifest import LABEL

PAGE = 10_000  # nodes of a page
LOAD = 20_000  # relationships of a page, but where one node has more
Run = Callable[..., list[tuple[Any, ...]]]  # a statement and its parameters to rows

# Lists that grow by one at every node make Neo4j slow, so keys are joined set by set.
_KEYS = "reduce(ks = [], own IN sets | ks + [k IN own WHERE NOT k IN ks{kept}])"
_VALUES = "ks, [k IN ks | [x IN xs | x[k]]]"


class Page(NamedTuple):
    """Nodes of one set of labels: their element ids, out-degrees and properties."""

    labels: Labels
    ids: list[str]
    degrees: list[int]
    values: dict[str, list[Any]]


class Joins(NamedTuple):
    """Relationships of one type: places of their ends among all nodes read, and properties."""

    type: str
    source: Ints
    target: Ints
    values: dict[str, list[Any]]


def node_pages(
    run: Run, label: str | None, properties: Collection[str] | None, size: int = PAGE
) -> Iterator[Page]:
    """Nodes with a label, or all, page after page in the order of the database.

    Every page skips those before it, which the server does a hundred times faster than it
    sends them, so neither side ever holds more than a page.
    """
    pattern = f"(n:{quoted(label)})" if label else "(n)"
    kept = "" if properties is None else " AND k IN $properties"
    statement = (
        f"MATCH {pattern} WHERE NOT n:{LABEL} WITH n SKIP $skip LIMIT $size"
        " WITH labels(n) AS labels, collect(n) AS xs, collect(DISTINCT keys(n)) AS sets,"
        " collect(COUNT { (n)-->() }) AS degrees"
        f" WITH labels, xs, degrees, {_KEYS.format(kept=kept)} AS ks"
        f" RETURN labels, [x IN xs | elementId(x)], degrees, {_VALUES}"
    )
    for skip in range(0, 1 << 62, size):
        rows = run(statement, skip=skip, size=size, properties=list(properties or ()))
        seen = 0
        for labels, ids, degrees, names, values in rows:
            seen += len(ids)
            yield Page(tuple(labels), ids, degrees, dict(zip(names, values, strict=True)))
        if seen < size:
            return


def relationship_pages(
    run: Run,
    ids: Sequence[str],
    degrees: Sequence[int],
    types: Collection[str],
    properties: Collection[str] | None,
    load: int = LOAD,
) -> Iterator[Joins]:
    """Relationships of these types between the nodes named, by pages of their source nodes."""
    place = {one: at for at, one in enumerate(ids)}
    kept = "" if properties is None else " AND k IN $properties"
    statement = (
        "UNWIND range(0, size($ids) - 1) AS i MATCH (a) WHERE elementId(a) = $ids[i]"
        f" MATCH (a)-[r:{'|'.join(map(quoted, types))}]->(b)"
        " WITH type(r) AS type, collect(i) AS sources, collect(r) AS xs,"
        " collect(DISTINCT keys(r)) AS sets"
        f" WITH type, sources, xs, {_KEYS.format(kept=kept)} AS ks"
        f" RETURN type, sources, [x IN xs | elementId(endNode(x))], {_VALUES}"
    )
    for nodes in _loads(np.asarray(degrees, np.int64), load):
        given = [ids[at] for at in nodes.tolist()]
        rows = run(statement, ids=given, properties=list(properties or ()))
        for type, sources, ends, names, values in rows:
            target = np.fromiter(map(place.get, ends, repeat(-1)), np.int64, len(ends))
            source = nodes[np.asarray(sources, np.int64)]
            yield Joins(type, source, target, dict(zip(names, values, strict=True)))


def _loads(degrees: Ints, load: int) -> Iterator[Ints]:
    """Places of nodes with relationships, cut where the sum of degrees passes a multiple."""
    nodes = np.flatnonzero(degrees)
    if len(nodes):
        number = (np.cumsum(degrees[nodes]) - degrees[nodes]) // load
        yield from np.split(nodes, np.flatnonzero(np.diff(number)) + 1)
