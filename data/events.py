"""A table of events to ``Interactions``: which column means what, and what counts as one event."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl

from data import columns as read
from data.errors import DataError
from data.interactions import Bools, Categorical, Floats, Interactions, Ints
from data.sieve import Sieve
from data.tables import Table
from data.vocabulary import Vocabulary

PARTS = {"train": 0, "valid": 1, "test": 2}


@dataclass(frozen=True)
class EventColumns:
    """Names of the columns of an event table; None where there is none.

    Rows rated lower than ``positive_from`` are no positives; nor are rows where
    the column ``positive`` holds 0 or false.
    """

    user: str
    item: str
    rating: str | None = None
    positive_from: float | None = None
    time: str | None = None
    behaviour: str | None = None
    scenario: tuple[str, ...] = ()
    split: str | None = None
    positive: str | None = None


@dataclass(frozen=True)
class Events:
    """Events as read, ids still as text.

    ``duplicates`` counts rows that said the same again, ``conflicts`` rows that
    said it with another rating.
    """

    user: pl.Series
    item: pl.Series
    positive: Bools
    stars: Floats | None
    at: Ints | None
    kind: Categorical | None
    scenario: dict[str, Categorical]
    part: np.ndarray | None
    duplicates: int
    conflicts: int

    def rows(self, users: Vocabulary, items: Vocabulary) -> Interactions:
        return Interactions(
            read.encode(self.user, users),
            read.encode(self.item, items),
            self.positive,
            self.stars,
            self.at,
            self.kind,
            self.scenario,
            self.part,
        )


def read_events(table: Table, names: EventColumns, sieve: Sieve) -> Events:
    """The usable events in file order; one event is kept once.

    Rows that agree in user, item, time, behaviour, scenario, part and being
    positive are one event. Where only their ratings differ, the highest is
    kept: a choice that does not depend on the order of rows.
    """
    user = read.ids(table.column(names.user, "user id"), table.source)
    item = read.ids(table.column(names.item, "item id"), table.source)
    sieve.refuse((user == "").to_numpy(), "empty user id")
    sieve.refuse((item == "").to_numpy(), "empty item id")
    stars = at = kind = part = None
    if names.rating is not None:
        stars, bad = read.numbers(table.column(names.rating, "rating"))
        sieve.refuse(bad, "rating is no finite number")
    if names.time is not None:
        at, unreadable, far = read.moments(table.column(names.time, "time"))
        sieve.refuse(unreadable, "time is neither Unix seconds nor ISO 8601")
        sieve.refuse(far, "time is beyond the year 9999; give seconds, not milliseconds")
    if names.split is not None:
        part = _parts(table.column(names.split, "split"), sieve)
    positive = np.ones(len(table), bool)
    if names.positive is not None:
        flags, bad = read.numbers(_flags(table.column(names.positive, "positive flag")))
        sieve.refuse(bad | ~np.isin(flags, (0, 1)), "positive flag is neither 0 nor 1")
        positive &= flags == 1
    if names.positive_from is not None:
        if stars is None:
            raise DataError(f"{table.source}: positive_from needs a rating column")
        positive &= ~(stars < np.float32(names.positive_from))
    kept = sieve.good
    sieve.judge()
    if not kept.any():
        raise DataError(f"{table.source}: no usable event; add rows or mend the ones set aside")
    if names.behaviour is not None:
        kind = read.codes(table.column(names.behaviour, "behaviour").filter(kept))
    scenario = {
        name: read.codes(table.column(name, "scenario").filter(kept)) for name in names.scenario
    }
    cut = _cutter(kept)
    events = Events(
        user.filter(kept), item.filter(kept), positive[kept], cut(stars), cut(at), kind, scenario,
        cut(part), 0, 0,
    )  # fmt: skip
    return _once(events)


def _once(events: Events) -> Events:
    """Each event once, in the place where it first came up."""
    keys = {"user": events.user, "item": events.item, "positive": events.positive}
    typed = {"at": events.at, "part": events.part}
    keys |= {name: column for name, column in typed.items() if column is not None}
    if events.kind is not None:
        keys["kind"] = events.kind.codes
    keys |= {f"scenario {name}": column.codes for name, column in events.scenario.items()}
    frame = pl.DataFrame({name: pl.Series(name, column) for name, column in keys.items()})
    names = frame.columns
    frame = frame.with_row_index("row")
    stars = events.stars
    if stars is not None:
        frame = frame.with_columns(stars=pl.Series(stars).fill_nan(None))
    if not frame.select(names).is_duplicated().any():
        return events
    exact = [*names, "stars"] if stars is not None else names
    said = frame.select(exact).n_unique()
    groups = frame.group_by(names, maintain_order=True).agg(
        pl.col("row").min(), *([pl.col("stars").max()] if stars is not None else [])
    )
    groups = groups.sort("row")
    rows = groups["row"].cast(pl.Int64).to_numpy()
    cut = _cutter(rows)
    kept_stars = None if stars is None else groups["stars"].fill_null(np.nan).to_numpy().copy()
    return Events(
        events.user[rows], events.item[rows], events.positive[rows], kept_stars, cut(events.at),
        None if events.kind is None else events.kind.take(rows),
        {name: column.take(rows) for name, column in events.scenario.items()},
        cut(events.part), len(frame) - said, said - len(rows),
    )  # fmt: skip


def _cutter(rows: np.ndarray) -> Callable:
    return lambda column: None if column is None else column[rows]


def _flags(series: pl.Series) -> pl.Series:
    if series.dtype == pl.String:
        low = series.str.to_lowercase()
        return low.replace({"true": "1", "false": "0", "": None}).fill_null("x")
    return series.fill_null(2) if series.dtype.is_numeric() else series


def _parts(series: pl.Series, sieve: Sieve) -> np.ndarray:
    text = series.cast(pl.String).fill_null("").str.strip_chars()
    part = text.replace_strict(PARTS, default=-1, return_dtype=pl.Int8).to_numpy().copy()
    sieve.refuse(part < 0, "split is none of train, valid, test")
    return part
