"""Lists in which a place depends on the ones before it: caps, shares of groups, and variety.

Variety is maximal marginal relevance (Carbonell & Goldstein 1998, doi:10.1145/290941.291025):
the next item has the largest ``(1 - d) r - d s``, r its score between 0 and 1 among those
looked at, s the largest cosine with an item that stands already.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trefoil.data.interactions import Bools, Ints
from trefoil.fusion.plan.asked import Reals
from trefoil.fusion.requests.rules import Cap, Floor


@dataclass(frozen=True)
class Chosen:
    """Places [cases, k] among those looked at, -1 where none was left; ``barred`` by caps."""

    place: Ints
    barred: Bools


def choose(
    score: Reals,
    k: int,
    rows: Ints,
    caps: Sequence[Cap] = (),
    begun: Ints | None = None,
    diversity: float = 0.0,
    vectors: NDArray[np.floating] | None = None,
    floors: Sequence[Floor] = (),
) -> Chosen:
    """``k`` of the items ``rows`` [cases, pool], -1 where there is none, with these scores.

    ``begun`` are item rows that stand in every list already. ``vectors`` [cases, pool, width]
    have length one. Of the first p items, those that stand already among them, at least
    ``floor(share p)`` are of a floor as long as it has any left (DetGreedy: Geyik et al.
    2019, doi:10.1145/3292500.3330691).
    """
    n, pool = rows.shape
    open_to = rows >= 0
    every = np.arange(n)
    worth = (1 - diversity) * _between(score, open_to)
    alike = np.full((n, pool), -1.0)
    counts = [_Count.of(cap, rows, begun) for cap in caps]
    owed = [_Owed.of(one, rows, begun) for one in floors]
    place = np.full((n, k), -1)
    taken = np.zeros((n, pool), bool)
    for step in range(min(k, pool)):
        value = worth - diversity * alike if diversity and step else worth
        allowed = open_to & ~taken
        for count in counts:
            allowed &= count.room()
        due = [one.due(step) for one in owed]
        if due:
            first = allowed & np.logical_or.reduce(due)
            allowed = np.where(first.any(1, keepdims=True), first, allowed)
        value = np.where(allowed, value, -np.inf)
        best = value.argmax(1)
        any_left = allowed[every, best]
        if not any_left.any():
            break
        place[any_left, step] = best[any_left]
        taken[every[any_left], best[any_left]] = True
        for one in [*counts, *owed]:
            one.add(best, any_left)
        if diversity and vectors is not None:
            newest = vectors[every, best]
            cosine = np.einsum("npd,nd->np", vectors, newest)
            alike = np.maximum(alike, cosine) if step else cosine
    barred = np.zeros((n, pool), bool)
    for count in counts:
        barred |= ~count.room()
    return Chosen(place, barred & open_to & ~taken)


def _between(score: Reals, there: Bools) -> Reals:
    """Scores from 0 to 1 in each row, among those that are there."""
    low = np.where(there, score, np.inf).min(1, keepdims=True)
    high = np.where(there, score, -np.inf).max(1, keepdims=True)
    spread = np.where(high > low, high - low, 1.0)
    return np.where(there, (score - np.where(there, low, score)) / spread, 0.0)


@dataclass
class _Count:
    """How often each group stands in each list."""

    most: int
    groups: Ints  # cases x pool x width, -1 for none
    count: Ints  # cases x groups

    @classmethod
    def of(cls, cap: Cap, rows: Ints, begun: Ints | None) -> "_Count":
        count = np.zeros((len(rows), cap.groups.count + 1), np.int64)  # the last is for none
        if begun is not None and len(begun):
            held = cap.groups.around(begun).ravel()
            count += np.bincount(held[held >= 0], minlength=count.shape[1])
        return cls(cap.most, cap.groups.around(rows), count)

    def room(self) -> Bools:
        """Which items [cases, pool] would keep to the cap."""
        case = np.arange(len(self.count))[:, None, None]
        self.count[:, -1] = 0
        return np.all(self.count[case, self.groups] < self.most, axis=2)

    def add(self, best: Ints, kept: Bools) -> None:
        case = np.flatnonzero(kept)
        own = self.groups[case, best[case]]
        np.add.at(self.count, (case[:, None], own), 1)


@dataclass
class _Owed:
    """How many items of a floor stand in each list, and which of those looked at are of it."""

    share: float
    begun: int  # items of any kind that stood before
    inside: Bools  # cases x pool
    count: Ints  # cases

    @classmethod
    def of(cls, floor: Floor, rows: Ints, begun: Ints | None) -> "_Owed":
        stood = np.zeros(0, np.int64) if begun is None else begun
        inside = floor.items[np.maximum(rows, 0)] & (rows >= 0)
        count = np.full(len(rows), int(floor.items[stood].sum()))
        return cls(floor.share, len(stood), inside, count)

    def due(self, step: int) -> Bools:
        """The items [cases, pool] of it, in the lists where the next place is theirs."""
        wanted = int(self.share * (self.begun + step + 1) + 1e-9)
        return self.inside & (self.count < wanted)[:, None]

    def add(self, best: Ints, kept: Bools) -> None:
        self.count += kept & self.inside[np.arange(len(best)), best]
