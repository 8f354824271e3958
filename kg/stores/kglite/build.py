"""A knowledge graph as a graph of the engine: one table of nodes per label, then the edges.

The engine's own number of a node is its row; our id is a property with an index that
also keeps it unique. Tables go in through pandas, which the engine reads by columns.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pandas as pd
import polars as pl

from trefoil.data.errors import StoreError
from trefoil.data.progress import Progress
from trefoil.kg.cypher.names import quoted
from trefoil.kg.graph import Edges, EdgeType, KnowledgeGraph, Nodes
from trefoil.kg.stores.comparison import occurrence
from trefoil.kg.stores.kglite.library import failed, library
from trefoil.kg.stores.kglite.names import (
    ID,
    ROW,
    SECOND_ID,
    SOURCE,
    TARGET,
    TITLE,
    quoted_kind,
    stored,
    stored_kind,
)
from trefoil.kg.stores.property_types import type_name

BATCH = 20_000  # rows of a statement, for what tables cannot say


def built(graph: KnowledgeGraph, progress: Progress | None = None) -> Any:
    """The engine's graph. Raises StoreError for names and values that it cannot keep."""
    out = library().KnowledgeGraph()
    total, done = graph.node_count + graph.edge_count, 0
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # parallel edges, which are meant
            for label, nodes in graph.nodes.items():
                _add_nodes(out, label, nodes)
                done += len(nodes)
                if progress is not None:
                    progress(done, total, label)
            begun: set[tuple[str, str]] = set()
            for ends, edges in graph.edges.items():
                _add_edges(out, ends, edges, graph, first=ends[:2] not in begun)
                begun.add(ends[:2])
                done += len(edges)
                if progress is not None:
                    progress(done, total, ends[1])
    except failed() as fault:
        raise StoreError(f"the graph cannot be kept by the embedded engine: {fault}") from fault
    return out


def _add_nodes(out: Any, label: str, nodes: Nodes) -> None:
    name = quoted_kind(label)
    ids = np.array(nodes.vocabulary.ids, dtype=object)
    table = {ROW: np.arange(len(ids)), TITLE: [None] * len(ids), ID: ids}
    kinds, later = _columns(nodes.properties, table)
    if len(ids):
        out.add_nodes(
            pd.DataFrame(table), stored_kind(label), ROW, TITLE, column_types=kinds or None
        )
        for column, rows in later.items():
            _set(out, f"MATCH (n:{name} {{{ROW}: row.k}})", column, rows)
        out.cypher(f"CREATE CONSTRAINT FOR (n:{name}) REQUIRE n.`{ID}` IS NODE KEY")


def _add_edges(
    out: Any, ends: EdgeType, edges: Edges, graph: KnowledgeGraph, *, first: bool
) -> None:
    """A first load keeps parallel edges; later ones of a type and source would merge them."""
    for name in ends:
        quoted(name)
    source, relation, target = map(stored_kind, ends)
    if not len(edges):
        return
    repeated = np.zeros(len(edges), bool) if first else occurrence(ends, graph) > 0
    rows = np.flatnonzero(~repeated)
    part = edges.properties[rows] if repeated.any() and edges.properties.width else edges.properties
    table = {SOURCE: edges.source[~repeated], TARGET: edges.target[~repeated]}
    kinds, later = _columns(part, table)
    if later:  # an edge has no name of its own by which a value could be set afterwards
        rows, repeated = rows[:0], np.ones(len(edges), bool)
    if len(rows):
        out.add_relationships(
            pd.DataFrame(table), relation, source, SOURCE, target, TARGET,
            column_types=kinds or None,
        )  # fmt: skip
    _create(out, ends, edges, np.flatnonzero(repeated))


def _create(out: Any, ends: EdgeType, edges: Edges, rows: np.ndarray) -> None:
    """Edges one by one, from Python values."""
    source, relation, target = map(quoted_kind, ends)
    columns = {
        stored(name): _values(column.gather(rows))
        for name, column in edges.properties.to_dict().items()
    }
    for start in range(0, len(rows), BATCH):
        given = [
            {
                "s": int(edges.source[row]),
                "t": int(edges.target[row]),
                "p": {name: column[k] for name, column in columns.items() if column[k] is not None},
            }
            for k, row in enumerate(rows[start : start + BATCH], start)
        ]
        out.cypher(
            f"UNWIND $rows AS row MATCH (a:{source} {{{ROW}: row.s}})"
            f" MATCH (b:{target} {{{ROW}: row.t}}) CREATE (a)-[r:{relation}]->(b) SET r += row.p",
            params={"rows": given},
        )


def _set(out: Any, match: str, column: str, rows: list[dict[str, Any]]) -> None:
    for start in range(0, len(rows), BATCH):
        out.cypher(
            f"UNWIND $rows AS row {match} SET n.{quoted(column)} = row.v",
            params={"rows": rows[start : start + BATCH]},
        )


def _columns(
    properties: pl.DataFrame, table: dict[str, Any]
) -> tuple[dict[str, str], dict[str, list[dict[str, Any]]]]:
    """Put the properties into a table; their declared kinds, and what must be set afterwards."""
    kinds: dict[str, str] = {}
    later: dict[str, list[dict[str, Any]]] = {}
    for name, column in properties.to_dict().items():
        type_name(column.dtype, name)
        quoted(name)
        if column.null_count() == len(column):
            continue
        key = SECOND_ID if ID in table and name == "id" else stored(name)
        if column.dtype.is_float() and column.is_nan().any():
            # a table's NaN is a missing value
            at = column.is_nan().fill_null(False).arg_true().to_list()
            later[key] = [{"k": k, "v": math.nan} for k in at]
        if isinstance(column.dtype, pl.Datetime) and column.dtype.time_zone:
            kinds[key] = "zoneddatetime"
        table[key] = _pandas(column)
    return kinds, later


def _pandas(column: pl.Series) -> Any:
    if column.dtype.is_integer():
        if not column.null_count():
            return column.cast(pl.Int64).to_numpy()
        return pd.array(column.cast(pl.Int64).to_list(), dtype="Int64")
    if column.dtype.is_float():
        return column.cast(pl.Float64).fill_null(math.nan).to_numpy()
    out = np.empty(len(column), dtype=object)
    out[:] = _values(column)
    return out


def _values(column: pl.Series) -> list[Any]:
    """Python values of a column; zoned moments in UTC, so that all have one offset."""
    if isinstance(column.dtype, pl.Datetime) and column.dtype.time_zone:
        column = column.dt.convert_time_zone("UTC")
    if isinstance(column.dtype, pl.Categorical | pl.Enum):
        column = column.cast(pl.String)
    if column.dtype in (pl.Binary, pl.List(pl.Binary)):
        return [_hexadecimal(value) for value in column.to_list()]
    return column.to_list()


def _hexadecimal(value: Any) -> Any:
    """Bytes as text: the engine has no type for them."""
    if isinstance(value, list):
        return [_hexadecimal(part) for part in value]
    return value.hex() if isinstance(value, bytes) else value
