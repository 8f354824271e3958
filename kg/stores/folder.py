"""A store's folder, replaced as a whole: built beside its place, then renamed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A fresh folder that takes the place of ``path`` when the block ends without an error.

    Open readers keep the old files. What a killed writer left behind is cleared in the end.
    """
    fresh, old = _beside(path, f"new-{os.getpid()}"), _beside(path, f"old-{os.getpid()}")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    try:
        yield fresh
        for file in fresh.iterdir():
            with file.open("rb") as handle:
                os.fsync(handle.fileno())
        if path.exists():
            path.rename(old)
        fresh.rename(path)
        shutil.rmtree(old, ignore_errors=True)
        for left in _left(path):
            if not _runs(left):
                shutil.rmtree(left, ignore_errors=True)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def found(path: Path, file: str) -> Path:
    """The folder where the store lies that belongs at ``path``.

    A writer that was killed between two renames leaves the whole new store, and the
    whole old one, under hidden names: the new one is as good as in place.
    """
    if path.exists():
        return path
    whole = [left for left in _left(path) if (left / file).is_file()]
    return min(whole, key=lambda left: (".new-" not in left.name, left.name), default=path)


def _beside(path: Path, what: str) -> Path:
    return path.with_name(f".{path.name}.{what}")


def _left(path: Path) -> list[Path]:
    if not path.parent.is_dir():
        return []
    return [
        other
        for other in path.parent.iterdir()
        if other.name.startswith((f".{path.name}.new-", f".{path.name}.old-"))
    ]


def _runs(left: Path) -> bool:
    """Whether the writer whose number a folder carries is still there."""
    try:
        os.kill(int(left.name.rpartition("-")[2]), 0)
    except (ValueError, ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass
    return True
