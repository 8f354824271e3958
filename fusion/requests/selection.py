"""Lists in which a place depends on the ones before it: caps per group, and variety.

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
from trefoil.fusion.requests.rules import Cap


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
) -> Chosen:
    """``k`` of the items ``rows`` [cases, pool], -1 where there is none, with these scores.

    ``begun`` are item rows that stand in every list already. ``vectors`` [cases, pool, width]
    have length one.
    """
    n, pool = rows.shape
    open_to = rows >= 0
    every = np.arange(n)
    worth = (1 - diversity) * _between(score, open_to)
    alike = np.full((n, pool), -1.0)
    counts = [_Count.of(cap, rows, begun) for cap in caps]
    place = np.full((n, k), -1)
    taken = np.zeros((n, pool), bool)
    for step in range(min(k, pool)):
        value = worth - diversity * alike if diversity and step else worth
        allowed = open_to & ~taken
        for count in counts:
            allowed &= count.room()
        value = np.where(allowed, value, -np.inf)
        best = value.argmax(1)
        any_left = allowed[every, best]
        if not any_left.any():
            break
        place[any_left, step] = best[any_left]
        taken[every[any_left], best[any_left]] = True
        for count in counts:
            count.add(best, any_left)
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
