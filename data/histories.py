"""What is known of each asked case at the moment of asking."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from trefoil.data.interactions import UNKNOWN_TIME, Bools, Floats, Interactions, Ints

LAST = np.iinfo(np.int64).max


def each_once(items: Ints) -> Ints:
    """Different items, ascending; of the few of one case that is faster than ``np.unique``."""
    items = np.sort(items)
    new = np.ones(len(items), bool)
    np.not_equal(items[1:], items[:-1], out=new[1:])
    return items[new]


@dataclass(frozen=True)
class Later:
    """Events that come after what is known, of anybody: NaN and ``UNKNOWN_TIME`` where untold."""

    item: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    at: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    stars: Floats = field(default_factory=lambda: np.zeros(0, np.float32))

    @classmethod
    def of(cls, item: Ints) -> Later:
        """Items of which nothing more is known."""
        at = np.full(len(item), UNKNOWN_TIME)
        return cls(item, at, np.full(len(item), np.nan, np.float32))

    def __len__(self) -> int:
        return len(self.item)


@dataclass(frozen=True)
class Histories:
    """Past positive events, oldest first: case ``i`` has rows ``start[i]:start[i + 1]``."""

    start: Ints
    item: Ints
    at: Ints | None = None
    stars: Floats | None = None
    scenario: Mapping[str, Ints] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.start) - 1

    @property
    def lengths(self) -> Ints:
        return self.start[1:] - self.start[:-1]

    @classmethod
    def of(cls, events: Interactions, users: int) -> Histories:
        """One history per user row, of the positive events; ties in time keep their order.

        Where all events are positive and lie in that order already, the columns are theirs.
        """
        start = np.zeros(users + 1, np.int64)
        rows: Ints | slice = slice(None)
        if not (events.positive.all() and _in_order(events)):
            rows = np.flatnonzero(events.positive)
            keys = (events.user[rows],)
            if events.at is not None:
                keys = (events.at[rows], *keys)
            rows = rows[np.lexsort(keys)]
        np.cumsum(np.bincount(events.user[rows], minlength=users), out=start[1:])
        return cls(
            start,
            events.item[rows],
            None if events.at is None else events.at[rows],
            None if events.stars is None else events.stars[rows],
            {name: column.codes[rows] for name, column in events.scenario.items()},
        )

    def take(self, cases: Ints) -> Histories:
        """The histories of these cases, in that order; of a single one, a view."""
        if len(cases) == 1:
            begin, end = self.start[cases[0]], self.start[cases[0] + 1]
            return self._of_rows(np.array([0, end - begin]), slice(begin, end))
        lengths = self.lengths[cases]
        start = np.concatenate([[0], np.cumsum(lengths)])
        rows = np.repeat(self.start[cases] - start[:-1], lengths) + np.arange(start[-1])
        return self._of_rows(start, rows)

    def with_ties_shuffled(self, random: np.random.Generator) -> Histories:
        """Each history with its events of one moment in an order drawn anew."""
        case = np.repeat(np.arange(len(self)), self.lengths)
        at = np.zeros(len(case), np.int64) if self.at is None else self.at
        return self._of_rows(self.start, np.lexsort((random.random(len(case)), at, case)))

    def _of_rows(self, start: Ints, rows: Ints | slice) -> Histories:
        """These events, cut into histories at ``start``."""
        return Histories(
            start,
            self.item[rows],
            None if self.at is None else self.at[rows],
            None if self.stars is None else self.stars[rows],
            {name: codes[rows] for name, codes in self.scenario.items()},
        )

    def where(self, kept: Bools) -> Histories:
        """Only these events [events, bool] of each history."""
        ends = np.concatenate([[0], np.cumsum(kept)])
        return Histories(
            ends[self.start],
            self.item[kept],
            None if self.at is None else self.at[kept],
            None if self.stars is None else self.stars[kept],
            {name: codes[kept] for name, codes in self.scenario.items()},
        )

    def followed_by(self, told: Later | Ints) -> Histories:
        """Each history with these events after it; those with a time stand where it says.

        Plain rows are items of which nothing more is known.
        """
        if not len(told):
            return self
        told = told if isinstance(told, Later) else Later.of(told)
        ends = np.repeat(self.start[1:], len(told))
        place = ends + np.arange(len(ends))  # of what is told, in the longer columns
        start = self.start + len(told) * np.arange(len(self) + 1)
        item, at, stars = (np.tile(one, len(self)) for one in (told.item, told.at, told.stars))
        longer = Histories(
            start,
            np.insert(self.item, ends, item),
            None if self.at is None else np.insert(self.at, ends, at),
            None if self.stars is None else np.insert(self.stars, ends, stars),
            {name: np.insert(codes, ends, -1) for name, codes in self.scenario.items()},
        )
        if longer.at is None or not (told.at != UNKNOWN_TIME).any():
            return longer
        when = longer.at.copy()
        when[place[at == UNKNOWN_TIME]] = LAST  # said now
        case = np.repeat(np.arange(len(longer)), longer.lengths)
        return longer._of_rows(start, np.lexsort((when, case)))

    def matrix(self, items: int, weight: Floats | None = None) -> sparse.csr_matrix:
        """Cases x items; 1 (or the summed weights) where an item occurs."""
        data = np.ones(len(self.item), np.float32) if weight is None else weight
        out = sparse.csr_matrix((data, self.item, self.start), shape=(len(self), items))
        out.sum_duplicates()
        if weight is None:
            out.data[:] = 1.0
        return out

    def recency(self, decay: float) -> Floats:
        """``exp(-r / decay)`` per event, r events before the newest of its case."""
        newest = np.repeat(self.start[1:] - 1, self.lengths)
        return np.exp(-(newest - np.arange(len(self.item))) / decay).astype(np.float32)

    def followers(self, items: int, reach: int) -> sparse.csr_matrix:
        """Items x items: how often j came within ``reach`` events after i in one history."""
        end = np.repeat(self.start[1:], self.lengths)
        here = np.arange(len(self.item))
        before = [here[here + step < end] for step in range(1, reach + 1)]
        after = [rows + step for step, rows in enumerate(before, 1)]
        ends = (self.item[np.concatenate(before)], self.item[np.concatenate(after)])
        ones = np.ones(len(ends[0]), np.float32)
        return sparse.csr_matrix((ones, ends), shape=(items, items))


def _in_order(events: Interactions) -> bool:
    """Whether events lie user by user, each by time."""
    step = np.diff(events.user)
    if (step < 0).any():
        return False
    return events.at is None or bool(((step > 0) | (events.at[1:] >= events.at[:-1])).all())


@dataclass(frozen=True)
class Cases:
    """Whom to recommend to, and what is known of them then.

    ``user`` is a row, -1 for someone never seen; ``at`` the moment of asking
    (UTC seconds); ``scenario`` codes per column, -1 where unknown. ``attributes``
    [cases, attributes] stand for those that are known of the users. A scorer
    answers with one score per case and item.
    """

    user: Ints
    history: Histories
    at: Ints | None = None
    scenario: Mapping[str, Ints] = field(default_factory=dict)
    attributes: Floats | None = None

    def __len__(self) -> int:
        return len(self.user)

    @cached_property
    def digest(self) -> bytes:
        """Stands for all that a score may depend on: every field, and every field of the history.

        It names nobody.
        """
        past, each = self.history, [(0, name, codes) for name, codes in self.scenario.items()]
        each += [(1, name, codes) for name, codes in past.scenario.items()]
        each.sort(key=lambda one: one[:2])
        parts = [self.user, self.at, self.attributes, past.start, past.item, past.at, past.stars]
        parts += [codes for _, _, codes in each]
        shapes = [None if one is None else (one.dtype.char, one.shape) for one in parts]
        names = [one[:2] for one in each]
        told = hashlib.blake2b(repr((shapes, names)).encode(), digest_size=20)
        told.update(b"".join(one.tobytes() for one in parts if one is not None))
        return told.digest()

    @classmethod
    def together(cls, parts: Sequence[Cases]) -> Cases:
        """Cases with the same columns, one part after the other."""

        def joined(columns: Sequence[NDArray[Any] | None]) -> Any:
            there = [one for one in columns if one is not None]
            return np.concatenate(there) if len(there) == len(columns) else None

        past = [one.history for one in parts]
        ends = np.cumsum([0, *(len(one.item) for one in past)])
        starts = [one.start[:-1] + end for one, end in zip(past, ends[:-1], strict=True)]
        history = Histories(
            np.concatenate([*starts, ends[-1:]]),
            joined([one.item for one in past]),
            joined([one.at for one in past]),
            joined([one.stars for one in past]),
            {name: joined([one.scenario[name] for one in past]) for name in past[0].scenario},
        )
        scenario = {name: joined([p.scenario[name] for p in parts]) for name in parts[0].scenario}
        user, at = (joined([getattr(p, name) for p in parts]) for name in ("user", "at"))
        return cls(user, history, at, scenario, joined([p.attributes for p in parts]))

    def take(self, rows: Ints) -> Cases:
        return Cases(
            self.user[rows],
            self.history.take(rows),
            None if self.at is None else self.at[rows],
            {name: codes[rows] for name, codes in self.scenario.items()},
            None if self.attributes is None else self.attributes[rows],
        )
