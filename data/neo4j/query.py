"""A table that a Cypher query returns: events, items or users as a database holds them."""

from __future__ import annotations

from typing import Any

import polars as pl

from trefoil.data.errors import DataError, StoreError
from trefoil.data.neo4j.columns import column
from trefoil.data.neo4j.server import Neo4jServer

REFUSED = {"LoadCSV": "LOAD CSV reads files", "ProcedureCall": "a procedure may do anything"}


def query_frame(uri: str, query: str, database: str | None, where: str) -> pl.DataFrame:
    """The rows of a reading statement, each column of one type.

    The server plans the statement first. One that writes, reads files or calls a procedure
    is not run, and what is run may only read. Rows stream; nothing is held on the server.
    Raises DataError that begins with ``where``.
    """
    try:
        with Neo4jServer(uri, database=database) as server:
            kind, operators = server.plan(query)
            if kind != "r":
                raise DataError(f"{where} query would write; return columns, and only read")
            for operator in operators:
                if operator in REFUSED:
                    raise DataError(f"{where} query: {REFUSED[operator]}; use MATCH and RETURN")
            names, columns = server.columns(query)
    except StoreError as fault:
        raise DataError(f"{where} query: {fault}") from fault
    return pl.DataFrame([_column(n, c, where) for n, c in zip(names, columns, strict=True)])


def _column(name: str, values: list[Any], where: str) -> pl.Series:
    """One column. Raises DataError where whole nodes or relationships came."""
    found = next((v for v in values if hasattr(v, "element_id")), None)
    if found is not None:
        raise DataError(
            f"{where} query: column {name!r} holds nodes or relationships; return their "
            f"properties, such as {name}.id AS {name}"
        )
    return column(name, values)
