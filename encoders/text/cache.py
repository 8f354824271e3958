"""Text vectors on disk: one SQLite file, keyed by digests of weights and texts; no text in it."""

import hashlib
import logging
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trefoil.data.files import cache_folder

log = logging.getLogger(__name__)

TABLE = """
create table if not exists vectors (
    encoder blob not null,
    text blob not null,
    vector blob not null,
    tokens integer not null,
    unknown integer not null,
    primary key (encoder, text)
) without rowid
"""
PATIENCE_S = 60.0  # that a process waits for another one to finish writing
AT_ONCE = 500  # keys of one question


def digest(text: str) -> bytes:
    """SHA-256 of a text; lone surrogates are told apart too."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


@dataclass(frozen=True)
class Reading:
    """What an encoder made of one text: its vector, and how many of its tokens it knows not."""

    vector: NDArray[np.float16]
    tokens: int
    unknown: int


class TextCache:
    """Readings by one encoder, shared by all processes that name the same file.

    It only saves time: a file that is damaged is begun anew, and one that cannot be
    opened or written counts as empty.
    """

    def __init__(self, encoder: str, folder: Path | None = None) -> None:
        self.path = (folder or cache_folder()) / "texts.sqlite3"
        self._encoder = digest(encoder)

    def get(self, texts: Iterable[str]) -> dict[str, Reading]:
        """The readings of those texts that have one."""
        by_key = {digest(text): text for text in texts}
        if not by_key or not self.path.is_file():
            return {}
        try:
            with closing(self._open()) as store:
                keys = list(by_key)
                parts = (keys[at : at + AT_ONCE] for at in range(0, len(keys), AT_ONCE))
                found = [row for part in parts for row in self._rows(store, part)]
        except sqlite3.Error as error:
            self._give_up("read", error)
            return {}
        return {
            by_key[key]: Reading(np.frombuffer(vector, np.float16), tokens, unknown)
            for key, vector, tokens, unknown in found
        }

    def add(self, readings: Mapping[str, Reading]) -> None:
        """Keep readings, all or none; what another process wrote in between stays."""
        rows = [
            (self._encoder, digest(text), one.vector.tobytes(), one.tokens, one.unknown)
            for text, one in readings.items()
        ]
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with closing(self._open()) as store, store:
                store.executemany("insert or ignore into vectors values (?, ?, ?, ?, ?)", rows)
        except (sqlite3.Error, OSError) as error:
            self._give_up("written", error)

    def _open(self) -> sqlite3.Connection:
        store = sqlite3.connect(self.path, timeout=PATIENCE_S)
        try:
            store.execute("pragma journal_mode = wal")
            store.execute("pragma synchronous = normal")
            store.execute(TABLE)
        except sqlite3.Error:
            store.close()
            raise
        return store

    def _rows(self, store: sqlite3.Connection, keys: Sequence[bytes]) -> list[tuple]:
        marks = ", ".join("?" * len(keys))
        asked = "select text, vector, tokens, unknown from vectors where encoder = ? and text in"
        return store.execute(f"{asked} ({marks})", (self._encoder, *keys)).fetchall()

    def _give_up(self, what: str, error: Exception) -> None:
        """Say so; a damaged file is taken away, one that is busy or out of reach stays."""
        log.warning(
            "text cache %s cannot be %s: %s; texts are encoded again", self.path, what, error
        )
        damaged = isinstance(error, sqlite3.DatabaseError) and not isinstance(
            error, sqlite3.OperationalError
        )
        if damaged:
            for ending in ("", "-wal", "-shm"):
                Path(f"{self.path}{ending}").unlink(missing_ok=True)
