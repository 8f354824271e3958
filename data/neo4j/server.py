"""A Neo4j server, 5 or later, through its official driver: the only file that imports it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Self, TypeVar

import neo4j
from neo4j import exceptions as faults

from trefoil.data.errors import StoreError

START = "docker run -p 7687:7687 -e NEO4J_AUTH=neo4j/some-password neo4j:5.26"
SCHEMES = ("neo4j", "neo4j+s", "neo4j+ssc", "bolt", "bolt+s", "bolt+ssc")
RETRY_S = 30.0
FETCH = 10_000

Found = TypeVar("Found")
Row = tuple[Any, ...]


class Neo4jServer:
    """A line to one database of a server.

    User and password come from ``auth`` or ``NEO4J_USERNAME`` and
    ``NEO4J_PASSWORD``, the database from ``database`` or ``NEO4J_DATABASE``.
    ``neo4j+s://`` wants a certificate that the system trusts, or the one in the
    file ``NEO4J_CERTIFICATE``; ``neo4j+ssc://`` takes any. Broken connections
    are tried again for ``retry_s`` seconds. Failures of the driver are StoreError.
    """

    def __init__(
        self,
        uri: str,
        *,
        auth: tuple[str, str] | None = None,
        database: str | None = None,
        retry_s: float = RETRY_S,
    ) -> None:
        self.uri = uri
        self.database = database or os.environ.get("NEO4J_DATABASE") or None
        self._driver: neo4j.Driver | None = None
        self.user = auth[0] if auth else os.environ.get("NEO4J_USERNAME", "neo4j")
        password = auth[1] if auth else os.environ.get("NEO4J_PASSWORD")
        with self.explained():
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
            with self.explained():
                # fails at once where a query would be tried again
                self._driver.verify_connectivity()
                refuse_old(self._driver.get_server_info().agent)
            self.rows("RETURN 1")  # is there such a database?
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Give the connections back; closing twice is harmless."""
        if self._driver is not None:
            self._driver.close()
            self._driver = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def session(self, write: bool = False, fetch: int = FETCH) -> Iterator[neo4j.Session]:
        if self._driver is None:
            raise StoreError(f"{self.uri}: the store is closed")
        mode = neo4j.WRITE_ACCESS if write else neo4j.READ_ACCESS
        with (
            self.explained(),
            self._driver.session(
                database=self.database, default_access_mode=mode, fetch_size=fetch
            ) as session,
        ):
            yield session

    def reading(self, work: Callable[[neo4j.ManagedTransaction], Found]) -> Found:
        """One reading transaction; begun again where the line breaks."""
        with self.session() as session:
            return session.execute_read(work)

    def rows(self, statement: str, **parameters: Any) -> list[Row]:
        """All rows of a reading statement of our own."""
        return self.reading(lambda transaction: rows_of(transaction, statement, parameters))

    def columns(self, statement: str) -> tuple[list[str], list[list[Any]]]:
        """Names and values of the columns that a reading statement returns, row by row."""

        def work(transaction: neo4j.ManagedTransaction) -> tuple[list[str], list[list[Any]]]:
            result = transaction.run(statement)  # type: ignore[arg-type]
            names = list(result.keys())
            columns: list[list[Any]] = [[] for _ in names]
            for record in result:
                for column, value in zip(columns, values_of(record), strict=True):
                    column.append(value)
            return names, columns

        return self.reading(work)

    def plan(self, statement: str) -> tuple[str, set[str]]:
        """What the server would do: r, rw, w or s for reading to schema changes; the operators."""

        def work(transaction: neo4j.ManagedTransaction) -> tuple[str, set[str]]:
            summary = transaction.run(f"EXPLAIN {statement}").consume()  # type: ignore[arg-type]
            found, left = set(), [summary.plan or {}]
            while left:
                step = left.pop()
                found.add(str(step.get("operatorType", "")).partition("@")[0])
                left += step.get("children", [])
            return summary.query_type or "", found

        return self.reading(work)

    def write(self, statements: Sequence[tuple[str, Mapping[str, Any]]]) -> list[list[Row]]:
        """One transaction, repeated until acknowledged or ``retry_s`` is over; rows of each."""

        def work(transaction: neo4j.ManagedTransaction) -> list[list[Row]]:
            return [rows_of(transaction, text, given) for text, given in statements]

        with self.session(write=True) as session:
            return session.execute_write(work)

    def ask(
        self,
        statement: str,
        parameters: Mapping[str, Any],
        *,
        limit: int,
        timeout_s: float,
        write: bool,
        read: Callable[[neo4j.ManagedTransaction, list[list[Any]]], Found],
    ) -> tuple[list[str], Found]:
        """Names of columns, and what ``read`` makes of up to ``limit`` rows and one more."""

        @neo4j.unit_of_work(timeout=timeout_s)
        def work(transaction: neo4j.ManagedTransaction) -> tuple[list[str], Found]:
            result = transaction.run(statement, dict(parameters))  # type: ignore[arg-type]
            names, rows = list(result.keys()), []
            for record in result:
                rows.append(list(values_of(record)))
                if len(rows) > limit:
                    break
            result.consume()
            return names, read(transaction, rows)

        with (
            self.session(write=write, fetch=min(limit + 1, FETCH)) as session,
            self.explained(timeout_s),
        ):
            return (session.execute_write if write else session.execute_read)(work)

    @contextmanager
    def explained(self, timeout_s: float = 0) -> Iterator[None]:
        """Failures of the driver in words, with the remedy."""
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
            raise StoreError(self._answered(fault, timeout_s)) from fault
        except faults.DriverError as fault:
            raise StoreError(f"{self.uri}: {_first_line(fault)}") from fault

    def _answered(self, fault: faults.Neo4jError, timeout_s: float) -> str:
        code = fault.code or ""
        if "DatabaseNotFound" in code:
            return (
                f"{self.uri}: there is no database {self.database!r}; set NEO4J_DATABASE to one"
                " that SHOW DATABASES lists, or leave it out for the default"
            )
        if "TransactionTimedOut" in code:
            return (
                f"the statement took longer than {timeout_s:g} s and was stopped;"
                " bound its paths, add LIMIT, or raise the time limit"
            )
        return f"{fault.message or code}"


def rows_of(
    transaction: neo4j.ManagedTransaction, statement: str, parameters: Mapping[str, Any]
) -> list[Row]:
    """All rows of a statement within a transaction."""
    result = transaction.run(statement, dict(parameters))  # type: ignore[arg-type]
    return [values_of(record) for record in result]


def values_of(record: neo4j.Record) -> Row:
    """The values of a record; one that the driver could not read stays what it made of it.

    ``Record.values`` refuses the whole record for one date before year 1.
    """
    try:
        return tuple(record.values())
    except faults.BrokenRecordError:
        return tuple(tuple.__iter__(record))


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


def refuse_old(agent: str) -> None:
    """Raises StoreError for a server older than Neo4j 5."""
    version = agent.rpartition("/")[2]
    major = version.split(".")[0]
    if agent.startswith("Neo4j/") and major.isdigit() and int(major) < 5:
        raise StoreError(f"the server is Neo4j {version}; Trefoil needs 5 or later")


def _first_line(fault: Exception) -> str:
    return str(fault).strip().split("\n")[0]
