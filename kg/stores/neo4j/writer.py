"""A graph as a row of batches that may each be sent any number of times."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl

from trefoil.data.errors import StoreError
from trefoil.kg.cypher.names import quoted
from trefoil.kg.graph import Edges, EdgeType, KnowledgeGraph, Nodes
from trefoil.kg.stores.comparison import digest, occurrence
from trefoil.kg.stores.neo4j.manifest import KEY

BATCH = 10_000


@dataclass(frozen=True)
class Batch:
    """A statement and its rows; running it twice equals running it once."""

    what: str
    statement: str
    rows: list[dict[str, Any]]


def constraints(graph: KnowledgeGraph) -> list[str]:
    """One unique ``id`` per label: what makes MERGE fast, and duplicates impossible."""
    return [
        f"CREATE CONSTRAINT IF NOT EXISTS FOR (n:{quoted(label)}) REQUIRE n.id IS UNIQUE"
        for label in graph.nodes
    ]


def adoptions(graph: KnowledgeGraph, known: Collection[str]) -> list[str]:
    """Give keys to edges that others made, so that they are found instead of doubled.

    ``known`` are the types that the database has: to plan a statement for one
    that it has not takes a fresh server half a second, for nothing.
    """
    return [
        f"MATCH (a:{quoted(source)})-[bare:{quoted(relation)}]->(b:{quoted(target)})"
        f" WHERE bare.{KEY} IS NULL WITH DISTINCT a, b"
        f" MATCH (a)-[r:{quoted(relation)}]->(b)"
        f" WITH a, b, count(r.{KEY}) AS keyed, collect(r) AS found"
        f" WITH keyed, [r IN found WHERE r.{KEY} IS NULL] AS bare"
        f" UNWIND range(0, size(bare) - 1) AS i WITH keyed + i AS key, bare[i] AS r"
        f" SET r.{KEY} = key"
        for source, relation, target in graph.edges
        if relation in known
    ]


def batches(graph: KnowledgeGraph, size: int = BATCH) -> Iterator[Batch]:
    """Nodes, then edges, each sorted by id; the same graph gives the same batches."""
    ids = {}
    for label, nodes in graph.nodes.items():
        ids[label] = pl.Series(nodes.vocabulary.ids, dtype=pl.String)
        yield from _node_batches(label, nodes, ids[label], size)
    for ends, edges in graph.edges.items():
        source, target = ids[ends[0]].gather(edges.source), ids[ends[2]].gather(edges.target)
        keys = pl.Series(occurrence(ends, graph))
        yield from _edge_batches(
            ends, edges, pl.DataFrame({"s": source, "t": target, "k": keys}), size
        )


def fingerprint(graph: KnowledgeGraph) -> str:
    """The same for equal graphs: which load it is that a ledger speaks of."""
    return hashlib.sha256(repr(sorted(digest(graph).items())).encode()).hexdigest()


def _node_batches(label: str, nodes: Nodes, ids: pl.Series, size: int) -> Iterator[Batch]:
    statement = f"UNWIND $rows AS row MERGE (n:{quoted(label)} {{id: row.id}}) SET n += row.p"
    order = ids.arg_sort()
    for start in range(0, len(nodes), size):
        rows = order.slice(start, size)
        properties = _properties(nodes.properties, rows, ("id",))
        yield Batch(
            label,
            statement,
            [{"id": id, "p": p} for id, p in zip(ids.gather(rows), properties, strict=True)],
        )


def _edge_batches(ends: EdgeType, edges: Edges, keys: pl.DataFrame, size: int) -> Iterator[Batch]:
    source, relation, target = ends
    statement = (
        f"UNWIND $rows AS row MATCH (a:{quoted(source)} {{id: row.s}})"
        f" MATCH (b:{quoted(target)} {{id: row.t}})"
        f" MERGE (a)-[r:{quoted(relation)} {{{KEY}: row.k}}]->(b) SET r += row.p"
    )
    order = keys.select(pl.arg_sort_by("s", "t", "k")).to_series()
    for start in range(0, len(edges), size):
        rows = order.slice(start, size)
        properties = _properties(edges.properties, rows, (KEY,))
        parts = keys[rows].to_dicts()
        yield Batch(
            relation,
            statement,
            [part | {"p": p} for part, p in zip(parts, properties, strict=True)],
        )


def _properties(
    frame: pl.DataFrame, rows: pl.Series, reserved: tuple[str, ...]
) -> list[dict[str, Any]]:
    """Properties of these rows as Neo4j takes them; a null removes what was there before."""
    if not frame.width:
        return [{}] * len(rows)
    columns = []
    for column in frame[rows].get_columns():
        if column.name in reserved:
            raise StoreError(
                f"property {column.name!r} is the store's own; rename it before writing"
            )
        columns.append(_sendable(column))
    return pl.DataFrame(columns).to_dicts()


def sendable_rows(frame: pl.DataFrame, size: int) -> list[dict[str, Any]]:
    """Rows of properties as Neo4j takes them; ``size`` empty ones where there are no columns."""
    if not frame.width:
        return [{} for _ in range(size)]
    return pl.DataFrame([_sendable(column) for column in frame.get_columns()]).to_dicts()


def _sendable(column: pl.Series) -> pl.Series:
    quoted(column.name)
    if isinstance(column.dtype, pl.Datetime) and column.dtype.time_zone:
        return column.dt.convert_time_zone("UTC")
    if isinstance(column.dtype, pl.List):
        if column.list.eval(pl.element().is_null()).list.any().any():
            raise StoreError(f"a list in property {column.name!r} has a null; Neo4j keeps none")
    elif column.dtype == pl.UInt64 and (column.max() or 0) >= 2**63:  # type: ignore[operator]
        raise StoreError(f"property {column.name!r} has {column.max()}; Neo4j keeps up to 2^63 - 1")
    elif isinstance(column.dtype, pl.Categorical | pl.Enum):
        return column.cast(pl.String)
    return column
