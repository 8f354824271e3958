"""A table of events to ``Interactions``: which column means what, and what counts as one event."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from trefoil.data.errors import ConfigError, DataError
from trefoil.data.interactions import Bools, Categorical, Floats, Interactions, Ints
from trefoil.data.readers import columns as read
from trefoil.data.readers.moments import UNITS, moments
from trefoil.data.readers.quarantine import Sieve
from trefoil.data.readers.tables import Table
from trefoil.data.suggest import closest
from trefoil.data.vocabulary import Vocabulary

PARTS = {"train": 0, "valid": 1, "test": 2}


@dataclass(frozen=True)
class EventColumns:
    """Names of the columns of an event table; None where there is none.

    Rows rated lower than ``positive_from`` are no positives; nor are rows whose
    behaviour is none of ``target``, nor rows where the column ``positive`` holds
    0 or false. ``time_format`` is written as strftime has it; ``time_unit`` is
    that of Unix times. Raises ConfigError where an entry changes nothing.
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
    target: tuple[str, ...] = ()
    time_format: str | None = None
    time_unit: Literal["s", "ms", "us", "ns"] = "s"

    def __post_init__(self) -> None:
        if isinstance(self.target, str):
            object.__setattr__(self, "target", (self.target,))
        if self.positive_from is not None and self.rating is None:
            raise ConfigError("positive_from needs rating, the column of the ratings")
        if self.target and self.behaviour is None:
            raise ConfigError("target needs behaviour, the column of the kinds of event")
        if self.time is None and (self.time_format is not None or self.time_unit != "s"):
            raise ConfigError("time_format and time_unit need time, the column of the times")
        if self.time_format is not None and self.time_unit != "s":
            raise ConfigError("time_unit changes nothing beside time_format; keep one of them")
        if self.time_unit not in UNITS:
            raise ConfigError(f"time_unit is {self.time_unit!r}; {closest(self.time_unit, UNITS)}")


@dataclass(frozen=True)
class Events:
    """Events as read, ids still as text.

    ``duplicates`` counts rows that said the same again, ``conflicts`` rows that
    said it with another rating. ``compact_times`` says that numbers such as
    20261128 were read as days.
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
    compact_times: bool = False

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
    return _once(read_rows(table, names, sieve))


def read_rows(table: Table, names: EventColumns, sieve: Sieve) -> Events:
    """The usable events in file order, each row one event.

    Raises DataError where too many are not, or none is.
    """
    user = sieve.ids(names.user, "user")
    item = sieve.ids(names.item, "item")
    stars = at = part = None
    compact = False
    if names.rating is not None:
        stars, bad = read.numbers(sieve.cells(names.rating, "rating", numeric=True))
        sieve.refuse(bad, "rating is no finite number", names.rating)
    if names.time is not None:
        at, compact = _times(names, sieve)
    if names.split is not None:
        part = _parts(table.column(names.split, "split"), names.split, sieve)
    kind = None if names.behaviour is None else sieve.cells(names.behaviour, "behaviour")
    positive = _positive(names, stars, kind, sieve)
    kept = sieve.good
    sieve.judge()
    if not kept.any():
        raise DataError(f"{table.source}: no usable event; add rows or mend the ones set aside")
    scenario = {
        name: read.codes(sieve.cells(name, "scenario").filter(kept)) for name in names.scenario
    }
    cut = _cutter(kept)
    kinds = None if kind is None else read.codes(kind.filter(kept))
    return Events(
        user.filter(kept), item.filter(kept), positive[kept], cut(stars), cut(at), kinds, scenario,
        cut(part), 0, 0, compact,
    )  # fmt: skip


def _times(names: EventColumns, sieve: Sieve) -> tuple[Ints, bool]:
    """UTC seconds, and whether numbers such as 20261128 were read as days."""
    column = sieve.cells(names.time or "", "time", numeric=True)
    found = moments(column, names.time_format, names.time_unit)
    reason = f"time does not follow time_format {names.time_format!r}"
    if names.time_format is None:
        reason = "time is neither Unix seconds nor ISO 8601; name time_format for another way"
    sieve.refuse(found.unreadable, reason, names.time)
    far = 'time is beyond the year 9999; name time_unit = "ms" where times are milliseconds'
    sieve.refuse(found.far, far, names.time)
    return found.at, found.compact


def _positive(
    names: EventColumns, stars: Floats | None, kind: pl.Series | None, sieve: Sieve
) -> Bools:
    """Which rows count for ranking. Raises DataError for a target that no row has."""
    positive = np.ones(len(sieve.table), bool)
    if names.positive is not None:
        column = sieve.table.column(names.positive, "positive flag")
        flags, bad = read.numbers(_flags(column))
        sieve.refuse(
            bad | ~np.isin(flags, (0, 1)), "positive flag is neither 0 nor 1", names.positive
        )
        positive &= flags == 1
    if names.positive_from is not None and stars is not None:
        positive &= ~(stars < np.float32(names.positive_from))
    if names.target and kind is not None:
        texts = read.texts(kind).str.strip_chars()
        there = set(texts.filter(texts != "").unique())
        for one in names.target:
            if one not in there:
                raise DataError(
                    f"{sieve.table.source}: target {one!r} is no value of column "
                    f"{names.behaviour!r}; {closest(one, sorted(there))}"
                )
        positive &= texts.is_in(list(names.target)).to_numpy()
    return positive


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
        cut(events.part), len(frame) - said, said - len(rows), events.compact_times,
    )  # fmt: skip


def _cutter(rows: np.ndarray) -> Callable:
    return lambda column: None if column is None else column[rows]


def _flags(series: pl.Series) -> pl.Series:
    if series.dtype == pl.String:
        low = series.str.to_lowercase()
        return low.replace({"true": "1", "false": "0", "": None}).fill_null("x")
    return series.fill_null(2) if series.dtype.is_numeric() else series


def _parts(series: pl.Series, name: str, sieve: Sieve) -> np.ndarray:
    text = read.texts(series).str.strip_chars()
    part = text.replace_strict(PARTS, default=-1, return_dtype=pl.Int8).to_numpy().copy()
    sieve.refuse(part < 0, "split is none of train, valid, test", name)
    return part
