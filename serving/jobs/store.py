"""Jobs and what became of them, in SQLite: they outlive the service that began them.

Several services may share a table. Each does its own jobs, and leaves those of others alone as
long as these are there.
"""

import secrets
import sqlite3
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from trefoil.serving.jobs.owner import Owner, lives

State = Literal["waiting", "running", "done", "failed", "stopped"]
_TABLE = """
CREATE TABLE IF NOT EXISTS job (
  id TEXT PRIMARY KEY, run TEXT NOT NULL, kind TEXT NOT NULL, out TEXT NOT NULL,
  state TEXT NOT NULL, said TEXT NOT NULL, made TEXT NOT NULL, began TEXT, ended TEXT,
  owner TEXT NOT NULL DEFAULT ''
) STRICT
"""
_OPEN = "state IN ('waiting', 'running')"
_COLUMNS = ("id", "run", "kind", "out", "state", "said", "made", "began", "ended")


@dataclass(frozen=True)
class Job:
    """Work on a run: its ``kind``, the folder that it writes beside the run, how it stands."""

    id: str
    run: str
    kind: str
    out: str
    state: State
    said: str
    made: str
    began: str | None = None
    ended: str | None = None


class JobStore:
    """The table of jobs; any thread may ask it."""

    def __init__(self, path: Path) -> None:
        """Jobs that were running when their service stopped are failed: nobody watches them."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path, self._lock = path, threading.Lock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute(_TABLE)
        if "owner" not in [row[1] for row in self._db.execute("PRAGMA table_info(job)")]:
            self._db.execute("ALTER TABLE job ADD COLUMN owner TEXT NOT NULL DEFAULT ''")
        self._owner = Owner(path)
        self._end_those_of_the_dead()

    def _end_those_of_the_dead(self) -> None:
        """Jobs whose service is gone are failed."""
        with self._lock:
            rows = self._db.execute(f"SELECT DISTINCT owner FROM job WHERE {_OPEN}").fetchall()
            for (name,) in rows:
                if not lives(self.path, name):
                    self._db.execute(
                        "UPDATE job SET state = 'failed', said = 'the service stopped', ended = ?"
                        f" WHERE owner = ? AND {_OPEN}",
                        (_now(), name),
                    )

    def add(self, run: str, kind: str, out: str) -> Job | None:
        """A job that waits; None where another one, of any service, is to write this folder."""
        self._end_those_of_the_dead()
        job = Job(secrets.token_urlsafe(9), run, kind, out, "waiting", "", _now())
        values = [*(getattr(job, name) for name in _COLUMNS), self._owner.name]
        marks = ", ".join("?" * len(values))
        with self._lock:
            made = self._db.execute(  # one statement: services that ask at once do not both begin
                f"INSERT INTO job ({', '.join(_COLUMNS)}, owner) SELECT {marks} WHERE NOT EXISTS "
                f"(SELECT 1 FROM job WHERE out = ? AND {_OPEN})",
                [*values, out],
            )
        return job if made.rowcount else None

    def owns(self, id: str) -> bool:
        """Whether it is a job of this service, and not of another one that shares the table."""
        with self._lock:
            told = self._db.execute("SELECT owner FROM job WHERE id = ?", (id,)).fetchone()
        return told == (self._owner.name,)

    def change(self, id: str, state: State, said: str = "") -> None:
        """How a job stands now."""
        when = {"running": "began", "done": "ended", "failed": "ended", "stopped": "ended"}
        column = when.get(state)
        more = f", {column} = ?" if column else ""
        values = [state, said, *([_now()] if column else []), id]
        with self._lock:
            self._db.execute(f"UPDATE job SET state = ?, said = ?{more} WHERE id = ?", values)

    def say(self, id: str, said: str) -> None:
        """The newest line of a job that runs."""
        with self._lock:
            self._db.execute("UPDATE job SET said = ? WHERE id = ?", (said, id))

    def find(self, id: str) -> Job | None:
        """A job by its id."""
        return next(iter(self._select("WHERE id = :id", {"id": id})), None)

    def of(self, run: str, most: int = 50) -> list[Job]:
        """The jobs of a run, the newest first."""
        return self._select(
            "WHERE run = :run ORDER BY made DESC, rowid DESC LIMIT :most",
            {"run": run, "most": most},
        )

    def _select(self, rest: str, values: Mapping[str, Any]) -> list[Job]:
        with self._lock:
            rows = self._db.execute(f"SELECT {', '.join(_COLUMNS)} FROM job {rest}", values)
            return [Job(*row) for row in rows]

    def close(self) -> None:
        """Close the file; what waits or runs is nobody's any more."""
        with self._lock:
            self._db.close()
        self._owner.leave()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
