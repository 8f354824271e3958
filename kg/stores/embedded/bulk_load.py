"""A graph loaded in bulk into the embedded engine: typed tables first, then Arrow blocks."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import ladybug
import numpy as np
import polars as pl

from trefoil.data.errors import StoreError
from trefoil.data.progress import Progress
from trefoil.kg.cypher.names import quoted
from trefoil.kg.graph import KnowledgeGraph
from trefoil.kg.stores.embedded.manifest import ROW, Card, Column
from trefoil.kg.stores.folder import replacing
from trefoil.kg.stores.property_types import type_of

FILE, CARD = "graph.lbdb", "graph.json"
MEMORY_MB = 2048
BLOCK = 2_500_000  # edges that are turned into text ids at a time

_STORED = {
    "string": "STRING",
    "null": "STRING",
    "bool": "BOOL",
    "int8": "INT8",
    "int16": "INT16",
    "int32": "INT32",
    "int64": "INT64",
    "uint8": "UINT8",
    "uint16": "UINT16",
    "uint32": "UINT32",
    "uint64": "UINT64",
    "float32": "FLOAT",
    "float64": "DOUBLE",
    "date": "DATE",
    "binary": "BLOB",
    "duration[ms]": "INTERVAL",
    "duration[us]": "INTERVAL",
    "datetime[ms]": "TIMESTAMP",
    "datetime[us]": "TIMESTAMP",
}


def write_embedded(
    graph: KnowledgeGraph,
    path: str | Path,
    *,
    progress: Progress | None = None,
    memory_mb: int = MEMORY_MB,
) -> None:
    """Write a graph as a store folder, such as ``runs/demo/graph``; an old one is replaced.

    The store is built beside and renamed, so that ``path`` never holds half a
    graph. Raises StoreError for names or properties that cannot be kept.
    """
    try:
        with replacing(Path(path)) as fresh:
            card = Card.of(graph)
            database = ladybug.Database(fresh / FILE, buffer_pool_size=memory_mb << 20)
            connection = ladybug.Connection(database)
            try:
                _declare(connection, card)
                _load(connection, card, graph, progress)
            finally:
                connection.close()
                database.close()
            card.save(fresh / CARD)
    except RuntimeError as fault:
        raise explained(fault) from fault


def _declare(connection: ladybug.Connection, card: Card) -> None:
    def declared(columns: Collection[Column]) -> str:
        return "".join(f", {quoted(c.stored)} {_stored_type(c.type)}" for c in columns)

    for table in card.nodes.values():
        connection.execute(
            f"CREATE NODE TABLE {quoted(table.stored)}"
            f"(id STRING PRIMARY KEY, {ROW} INT64{declared(table.columns)})"
        )
    for stored in dict.fromkeys(table.stored for table in card.edges.values()):
        pairs = {ends: table for ends, table in card.edges.items() if table.stored == stored}
        columns = dict.fromkeys(column for table in pairs.values() for column in table.columns)
        ends = ", ".join(
            f"FROM {quoted(card.nodes[source].stored)} TO {quoted(card.nodes[target].stored)}"
            for source, _, target in pairs
        )
        connection.execute(
            f"CREATE REL TABLE {quoted(stored)}({ends}, {ROW} INT64{declared(columns)})"
        )


def _stored_type(name: str) -> str:
    if name.startswith("list["):
        return _stored_type(name[5:-1]) + "[]"
    return "TIMESTAMP_TZ" if name.startswith("datetime[") and "," in name else _STORED[name]


def _load(
    connection: ladybug.Connection, card: Card, graph: KnowledgeGraph, progress: Progress | None
) -> None:
    total, done = graph.node_count + graph.edge_count, 0

    def report(what: str, rows: int) -> None:
        nonlocal done
        done += rows
        if progress is not None:
            progress(done, total, what)

    ids = {}
    for label, nodes in graph.nodes.items():
        table = card.nodes[label]
        ids[label] = pl.Series("id", nodes.vocabulary.ids, dtype=pl.String)
        rows = pl.DataFrame({"id": ids[label], ROW: np.arange(len(nodes))})
        _copy(connection, quoted(table.stored), rows, _typed(nodes.properties, table.columns))
        report(label, len(nodes))
    for ends, edges in graph.edges.items():
        table = card.edges[ends]
        source, target = ids[ends[0]], ids[ends[2]]
        options = f" (from={_text(card, ends[0])}, to={_text(card, ends[2])})"
        # a table shared by several pairs of labels has the columns of all of them
        shared = dict.fromkeys(
            column
            for other in card.edges.values()
            if other.stored == table.stored
            for column in other.columns
        )
        for start in range(0, len(edges), BLOCK):
            part = slice(start, start + BLOCK)
            rows = pl.DataFrame(
                {
                    "from": source.gather(edges.source[part]),
                    "to": target.gather(edges.target[part]),
                    ROW: np.arange(start, min(start + BLOCK, len(edges))),
                }
            )
            typed = _typed(edges.properties[part], table.columns, shared, len(rows))
            _copy(connection, quoted(table.stored), rows, typed, options)
            report(ends[1], len(rows))


def _text(card: Card, label: str) -> str:
    stored = card.nodes[label].stored.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{stored}'"


def _typed(
    properties: pl.DataFrame,
    own: Collection[Column],
    columns: Collection[Column] | None = None,
    rows: int = 0,
) -> list[pl.Series]:
    """The properties as stored columns; one that this part of the graph lacks is all null."""
    out = []
    for column in own if columns is None else columns:
        dtype = type_of(column.type)
        missing = column not in own
        series = pl.Series([None] * rows, dtype=dtype) if missing else properties[column.name]
        stored = pl.String() if dtype == pl.Null() else dtype
        if isinstance(dtype, pl.Datetime) and dtype.time_zone:
            stored = pl.Datetime("us", "UTC")
            series = series.dt.convert_time_zone("UTC")
        elif isinstance(dtype, pl.Datetime | pl.Duration):
            stored = type(dtype)("us")
        out.append(series.cast(stored).alias(column.stored))
    return out


def _copy(
    connection: ladybug.Connection,
    table: str,
    rows: pl.DataFrame,
    properties: list[pl.Series],
    options: str = "",
) -> None:
    if not len(rows):
        return
    whole = pl.DataFrame([*rows.get_columns(), *properties])
    connection.execute(f"COPY {table} FROM $rows{options}", {"rows": whole.to_arrow()})


def explained(fault: RuntimeError, timeout_s: float = 0, known: str = "") -> StoreError:
    if isinstance(fault, StoreError):
        return fault
    text = str(fault).strip()
    if "Interrupted" in text:
        return StoreError(
            f"the statement took longer than {timeout_s:g} s and was stopped;"
            " bound its paths, add LIMIT, or raise the time limit"
        )
    if "buffer pool is full" in text.lower() or "bad_alloc" in text:
        return StoreError(f"the statement needs more memory than the store was given ({text})")
    return StoreError(text + known if "does not exist" in text else text)
