"""Tables of events to ``Interactions``: which column means what, and what counts as one event."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from numbers import Real
from typing import Literal

import numpy as np
import polars as pl

from trefoil.data.errors import ConfigError, DataError
from trefoil.data.given import given
from trefoil.data.interactions import UNKNOWN_TIME, Bools, Floats, Ints
from trefoil.data.readers import columns as read
from trefoil.data.readers.blocks import Blocks
from trefoil.data.readers.event_rows import Events, cutter, once, together
from trefoil.data.readers.moments import UNITS, moments
from trefoil.data.readers.quarantine import Sieve
from trefoil.data.readers.tables import Table
from trefoil.data.suggest import closest

PARTS = {"train": 0, "valid": 1, "test": 2}


@dataclass(frozen=True)
class EventColumns:
    """Names of the columns of an event table; None where there is none.

    Rows rated lower than ``positive_from`` are no positives; nor are rows whose
    behaviour is none of ``target`` and ``interest``, nor rows where the column
    ``positive`` holds 0 or false. Events of ``interest`` are learned from and not
    asked for. ``time_format`` is written as strftime has it; ``time_unit`` is that of
    Unix times. Raises ConfigError where an entry changes nothing.
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
    interest: tuple[str, ...] = ()
    time_format: str | None = None
    time_unit: Literal["s", "ms", "us", "ns"] = "s"

    def __post_init__(self) -> None:
        for name in ("target", "interest"):
            if isinstance(getattr(self, name), str):
                object.__setattr__(self, name, (getattr(self, name),))
        if self.positive_from is not None:
            given("positive_from", self.positive_from, Real, "give a number")
        if self.positive_from is not None and self.rating is None:
            raise ConfigError("positive_from needs rating, the column of the ratings")
        if self.target and self.behaviour is None:
            raise ConfigError("target needs behaviour, the column of the kinds of event")
        if self.interest and not self.target:
            raise ConfigError("interest needs target, the kinds that are asked for")
        if both := set(self.interest) & set(self.target):
            raise ConfigError(f"{min(both)!r} is in target and in interest; keep one of them")
        if self.time is None and (self.time_format is not None or self.time_unit != "s"):
            raise ConfigError("time_format and time_unit need time, the column of the times")
        if self.time_format is not None and self.time_unit != "s":
            raise ConfigError("time_unit changes nothing beside time_format; keep one of them")
        if self.time_unit not in UNITS:
            raise ConfigError(f"time_unit is {self.time_unit!r}; {closest(self.time_unit, UNITS)}")


def read_events(
    blocks: Blocks, names: EventColumns, max_bad_share: float, missing_ids: Sequence[str]
) -> tuple[Events, Sieve]:
    """The usable events in file order, one event once; and what was set aside.

    Of each block only numbers are kept, so that the texts of a file need not fit memory.
    Rows that agree in user, item, time, behaviour, scenario, part and being
    positive are one event. Where only their ratings differ, the highest is
    kept: a choice that does not depend on the order of rows. Whether times are days such as
    20261128 is decided by the first block that has times. Raises DataError, as ``read_rows``.
    """
    users, items = (pl.Categorical(pl.Categories.random()) for _ in range(2))
    found, sieves, targets, compact = [], [], set[str](), None
    for table in blocks:
        sieve = Sieve(table, max_bad_share, missing_ids)
        events, there = _usable(table, names, sieve, compact)
        targets |= there
        found.append(replace(events, user=events.user.cast(users), item=events.item.cast(items)))
        sieves.append(sieve)
        if compact is None and events.at is not None and (events.at != UNKNOWN_TIME).any():
            compact = events.compact_times
    sieve = Sieve.together(sieves)
    _check(sieve, names, targets, sum(len(one.user) for one in found))
    return once(together(found)), sieve


def read_rows(table: Table, names: EventColumns, sieve: Sieve) -> Events:
    """The usable events in file order, each row one event.

    Raises DataError where too many are not, or none is, and for a target that no row has.
    """
    events, targets = _usable(table, names, sieve, None)
    _check(sieve, names, targets, len(events.user))
    return events


def _check(sieve: Sieve, names: EventColumns, kinds: Set[str], usable: int) -> None:
    source = sieve.table.source
    named = {"target": names.target, "interest": names.interest}
    for entry, one in ((entry, one) for entry, told in named.items() for one in told):
        if one not in kinds:
            raise DataError(
                f"{source}: {entry} {one!r} is no value of column {names.behaviour!r}; "
                f"{closest(one, sorted(kinds))}"
            )
    sieve.judge()
    if not usable:
        raise DataError(f"{source}: no usable event; add rows or mend the ones set aside")


def _usable(
    table: Table, names: EventColumns, sieve: Sieve, compact: bool | None
) -> tuple[Events, Set[str]]:
    """The usable events, and which kinds of event the rows have where targets are named."""
    user = sieve.ids(names.user, "user")
    item = sieve.ids(names.item, "item")
    stars = at = part = None
    days = False
    if names.rating is not None:
        stars, bad = read.numbers(sieve.cells(names.rating, "rating", numeric=True))
        sieve.refuse(bad, "rating is no finite number", names.rating)
    if names.time is not None:
        at, days = _times(names, sieve, compact)
    if names.split is not None:
        part = _parts(table.column(names.split, "split"), names.split, sieve)
    kind = None if names.behaviour is None else sieve.cells(names.behaviour, "behaviour")
    positive, there = _positive(names, stars, kind, sieve)
    kept = sieve.good
    scenario = {
        name: read.codes(sieve.cells(name, "scenario").filter(kept)) for name in names.scenario
    }
    cut = cutter(kept)
    kinds = None if kind is None else read.codes(kind.filter(kept))
    events = Events(
        user.filter(kept), item.filter(kept), positive[kept], cut(stars), cut(at), kinds, scenario,
        cut(part), 0, 0, days,
    )  # fmt: skip
    return events, there


def _times(names: EventColumns, sieve: Sieve, compact: bool | None) -> tuple[Ints, bool]:
    """UTC seconds, and whether numbers such as 20261128 were read as days."""
    column = sieve.cells(names.time or "", "time", numeric=True)
    found = moments(column, names.time_format, names.time_unit, compact=compact)
    reason = f"time does not follow time_format {names.time_format!r}"
    if names.time_format is None:
        reason = "time is neither Unix seconds nor ISO 8601; name time_format for another way"
    sieve.refuse(found.unreadable, reason, names.time)
    far = 'time is beyond the year 9999; name time_unit = "ms" where times are milliseconds'
    sieve.refuse(found.far, far, names.time)
    return found.at, found.compact


def _positive(
    names: EventColumns, stars: Floats | None, kind: pl.Series | None, sieve: Sieve
) -> tuple[Bools, Set[str]]:
    """Which rows are learned from, and which kinds there are where targets are named."""
    there: set[str] = set()
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
        positive &= texts.is_in([*names.target, *names.interest]).to_numpy()
    return positive, there


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
