"""Candidate paths as columns, and the choice of a few different ones for each pair."""

from __future__ import annotations

from typing import NamedTuple, Self

import numpy as np

from trefoil.data.interactions import Ints
from trefoil.kg.paths.index import Index, Reals

DIRECT, SHARED, PEOPLE, TWO_STEPS = range(4)

_CANDIDATES = 16  # of each pair, before different ones are chosen


class Columns(NamedTuple):
    """Candidate paths, one row each; columns that a kind does not use hold -1."""

    pair: Ints
    weight: Reals
    choice: Reals  # by which paths of a pair are chosen
    age: Ints  # 0 for the newest event of the history
    kind: Ints
    seen: Ints
    fact: Ints  # of the item recommended
    other: Ints  # fact of the item of the history
    step: Ints  # relation between entities

    @classmethod
    def made(
        cls, kind: int, pair: Ints, weight: Reals, factor: Reals | float = 1.0, **given: Ints
    ) -> Self:
        """Of one kind; chosen by weight times ``factor``."""
        none = np.full(len(pair), -1, np.int64)
        parts = {"fact": none, "other": none, "step": none, **given}
        return cls(pair, weight, choice=weight * factor, kind=np.full(len(pair), kind), **parts)

    def take(self, rows: Ints) -> Columns:
        return Columns(*(column[rows] for column in self))  # type: ignore[arg-type]


def varied(given: Columns, k: int, index: Index) -> Columns:
    """Of each pair's best candidates up to ``k``, each of another relation and item if it can be.

    A relation or item of the history that was chosen already halves what the next is
    chosen by; the weight that is reported stays.
    """
    if k == 1:
        given = given.take(_highest(given))
    order = np.lexsort((given.fact, given.seen, given.age, -given.choice, given.pair))
    given = given.take(order)
    if k == 1:
        return given.take(np.flatnonzero(np.diff(given.pair, prepend=-1)))
    first = np.searchsorted(given.pair, given.pair)
    given = given.take(np.flatnonzero(np.arange(len(first)) - first < max(_CANDIDATES, k)))
    if not len(given.pair):
        return given
    start = np.flatnonzero(np.concatenate([[True], np.diff(given.pair) != 0]))
    group = np.searchsorted(start, np.arange(len(given.pair)), side="right") - 1
    fact = np.where(given.fact >= 0, index.relation[given.fact] if len(index.relation) else -1, -1)
    role = (fact + 1) * 4 + given.kind
    value, picked = given.choice.copy(), []
    for _ in range(k):
        most = np.maximum.reduceat(value, start)
        best = np.flatnonzero((value == most[group]) & (value >= 0))
        if not len(best):
            break  # all are chosen
        best = best[np.unique(group[best], return_index=True)[1]]  # the first of equals
        picked.append(best)
        mine = np.full(len(start), -1)
        mine[group[best]] = best
        chosen = mine[group]
        same = (role == role[chosen]).astype(np.int64) + (given.seen == given.seen[chosen])
        value *= np.where(chosen >= 0, 0.5**same, 1.0)
        value[best] = -1.0
    rows = np.concatenate(picked)
    return given.take(rows[np.argsort(group[rows], kind="stable")])


def _highest(given: Columns) -> Ints:
    """The candidates of each pair that none of the same pair surpasses."""
    most = np.full(int(given.pair.max(initial=-1)) + 1, -np.inf)
    np.maximum.at(most, given.pair, given.choice)
    return np.flatnonzero(given.choice == most[given.pair])
