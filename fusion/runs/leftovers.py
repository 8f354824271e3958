"""One writer at a place, and what a killed one left beside it: finished, put back or swept."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from trefoil.data.errors import ConfigError
from trefoil.data.manifest import MANIFEST


@contextmanager
def claimed(place: Path, *, wait: bool = False) -> Iterator[None]:
    """Hold a place against other processes; the system gives it back when this one dies.

    Raises ConfigError where another process holds it, unless ``wait``.
    """
    lock = _beside(place, "lock")
    handle = _locked(lock, place, wait)
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)
        os.close(handle)


def _locked(lock: Path, place: Path, wait: bool) -> int:
    while True:
        handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            # the holder before may have removed the file between our open and our lock
            if _same(lock, handle):
                return handle
        except BlockingIOError:
            os.close(handle)
            raise ConfigError(
                f"{place}: another process is writing it; wait for it, or name another folder"
            ) from None
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)


def _same(path: Path, handle: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(handle))
    except FileNotFoundError:
        return False


def new_and_old(folder: Path) -> tuple[Path, Path]:
    """Where a new run is filled, and where the old one waits while the names change."""
    return _beside(folder, "new"), _beside(folder, "old")


def put_back(folder: Path) -> None:
    """End what a writer that was killed between two renames had begun.

    Only the holder of the place may ask. The old run goes aside when the new one is
    whole, so where both wait, the new one takes the place.
    """
    new, old = new_and_old(folder)
    if old.exists() and not folder.exists():
        (new if (new / MANIFEST).is_file() else old).rename(folder)
    for dead in (new, old):
        if dead.exists():
            shutil.rmtree(dead)


def restore(folder: Path) -> None:
    """For readers: the run that a killed writer left beside its place, if it did."""
    _, old = new_and_old(folder)
    if old.exists() and not folder.exists():
        with claimed(folder, wait=True):
            put_back(folder)


def _beside(place: Path, what: str) -> Path:
    return place.with_name(f".{place.name}.{what}")
