"""Neo4j 5 or later, through its official driver: the only file that imports it."""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import neo4j
from neo4j import exceptions as faults

from trefoil.data.errors import StoreError
from trefoil.data.progress import Progress
from trefoil.kg.cypher.guard import check
from trefoil.kg.cypher.tokens import text_of
from trefoil.kg.graph import KnowledgeGraph
from trefoil.kg.stores.base import ROWS, SECONDS, Answer, GraphStore, Schema
from trefoil.kg.stores.neo4j.manifest import LABEL, Card
from trefoil.kg.stores.neo4j.reader import Neo4jReader
from trefoil.kg.stores.neo4j.values import Cells
from trefoil.kg.stores.neo4j.writer import BATCH, adoptions, batches, constraints, fingerprint
from trefoil.kg.stores.values import table_of

START = "docker run -p 7687:7687 -e NEO4J_AUTH=neo4j/some-password neo4j:5.26"
SCHEMES = ("neo4j", "neo4j+s", "neo4j+ssc", "bolt", "bolt+s", "bolt+ssc")
RETRY_S = 30.0
FETCH = 10_000


class Neo4jStore(GraphStore):
    """A database of a Neo4j server.

    User and password come from ``auth`` or ``NEO4J_USERNAME`` and
    ``NEO4J_PASSWORD``, the database from ``database`` or ``NEO4J_DATABASE``.
    ``neo4j+s://`` wants a certificate that the system trusts, or the one in the
    file ``NEO4J_CERTIFICATE``; ``neo4j+ssc://`` takes any. Broken connections
    are tried again for ``retry_s`` seconds.
    """

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
        self.database = database or os.environ.get("NEO4J_DATABASE") or None
        self._schema: Schema | None = None
        self._driver: neo4j.Driver | None = None
        self.user = auth[0] if auth else os.environ.get("NEO4J_USERNAME", "neo4j")
        password = auth[1] if auth else os.environ.get("NEO4J_PASSWORD")
        with self._explained():
            uri, trust = _trusted(uri)
            self._driver = neo4j.GraphDatabase.driver(
                uri,
                auth=None if password is None else (self.user, password),
                connection_timeout=5,
                connection_acquisition_timeout=15,
                max_transaction_retry_time=retry_s,
                fetch_size=FETCH,
                user_agent="trefoil",
                notifications_min_severity="OFF",
                **trust,
            )
        try:
            with self._explained():
                # fails at once where a query would be tried again
                self._driver.verify_connectivity()
                _refuse_old(self._driver.get_server_info().agent)
            self._run("RETURN 1")  # is there such a database?
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        if self._driver is not None:
            self._driver.close()
            self._driver = None

    @contextmanager
    def _session(self, write: bool = False, fetch: int = FETCH) -> Iterator[neo4j.Session]:
        if self._driver is None:
            raise StoreError(f"{self.uri}: the store is closed")
        mode = neo4j.WRITE_ACCESS if write else neo4j.READ_ACCESS
        with (
            self._explained(),
            self._driver.session(
                database=self.database, default_access_mode=mode, fetch_size=fetch
            ) as session,
        ):
            yield session

    def _run(self, statement: str, **parameters: Any) -> list[tuple[Any, ...]]:
        """All rows of a reading statement of our own."""

        def work(transaction: neo4j.ManagedTransaction) -> list[tuple[Any, ...]]:
            result = transaction.run(statement, parameters)  # type: ignore[arg-type]
            return [tuple(record.values()) for record in result]

        with self._session() as session:
            return session.execute_read(work)

    @contextmanager
    def _explained(self, timeout_s: float = 0) -> Iterator[None]:
        try:
            yield
        except faults.AuthError as fault:
            raise StoreError(
                f"{self.uri}: the server refused user {self.user!r} or the password;"
                " set NEO4J_USERNAME and NEO4J_PASSWORD"
            ) from fault
        except (faults.ServiceUnavailable, faults.SessionExpired) as fault:
            raise StoreError(
                f"{self.uri}: no Neo4j server answers ({_first_line(fault)}); check address, port"
                f" and encryption (neo4j+s://, neo4j+ssc://), or start one: {START}"
            ) from fault
        except (faults.ConfigurationError, ValueError) as fault:
            raise StoreError(f"{self.uri}: {_first_line(fault)}") from fault
        except faults.Neo4jError as fault:
            code = fault.code or ""
            if "DatabaseNotFound" in code:
                raise StoreError(
                    f"{self.uri}: there is no database {self.database!r}; set NEO4J_DATABASE to one"
                    " that SHOW DATABASES lists, or leave it out for the default"
                ) from fault
            if "TransactionTimedOut" in code:
                raise StoreError(
                    f"the statement took longer than {timeout_s:g} s and was stopped;"
                    " bound its paths, add LIMIT, or raise the time limit"
                ) from fault
            raise StoreError(f"{fault.message or code}") from fault
        except faults.DriverError as fault:
            raise StoreError(f"{self.uri}: {_first_line(fault)}") from fault

    def _card(self) -> Card:
        rows = self._run(f"MATCH (c:{LABEL} {{id: 'graph'}}) RETURN c.card")
        return Card.parse(rows[0][0] if rows else None)

    def schema(self) -> Schema:
        """What there is; found by one pass over the database, then remembered."""
        if self._schema is None:
            self._schema = Neo4jReader(self._run, self._card()).schema()
        return self._schema

    def read(
        self,
        *,
        labels: Collection[str] | None = None,
        relationships: Collection[str] | None = None,
        properties: Collection[str] | None = None,
        key: str = "id",
    ) -> KnowledgeGraph:
        return Neo4jReader(
            self._run,
            self._card(),
            labels=labels,
            relationships=relationships,
            properties=properties,
            key=key,
        ).graph()

    def write(
        self, graph: KnowledgeGraph, progress: Progress | None = None, *, batch: int = BATCH
    ) -> None:
        """Merge a graph into the database; what else is there stays.

        A ledger, kept in the same transactions as the batches, lets the same
        call go on where a broken one ended. Raises StoreError if the server
        stays away for longer than ``retry_s``.
        """
        if self.read_only:
            raise StoreError(f"{self.uri} was opened read-only; open it with read_only=False")
        card = self._card().merged(Card.of(graph))
        self._schema = None
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

    def _write(self, statements: list[tuple[str, dict[str, Any]]]) -> None:
        """One transaction, repeated until acknowledged or ``retry_s`` is over."""

        def work(transaction: neo4j.ManagedTransaction) -> None:
            for text, parameters in statements:
                transaction.run(text, parameters).consume()  # type: ignore[arg-type]

        with self._session(write=True) as session:
            session.execute_write(work)

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

        @neo4j.unit_of_work(timeout=timeout_s)
        def work(transaction: neo4j.ManagedTransaction) -> tuple[list[str], list[list[Any]]]:
            result = transaction.run(text, dict(parameters or {}))  # type: ignore[arg-type]
            names, rows = list(result.keys()), []
            for record in result:
                rows.append(list(record.values()))
                if len(rows) > limit:
                    break
            result.consume()
            cells = Cells(transaction.run, rows)
            return names, [[cells.cell(value) for value in row] for row in rows]

        with (
            self._session(write=write, fetch=min(limit + 1, FETCH)) as session,
            self._explained(timeout_s),
        ):
            names, rows = (session.execute_write if write else session.execute_read)(work)
        if write:
            self._schema = None
        table = table_of(names, rows[:limit])
        return Answer(table, len(rows) > limit, time.perf_counter() - started)


def _trusted(uri: str) -> tuple[str, dict[str, Any]]:
    """A certificate of one's own is a driver setting, which only plain schemes accept."""
    if uri.split("://")[0] not in SCHEMES:
        raise StoreError(f"{uri}: give {'://, '.join(SCHEMES)}://")
    certificate = os.environ.get("NEO4J_CERTIFICATE")
    if not certificate or "+s://" not in uri:
        return uri, {}
    if not os.path.isfile(certificate):
        raise StoreError(f"NEO4J_CERTIFICATE={certificate!r} is not a file")
    trust = neo4j.TrustCustomCAs(certificate)
    return uri.replace("+s://", "://"), {"encrypted": True, "trusted_certificates": trust}


def _refuse_old(agent: str) -> None:
    version = agent.rpartition("/")[2]
    major = version.split(".")[0]
    if agent.startswith("Neo4j/") and major.isdigit() and int(major) < 5:
        raise StoreError(f"the server is Neo4j {version}; Trefoil needs 5 or later")


def _first_line(fault: Exception) -> str:
    return str(fault).strip().split("\n")[0]
