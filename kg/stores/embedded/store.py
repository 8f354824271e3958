"""The graph in one file beside the run: LadybugDB, which needs no server."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ladybug
import numpy as np
import polars as pl

from trefoil.data.errors import StoreError
from trefoil.data.interactions import Ints
from trefoil.data.progress import Progress
from trefoil.data.vocabulary import Vocabulary
from trefoil.kg.cypher.columns import column_names
from trefoil.kg.cypher.guard import check
from trefoil.kg.cypher.names import quoted
from trefoil.kg.cypher.parameters import check_parameters
from trefoil.kg.graph import Edges, EdgeType, KnowledgeGraph, Nodes
from trefoil.kg.stores.base import ROWS, SECONDS, Answer, GraphStore, Schema, chosen
from trefoil.kg.stores.embedded.bulk_load import CARD, FILE, MEMORY_MB, explained, write_embedded
from trefoil.kg.stores.embedded.dialect import to_embedded
from trefoil.kg.stores.embedded.manifest import ROW, Card, Table
from trefoil.kg.stores.embedded.values import EmbeddedCells, run
from trefoil.kg.stores.property_types import type_of
from trefoil.kg.stores.run_graph import FOLDER, begin_changing, check_graph, end_changing


class EmbeddedStore(GraphStore):
    """A store folder, or the ``graph/`` folder of a run.

    Opened read-only by any number of threads and processes; ``write`` puts a
    whole new store in the place of the old one, which open readers keep.
    ``memory_mb`` bounds the engine's buffer pool.
    """

    dialect = "embedded"

    def __init__(
        self, target: str | Path, *, read_only: bool = True, memory_mb: int = MEMORY_MB
    ) -> None:
        self.path = store_folder(Path(target))
        self.read_only = read_only
        self._memory = memory_mb << 20
        self._database: ladybug.Database | None = None
        self._card: Card | None = None
        if (self.path / FILE).exists():
            self._open()
        elif read_only:
            raise StoreError(
                f"{target}: no graph store here (no {FILE}); give a run folder, a store folder"
                " or a neo4j:// address"
            )

    def _open(self) -> None:
        self._card = Card.load(self.path / CARD)
        check_graph(self.path)
        try:
            self._database = ladybug.Database(
                self.path / FILE, read_only=self.read_only, buffer_pool_size=self._memory
            )
            self._database.init_database()
        except RuntimeError as fault:
            raise StoreError(f"{self.path / FILE}: cannot be opened: {fault}") from fault
        if not self.read_only:
            begin_changing(self.path)

    def close(self) -> None:
        if self._close() and not self.read_only:
            end_changing(self.path)

    def _close(self) -> bool:
        """Whether there was something to close."""
        if self._database is None:
            return False
        self._database.close()
        self._database = None
        return True

    @contextmanager
    def _connection(self, timeout_s: float = 0, known: str = "") -> Iterator[ladybug.Connection]:
        """A connection of its own for each use: connections are not thread-safe, and cheap."""
        if self._database is None:
            raise StoreError(f"{self.path}: the store is closed or was never written")
        connection = ladybug.Connection(self._database)
        try:
            connection.set_query_timeout(int(timeout_s * 1000))
            yield connection
        except RuntimeError as fault:
            raise explained(fault, timeout_s, known) from fault
        finally:
            connection.close()

    @property
    def card(self) -> Card:
        if self._card is None:
            raise StoreError(f"{self.path}: nothing was written here yet")
        return self._card

    def schema(self) -> Schema:
        def properties(table: Table) -> dict[str, str]:
            return {column.name: column.type for column in table.columns}

        return Schema(
            {label: {"id": "string"} | properties(t) for label, t in self.card.nodes.items()},
            {ends: properties(t) for ends, t in self.card.edges.items()},
        )

    def write(self, graph: KnowledgeGraph, progress: Progress | None = None) -> None:
        """Replace the store by this graph."""
        if self.read_only:
            raise StoreError(f"{self.path} was opened read-only; open it with read_only=False")
        self._close()
        write_embedded(graph, self.path, progress=progress, memory_mb=self._memory >> 20)
        self._open()

    def read(
        self,
        *,
        labels: Collection[str] | None = None,
        relationships: Collection[str] | None = None,
        properties: Collection[str] | None = None,
    ) -> KnowledgeGraph:
        schema = self.schema()
        kept = chosen(labels, schema.labels, "label")
        types = chosen(relationships, schema.types, "relationship type")
        chosen(properties, schema.properties, "property")
        with self._connection() as connection:
            reader = _Reader(connection, properties)
            nodes = {label: reader.nodes(label, self.card.nodes[label]) for label in kept}
            edges = {
                ends: reader.edges(ends, table, self.card)
                for ends, table in self.card.edges.items()
                if ends[1] in types and ends[0] in nodes and ends[2] in nodes
            }
        predicates = self.card.predicates
        if labels is not None or relationships is not None:
            present = {relation for _, relation, _ in edges}
            predicates = {name: iri for name, iri in predicates.items() if name in present}
        return KnowledgeGraph(nodes, edges, dict(predicates))

    def ask(
        self,
        cypher: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        limit: int = ROWS,
        timeout_s: float = SECONDS,
        write: bool = False,
    ) -> Answer:
        checked = check(cypher, "embedded", write=write)
        if write and self.read_only:
            raise StoreError(f"{self.path} was opened read-only; open it with read_only=False")
        check_parameters(checked.tokens, parameters or {})
        started = time.perf_counter()
        names = self.card.stored_labels(), self.card.stored_types()
        text = to_embedded(checked, *names, limit + 1, self.card.stored_properties())
        known = f"; labels: {', '.join(names[0])}; relationship types: {', '.join(names[1])}"
        with self._connection(timeout_s, known) as connection:
            result = run(connection, text, parameters)
            table = EmbeddedCells(connection, self.card).table(result, column_names(checked))
        return Answer(table.head(limit), len(table) > limit, time.perf_counter() - started)


def has_store(target: Path) -> bool:
    """Whether a store of this engine lies there: in the folder itself, or in a run."""
    return (store_folder(target) / FILE).exists() or target.name == FILE


def store_folder(target: Path) -> Path:
    """The folder that holds the store's files: itself, or ``graph/`` of a run."""
    if target.name == FILE:
        return target.parent
    if not (target / FILE).exists() and (target / FOLDER / FILE).exists():
        return target / FOLDER
    return target


