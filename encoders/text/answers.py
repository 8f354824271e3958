"""Answers of an instruct model on disk, by digests of model and question; no question in it."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from trefoil.data.files import cache_folder
from trefoil.encoders.text.cache import PATIENCE_S, digest

ANSWERS, OF_PEOPLE = "answers.sqlite3", "answers-of-people.sqlite3"  # in the cache folder
TABLE = """
create table if not exists answers (
    writer blob not null,
    asked blob not null,
    answer text not null,
    primary key (writer, asked)
) without rowid
"""


@dataclass(frozen=True)
class Answers:
    """What one writer answered, in an open file."""

    store: sqlite3.Connection
    writer: bytes

    def known(self, asked: Sequence[str]) -> dict[str, str]:
        """The questions that were answered, with their answers."""
        found = {}
        for one in dict.fromkeys(asked):
            row = self.store.execute(
                "select answer from answers where writer = ? and asked = ?",
                (self.writer, digest(one)),
            ).fetchone()
            if row:
                found[one] = row[0]
        return found

    def keep(self, answers: Mapping[str, str]) -> None:
        """Write answers by question; they are on disk when this returns."""
        rows = [(self.writer, digest(asked), told) for asked, told in answers.items()]
        with self.store:
            self.store.executemany("insert or replace into answers values (?, ?, ?)", rows)


@contextmanager
def kept_answers(
    writer: bytes, cache: Path | None = None, *, of_people: bool = False
) -> Iterator[Answers]:
    """The answers of a writer; those that tell of people lie in a file of their own."""
    path = (cache or cache_folder()) / (OF_PEOPLE if of_people else ANSWERS)
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path, timeout=PATIENCE_S)) as store:
        store.execute(TABLE)
        yield Answers(store, writer)


def forget_answers(cache: Path | None = None) -> bool:
    """Remove all answers that tell of people; whether there were any.

    Digests tell nobody's answer from another's, so they go together.
    """
    path = (cache or cache_folder()) / OF_PEOPLE
    there = path.exists()
    for part in ("", "-journal", "-wal", "-shm"):
        path.with_name(path.name + part).unlink(missing_ok=True)
    return there
