"""The log of a run: every change since it was saved, in order, on the disk before it counts."""

import json
import logging
import os
import sqlite3
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, NamedTuple

from trefoil.data.errors import ConfigError, DataError

log = logging.getLogger(__name__)

EVENT = "event"
FILE, LOCK = "log.sqlite", "lock"
NO_LOG = (sqlite3.SQLITE_ERROR, sqlite3.SQLITE_NOTADB)  # no table of ours, no database
ROW = ("id", "user", "item", "at", "stars", "positive", "kind", "context")  # of an event
SCHEMA = """
CREATE TABLE IF NOT EXISTS changes(
  seq INTEGER PRIMARY KEY AUTOINCREMENT, what TEXT NOT NULL, id TEXT UNIQUE, user TEXT, item TEXT,
  at INTEGER, stars REAL, positive INTEGER, kind TEXT, context TEXT, body TEXT);
CREATE INDEX IF NOT EXISTS by_user ON changes(user);
CREATE TABLE IF NOT EXISTS about(name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


class Change(NamedTuple):
    """One line of the log: an event, or a call of another kind with its arguments."""

    seq: int
    what: str
    event: tuple[Any, ...]  # as ROW
    body: Any


def place_of(run: Path) -> Path:
    """The folder beside a run that holds its log; the run itself stays as its manifest says."""
    return run.with_name(f"{run.name}.live")


class Log:
    """SQLite in WAL mode: a change is on the disk when ``append`` returns, or not there at all.

    ``synchronous=FULL`` syncs every commit, so that a loss of power loses nothing either.
    One process writes; others may read. Without a place the log lies in memory.
    """

    def __init__(self, folder: Path | None, lineage: str, base: str, number: int) -> None:
        """``lineage`` and ``base`` name the run; changes up to ``number`` are in it."""
        self.folder, self.lineage, self.base, self.number = folder, lineage, base, number
        self._sql: sqlite3.Connection | None = None
        self._lock: int | None = None
        if folder is None:
            self._sql = self._opened(":memory:")

    @classmethod
    def in_memory(cls, number: int = 0) -> "Log":
        """A log for a recommender that was not saved."""
        return cls(None, uuid.uuid4().hex, "", number)

    @property
    def writing(self) -> bool:
        """Whether this process may write."""
        return self.folder is None or self._lock is not None

    def claim(self) -> None:
        """Become the one writer.

        Raises ConfigError where another process is, DataError where the log cannot be read.
        """
        if self.writing:
            return
        assert self.folder is not None
        self.folder.mkdir(parents=True, exist_ok=True)
        self._lock = locked(self.folder / LOCK, self.folder)
        try:
            self._connect(make=True)
        except BaseException:
            self.close()
            raise

    def rows(self, after: int) -> Iterator[Change]:
        """Changes behind that number, in order, as one consistent state."""
        self._connect(make=False)
        if self._sql is None:
            return
        asked = f"SELECT seq, what, {', '.join(ROW)}, body FROM changes WHERE seq > ? ORDER BY seq"
        for seq, what, *event, body in self._sql.execute(asked, (after,)):
            yield Change(seq, what, tuple(event), None if body is None else json.loads(body))

    def known(self, ids: Iterable[str]) -> set[str]:
        """Which of these event ids were taken before."""
        assert self._sql is not None
        asked = "SELECT id FROM changes WHERE id = ?"
        return {one for one in ids if self._sql.execute(asked, (one,)).fetchone()}

    def changes_of(self, what: str) -> list[Any]:
        """The arguments of all changes of one kind, in order."""
        assert self._sql is not None
        found = self._sql.execute("SELECT body FROM changes WHERE what = ? ORDER BY seq", (what,))
        return [json.loads(body) for (body,) in found]

    def lines_of(self, user: str) -> list[dict[str, Any]]:
        """The events of a user as they were told, in order."""
        self._connect(make=False)
        if self._sql is None:
            return []
        asked = f"SELECT {', '.join(ROW)} FROM changes WHERE user = ? ORDER BY seq"
        rows = [dict(zip(ROW, row, strict=True)) for row in self._sql.execute(asked, (user,))]
        return [{name: value for name, value in row.items() if value is not None} for row in rows]

    def forget(self, users: Iterable[str], kinds: Sequence[str]) -> None:
        """Overwrite the events of these users, and changes of these kinds that name them.

        So are they in logs that were set aside. Numbers of changes are not given again.
        """
        assert self._sql is not None
        people = list(users)
        self._overwritten(self._sql, people, kinds)
        for other in [] if self.folder is None else sorted(self.folder.glob("log-*.sqlite")):
            with closing(sqlite3.connect(other, isolation_level=None)) as sql:
                sql.execute("PRAGMA secure_delete=ON")
                self._overwritten(sql, people, kinds)

    def _overwritten(
        self, sql: sqlite3.Connection, people: Sequence[str], kinds: Sequence[str]
    ) -> None:
        for person in people:
            sql.execute("DELETE FROM changes WHERE user = ?", (person,))
        for what in kinds:
            held = sql.execute("SELECT seq, body FROM changes WHERE what = ?", (what,)).fetchall()
            named = [(seq,) for seq, body in held if set(json.loads(body)) & set(people)]
            sql.executemany("DELETE FROM changes WHERE seq = ?", named)
        sql.execute("VACUUM")
        sql.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def append(self, what: str, events: Sequence[Sequence[Any]] = (), body: Any = None) -> int:
        """Write events, or one change of another kind; the number of the last one."""
        assert self._sql is not None
        marks = ", ".join("?" * len(ROW))
        with self._transaction():
            if events:
                self._sql.executemany(
                    f"INSERT INTO changes(what, {', '.join(ROW)}) VALUES('{EVENT}', {marks})",
                    events,
                )
            else:
                self._sql.execute(
                    "INSERT INTO changes(what, body) VALUES(?, ?)", (what, _text(body))
                )
            return self.last()

    def take(self, changes: Sequence[Change]) -> None:
        """Write changes of another log under the numbers that they have there."""
        assert self._sql is not None
        marks = ", ".join("?" * (3 + len(ROW)))
        rows = [
            (one.seq, one.what, *one.event, None if one.body is None else _text(one.body))
            for one in changes
        ]
        with self._transaction():
            self._sql.executemany(
                f"INSERT INTO changes(seq, what, {', '.join(ROW)}, body) VALUES({marks})", rows
            )

    def last(self) -> int:
        """The number of the newest change that ever was."""
        assert self._sql is not None
        found = self._sql.execute("SELECT seq FROM sqlite_sequence WHERE name = 'changes'")
        row = found.fetchone()
        return max(self.number, row[0] if row else 0)

    def copied_to(self, folder: Path, base: str) -> None:
        """The same log beside another run, which holds all changes."""
        self._connect(make=False)
        folder.mkdir(parents=True, exist_ok=True)
        beside, place = folder / f".{FILE}.new", folder / FILE
        for old in (beside, *_parts(place)):
            old.unlink(missing_ok=True)
        if self._sql is None:
            return
        with closing(sqlite3.connect(beside)) as other:
            self._sql.backup(other)
            other.execute("INSERT OR REPLACE INTO about VALUES('base', ?)", (base,))
            other.commit()
        beside.rename(place)

    def close(self) -> None:
        """Give the place back; in memory all is gone."""
        if self._sql is not None:
            self._sql.close()
            self._sql = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __del__(self) -> None:
        with suppress(Exception):
            self.close()

    def _connect(self, *, make: bool) -> None:
        if self._sql is not None or self.folder is None:
            return
        file = self.folder / FILE
        if file.exists() and not self._own(file):
            if not make:
                return
            aside = self.folder / f"log-{uuid.uuid4().hex[:8]}.sqlite"
            for old, new in zip(_parts(file), _parts(aside), strict=True):
                with suppress(FileNotFoundError):
                    old.rename(new)  # what a killed writer told last is in the file beside it
            log.warning("%s: of another run; set aside as %s", file, aside.name)
        if file.exists() or make:
            self._sql = self._opened(str(file))

    def _opened(self, name: str) -> sqlite3.Connection:
        try:
            sql = sqlite3.connect(name, check_same_thread=False, isolation_level=None, timeout=10)
            sql.execute("PRAGMA journal_mode=WAL")
            sql.execute("PRAGMA synchronous=FULL")
            sql.execute("PRAGMA secure_delete=ON")
            sql.executescript(SCHEMA)
            for key, value in (("lineage", self.lineage), ("base", self.base)):
                sql.execute("INSERT OR IGNORE INTO about VALUES(?, ?)", (key, value))
            held = sql.execute("SELECT 1 FROM sqlite_sequence WHERE name = 'changes'").fetchone()
            if not held and self.number:
                sql.execute("INSERT INTO sqlite_sequence VALUES('changes', ?)", (self.number,))
            found = sql.execute("SELECT value FROM about WHERE name = 'lineage'").fetchone()
            self.lineage = found[0]
            return sql
        except sqlite3.Error as fault:
            raise DataError(f"{name}: no log that can be used: {fault}") from None

    def _own(self, file: Path) -> bool:
        """Whether a log was written for this run, or for the one that it was saved from."""
        about = told(file)
        return about.get("lineage") == self.lineage or (
            bool(self.base) and about.get("base") == self.base
        )

    def _transaction(self) -> "_Transaction":
        assert self._sql is not None
        return _Transaction(self._sql)


class _Transaction:
    """All or nothing."""

    def __init__(self, sql: sqlite3.Connection) -> None:
        self.sql = sql

    def __enter__(self) -> None:
        self.sql.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: object, *_: object) -> None:
        self.sql.execute("ROLLBACK" if kind else "COMMIT")


def told(file: Path) -> dict[str, str]:
    """What a log says of its run; nothing where it says nothing.

    Raises DataError where it cannot be read, as on a full disk: it may well be the run's own.
    """
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as sql:
            return dict(sql.execute("SELECT name, value FROM about"))
    except sqlite3.DatabaseError as fault:
        if fault.sqlite_errorcode in NO_LOG:
            return {}
        raise DataError(f"{file}: cannot be read: {fault}") from None


def _text(body: Any) -> str:
    return json.dumps(body, ensure_ascii=False)


def _parts(file: Path) -> tuple[Path, ...]:
    """The files of a database."""
    return file, *(file.with_name(file.name + end) for end in ("-wal", "-shm", "-journal"))


def locked(file: Path, place: Path) -> int:
    """A lock that goes when its holder does. Raises ConfigError where another holds it."""
    import fcntl

    handle = os.open(file, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise ConfigError(
            f"{place}: another process is writing this log; give changes to that one, or load the "
            "run with live=False, which keeps changes in memory"
        ) from None
    return handle