class _Reader:
    """Reads tables back in the order in which they were written."""

    def __init__(self, connection: ladybug.Connection, properties: Collection[str] | None) -> None:
        self._connection = connection
        self._properties = properties
        self._ids: dict[str, Vocabulary] = {}
        self._plain: dict[str, bool] = {}

    def nodes(self, label: str, table: Table) -> Nodes:
        rows, properties = self._read(
            f"MATCH (n:{quoted(table.stored)}) RETURN n.id AS `.id`, n.{ROW} AS `.row`",
            "n",
            table,
            [".row", ".id"],
        )
        vocabulary = Vocabulary(rows[".id"].to_list())
        self._ids[label] = vocabulary
        # rows are what they were unless a statement has added or removed nodes since
        self._plain[label] = rows[".row"].equals(pl.Series(".row", np.arange(len(rows))))
        return Nodes(vocabulary, properties)

    def edges(self, ends: EdgeType, table: Table, card: Card) -> Edges:
        source, _, target = ends
        s, t = ("id" if not self._plain[end] else ROW for end in (source, target))
        rows, properties = self._read(
            f"MATCH (a:{quoted(card.nodes[source].stored)})-[r:{quoted(table.stored)}]->"
            f"(b:{quoted(card.nodes[target].stored)})"
            f" RETURN a.{s} AS `.s`, b.{t} AS `.t`, r.{ROW} AS `.row`",
            "r",
            table,
            [".row"],
        )
        return Edges(self._rows(source, rows[".s"]), self._rows(target, rows[".t"]), properties)

    def _rows(self, label: str, column: pl.Series) -> Ints:
        if column.dtype != pl.String:
            return column.to_numpy().astype(np.int64)
        return self._ids[label].rows(column.to_list())

    def _read(
        self, query: str, variable: str, table: Table, order: list[str]
    ) -> tuple[pl.DataFrame, pl.DataFrame]:
        columns = [
            column
            for column in table.columns
            if self._properties is None or column.name in self._properties
        ]
        query += "".join(f", {variable}.{quoted(c.stored)} AS {quoted(c.stored)}" for c in columns)
        result = run(self._connection, query).get_as_arrow()
        rows = pl.DataFrame(pl.from_arrow(result)).sort(order, nulls_last=True)
        properties = [
            rows[c.stored].cast(type_of(c.type)).alias(c.name)
            if "," not in c.type
            else _zoned(rows[c.stored], type_of(c.type)).alias(c.name)
            for c in columns
        ]
        return rows, pl.DataFrame(properties)


def _zoned(series: pl.Series, dtype: pl.DataType) -> pl.Series:
    zone = dtype.time_zone  # type: ignore[attr-defined]
    return series.dt.convert_time_zone(zone).cast(dtype)
