"""Which services that share a table of jobs are there: each holds a lock as long as it lives."""

import fcntl
import os
import secrets
from contextlib import suppress
from pathlib import Path


class Owner:
    """A service by a name of its own; the system gives its lock back when it dies."""

    def __init__(self, jobs: Path) -> None:
        """``jobs`` is the table, beside which the lock lies."""
        self.name = secrets.token_hex(8)
        self._lock = _lock_of(jobs, self.name)
        self._handle = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        fcntl.flock(self._handle, fcntl.LOCK_EX)

    def leave(self) -> None:
        """From now on this service is gone."""
        self._lock.unlink(missing_ok=True)
        with suppress(OSError):
            os.close(self._handle)


def lives(jobs: Path, name: str) -> bool:
    """Whether the service of this name is there; what a dead one left behind is removed."""
    lock = _lock_of(jobs, name)
    try:
        handle = os.open(lock, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    lock.unlink(missing_ok=True)
    return False


def _lock_of(jobs: Path, name: str) -> Path:
    return jobs.with_name(f".{jobs.name}.{name}.lock")
