"""Sets on which models of order are compared: histories of items, in the order of papers' files.

``beauty`` is Amazon Beauty, 5-core (S3-Rec, CIKM 2020): titles, attributes as categories, no
graph. Its times are whole days, and each event is given a second of its own within its day, so
that the file's order is kept; ``beauty-shuffled`` deals the events of a day in an order drawn
anew, because in the file they ascend by the shop's numbers, which tells the last of a day.
``scientific`` has titles and descriptions, and an order without days.
``movielens-1m-ordered`` is MovieLens-1M in the order of SASRec's file (Kang and McAuley 2018).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl

from trefoil.data.compression import read_bytes
from trefoil.data.dataset import SplitRule
from trefoil.data.errors import DataError
from trefoil.data.interactions import DAY_S
from trefoil.data.readers.assemble import Tables
from trefoil.data.readers.entities import EntityColumns
from trefoil.data.readers.events import EventColumns
from trefoil.data.readers.tables import Table, delimited_table
from trefoil.data.sources.source import Source

SHUFFLE_SEED = 0  # of the order of events of one day, where it is drawn anew
COLUMNS = EventColumns("user", "item", time="at")
RESEARCH = "Amazon review data: research use with citation, no redistribution"


def read_beauty(root: Path, *, shuffled: bool = False) -> Tables:
    """Reviews in order, with titles and attributes (brand and categories) of the products."""
    whose = dict(_lines(root / "gaps_seconds.txt.gz"))
    random = np.random.default_rng(SHUFFLE_SEED)
    events = _Events()
    for user, items in _lines(root / "sequences.txt.gz"):
        day = np.cumsum(np.array(whose[user], np.int64)) // DAY_S
        if shuffled:
            items = [items[row] for row in np.lexsort((random.random(len(day)), day))]
        events.add(user, items, day * DAY_S + np.arange(len(day)))
    path = root / "items.tsv.gz"
    items = delimited_table(read_bytes(path), str(path), "\t")
    return Tables(
        events.table(root),
        COLUMNS,
        items,
        EntityColumns("id", "title", ("title",), ("attributes",)),
    )


def read_scientific(root: Path) -> Tables:
    """Purchases in order, with titles and descriptions."""
    histories = json.loads(read_bytes(root / "inter.json.gz"))
    events = _Events()
    for user, items in histories.items():
        events.add(user, [str(item) for item in items], np.arange(len(items)) * DAY_S)
    told = json.loads(read_bytes(root / "item.json.gz"))
    frame = pl.DataFrame(
        {
            "item": list(told),
            "title": [one["title"] for one in told.values()],
            "about": [one.get("description") or None for one in told.values()],
        },
        schema=dict.fromkeys(("item", "title", "about"), pl.String),
    )
    return Tables(
        events.table(root),
        COLUMNS,
        Table.of(frame, str(root)),
        EntityColumns("item", "title", ("title", "about")),
    )


def read_movielens(root: Path) -> Tables:
    """Ratings as events, in the order of the file; a missing time is that of the event before.

    Events of one second are told apart by a second each, so that the order stays.
    """
    whose = dict(_lines(root / "times.txt.gz"))
    events = _Events()
    for user, items in _lines(root / "sequences.txt.gz"):
        given = pl.Series(whose[user]).cast(pl.Int64, strict=False)
        at = given.fill_null(strategy="forward").fill_null(strategy="backward").to_numpy()
        place = np.arange(len(at))
        events.add(user, items, np.maximum.accumulate(at - place) + place)
    return Tables(events.table(root), COLUMNS)


@dataclass
class _Events:
    """Rows of an event table, gathered history by history."""

    user: list[str] = field(default_factory=list)
    item: list[str] = field(default_factory=list)
    at: list[int] = field(default_factory=list)

    def add(self, user: str, items: Sequence[str], at: np.ndarray) -> None:
        self.user += [user] * len(items)
        self.item += items
        self.at += at.tolist()

    def table(self, root: Path) -> Table:
        frame = pl.DataFrame({"user": self.user, "item": self.item, "at": self.at})
        return Table.of(frame, str(root))


def _lines(path: Path) -> Iterator[tuple[str, list[str]]]:
    """A user and what follows on each line."""
    for number, line in enumerate(read_bytes(path).decode().splitlines(), 1):
        user, *rest = line.split()
        if not rest:
            raise DataError(f"{path}, line {number}: {line[:60]!r} names a user and nothing more")
        yield user, rest


def _source(name: str, licence: str, read: object, folder: str, mark: str, home: str) -> Source:
    return Source(name, licence, read, SplitRule("leave-one-out"), folder, (mark,), home=home)  # type: ignore[arg-type]


S3REC = "https://github.com/RUCAIBox/CIKM2020-S3Rec"
BEAUTY = _source("beauty", RESEARCH, read_beauty, "amazon-beauty-5core", "sequences.txt.gz", S3REC)
BEAUTY_SHUFFLED = _source(
    "beauty-shuffled",
    RESEARCH,
    partial(read_beauty, shuffled=True),
    "amazon-beauty-5core",
    "sequences.txt.gz",
    S3REC,
)
SCIENTIFIC = _source(
    "scientific",
    RESEARCH,
    read_scientific,
    "amazon-scientific-text",
    "inter.json.gz",
    "https://nijianmo.github.io/amazon/",
)
MOVIELENS_1M_ORDERED = _source(
    "movielens-1m-ordered",
    "GroupLens: research use, no redistribution",
    read_movielens,
    "ml-1m-ordered",
    "sequences.txt.gz",
    "https://github.com/kang205/SASRec",
)
