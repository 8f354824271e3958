"""The graph of a Neo4j database as a store: read, written, and asked in Cypher."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from typing import Any

from trefoil.data.errors import StoreError
from trefoil.data.neo4j.server import RETRY_S, Neo4jServer, rows_of
from trefoil.data.progress import Progress
from trefoil.kg.cypher.guard import check
from trefoil.kg.cypher.tokens import text_of
from trefoil.kg.graph import KnowledgeGraph
from trefoil.kg.stores.base import ROWS, SECONDS, Answer, GraphStore, Schema
from trefoil.kg.stores.neo4j.manifest import LABEL, Card
from trefoil.kg.stores.neo4j.matching import changes, is_ours
from trefoil.kg.stores.neo4j.reader import Choice, Neo4jReader
from trefoil.kg.stores.neo4j.schema import schema_of
from trefoil.kg.stores.neo4j.values import Cells
from trefoil.kg.stores.neo4j.writer import BATCH, adoptions, batches, constraints, fingerprint
from trefoil.kg.stores.values import table_of


class Neo4jStore(GraphStore):
    """A database of a Neo4j server; ``Neo4jServer`` says how it is reached."""

    dialect = "neo4j"

    def __init__(
        self,
        uri: str,
        *,
        auth: tuple[str, str] | None = None,
        database: str | None = None,
        read_only: bool = True,
        retry_s: float = RETRY_S,
    ) -> None:
        self.uri, self.read_only = uri, read_only
        self._schema: Schema | None = None
        self.server = Neo4jServer(uri, auth=auth, database=database, retry_s=retry_s)

    def close(self) -> None:
        self.server.close()

    def _run(self, statement: str, **parameters: Any) -> list[tuple[Any, ...]]:
        return self.server.rows(statement, **parameters)

    def _write(self, statements: list[tuple[str, dict[str, Any]]]) -> None:
        self.server.write(statements)

    def _card(self) -> Card:
        rows = self._run(f"MATCH (c:{LABEL} {{id: 'graph'}}) RETURN c.card")
        return Card.parse(rows[0][0] if rows else None)

    def schema(self) -> Schema:
        """What there is; found by one pass over the database, then remembered."""
        if self._schema is None:
            self._schema = schema_of(self._run, self._card())
        return self._schema

    def read(
        self,
        *,
        labels: Collection[str] | None = None,
        relationships: Collection[str] | None = None,
        properties: Collection[str] | None = None,
        key: str | Mapping[str, str] | None = None,
        likely: Mapping[str, str] | None = None,
        deny: Collection[str] = (),
    ) -> KnowledgeGraph:
        choice = Choice(labels, relationships, properties, key or {}, likely or {}, deny)
        return self._reader(choice).graph()

    def write(
        self, graph: KnowledgeGraph, progress: Progress | None = None, *, batch: int = BATCH
    ) -> None:
        """Merge a graph into the database; what else is there stays.

        A graph that was read from this database goes into the nodes it came from.

        A ledger, kept in the same transactions as the batches, lets the same
        call go on where a broken one ended. Raises StoreError if the server
        stays away for longer than ``retry_s``.
        """
        if self.read_only:
            raise StoreError(f"{self.uri} was opened read-only; open it with read_only=False")
        self._schema = None
        card = self._card()
        if not is_ours(graph, self._run("CALL db.info() YIELD id RETURN id")[0][0], card):
            self._write_back(graph, progress, batch)
            return
        card = card.merged(Card.of(graph))
        load = f"{fingerprint(graph)} in {batch}s"
        rows = self._run(f"MATCH (c:{LABEL} {{id: 'graph'}}) RETURN c.load, c.done")
        known = int(rows[0][1] or 0) if rows and rows[0][0] == load else 0
        if not known:
            own = f"CREATE CONSTRAINT IF NOT EXISTS FOR (n:{LABEL}) REQUIRE n.id IS UNIQUE"
            self._write([(statement, {}) for statement in (own, *constraints(graph))])
            types = {row[0] for row in self._run("CALL db.relationshipTypes()")}
            self._write([(statement, {}) for statement in adoptions(graph, types)])
        done, total = 0, graph.node_count + graph.edge_count
        for number, part in enumerate(batches(graph, batch), start=1):
            if number > known:
                ledger = (
                    f"MERGE (c:{LABEL} {{id: 'graph'}}) SET c.load = $load, c.done = $done",
                    {"load": load, "done": number},
                )
                self._write([(part.statement, {"rows": part.rows}), ledger])
            done += len(part.rows)
            if progress is not None:
                progress(done, total, part.what)
        final = f"MERGE (c:{LABEL} {{id: 'graph'}}) SET c.card = $card REMOVE c.load, c.done"
        self._write([(final, {"card": card.text()})])

    def _write_back(self, graph: KnowledgeGraph, progress: Progress | None, batch: int) -> None:
        """Send what differs from what is there; see ``matching``."""
        assert graph.origin is not None
        keys = {n: k.property for n, k in graph.origin.keys.items() if k.property is not None}
        known = {row[0] for row in self._run("MATCH (n) UNWIND labels(n) AS l RETURN DISTINCT l")}
        types = {row[0] for row in self._run("MATCH ()-[r]->() RETURN DISTINCT type(r)")}
        labels = [name for name in graph.nodes if name in known]
        choice = Choice(labels, [t for _, t, _ in graph.edges if t in types], likely=keys)
        total = graph.node_count + graph.edge_count
        for done, statement in enumerate(changes(graph, self._reader(choice), batch), start=1):
            self._write([statement])
            if progress is not None:
                progress(min(done * batch, total), total, "changes")
        if progress is not None:
            progress(total, total, "changes")

    def _reader(self, choice: Choice) -> Neo4jReader:
        return Neo4jReader(self._run, self._card(), choice, self.uri)

    def ask(
        self,
        cypher: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        limit: int = ROWS,
        timeout_s: float = SECONDS,
        write: bool = False,
    ) -> Answer:
        text = text_of(check(cypher, "neo4j", write=write).tokens)
        if write and self.read_only:
            raise StoreError(f"{self.uri} was opened read-only; open it with read_only=False")
        started = time.perf_counter()

        def read(transaction: Any, rows: list[list[Any]]) -> list[list[Any]]:
            cells = Cells(lambda text, **given: rows_of(transaction, text, given), rows)
            return [[cells.cell(value) for value in row] for row in rows]

        names, rows = self.server.ask(
            text, parameters or {}, limit=limit, timeout_s=timeout_s, write=write, read=read
        )
        if write:
            self._schema = None
        table = table_of(names, rows[:limit])
        return Answer(table, len(rows) > limit, time.perf_counter() - started)
