"""The order of events: one that their content alone decides, and how the file's own looked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trefoil.data.interactions import UNKNOWN_TIME, Interactions, Ints

GOLDEN = 0x9E3779B97F4A7C15  # increment and multipliers of splitmix64
FIRST, SECOND = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB


def canonical_order(events: Interactions) -> Ints:
    """Rows by user, then time, then a hash of user, item and time; unknown times come first.

    The hash divides ties in time without regard to ids or to the place in a
    file: neither says what came first. What it leaves equal is one pair at one
    moment, and the other columns order that.
    """
    keys = [] if events.stars is None else [events.stars]
    keys += [] if events.part is None else [events.part]
    keys += [column.codes for _, column in sorted(events.scenario.items())]
    keys += [] if events.kind is None else [events.kind.codes]
    at = np.zeros(len(events), np.int64) if events.at is None else events.at
    keys += [events.positive, events.item, mixed(events.user, events.item, at), at, events.user]
    return np.lexsort(keys)


def mixed(*columns: Ints) -> NDArray[np.uint64]:
    """One well-spread number per row of whole-number columns.

    Each column is folded in by a step of splitmix64. Steele et al. 2014, "Fast
    splittable pseudorandom number generators".
    """
    state = np.zeros(len(columns[0]), np.uint64)
    for column in columns:
        state = (state ^ column.astype(np.int64).view(np.uint64)) + np.uint64(GOLDEN)
        state = (state ^ (state >> np.uint64(30))) * np.uint64(FIRST)
        state = (state ^ (state >> np.uint64(27))) * np.uint64(SECOND)
        state ^= state >> np.uint64(31)
    return state


@dataclass(frozen=True)
class FileOrder:
    """How the rows of an event table lay before they were put in order.

    ``neighbours`` are events of one user at one moment that follow each other
    in the file; ``ascending`` is the share of them with item ids in rising
    order: about a half where chance decided, 1 or 0 in a sorted export.
    ``sorted_by`` says in words how the whole file is sorted.
    """

    neighbours: int
    ascending: float | None
    sorted_by: str

    @classmethod
    def of(cls, events: Interactions, items: Sequence[str]) -> FileOrder:
        """Of events in file order; ``items`` are the ids of the item rows."""
        count, share = ascending_ties(events, items)
        return cls(count, share, _sorted_by(events))


def ascending_ties(events: Interactions, items: Sequence[str]) -> tuple[int, float | None]:
    """Neighbours in a user's ties in time, and the share whose item ids ascend.

    Ids may ascend as text or as numbers do ("9" before "10"): of the two
    shares the one farther from a half. None without ties.
    """
    if events.at is None:
        return 0, None
    rows = np.lexsort((events.at, events.user))  # stable: ties stay as they lie
    here, after = rows[:-1], rows[1:]
    tied = (events.user[here] == events.user[after]) & (events.at[here] == events.at[after])
    tied &= (events.at[here] != UNKNOWN_TIME) & (events.item[here] != events.item[after])
    before, behind = events.item[here[tied]], events.item[after[tied]]
    if not len(before):
        return 0, None
    by_length = sorted(range(len(items)), key=lambda row: (len(items[row]), items[row]))
    place = np.empty(len(items), np.int64)
    place[by_length] = np.arange(len(items))
    shares = [float((behind > before).mean()), float((place[behind] > place[before]).mean())]
    return len(before), max(shares, key=lambda share: abs(share - 0.5))


def _sorted_by(events: Interactions) -> str:
    by_user, by_item = _grouped(events.user), _grouped(events.item)
    if len(events) < 2:
        return "one row"
    if events.at is not None and (np.diff(events.at) >= 0).all():
        return "by time"
    if by_user:
        same = np.diff(events.user) == 0
        timed = events.at is not None and (np.diff(events.at)[same] >= 0).all()
        return "user by user, each by time" if timed else "user by user"
    return "item by item" if by_item else "in no order"


def _grouped(rows: Ints) -> bool:
    """Whether equal values all lie side by side."""
    return int((np.diff(rows) != 0).sum()) + 1 <= len(np.unique(rows))
