"""Scores to places: the one rule by which every model's items are put in order."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from data.interactions import Bools, Ints
from evaluation.exam import Exam, Scorer, Sets

BATCH_BYTES = 64 * 2**20  # scores of one batch; bounds the memory of a ranking


@dataclass(frozen=True)
class Ranks:
    """Where each wanted item landed, and the first ``k`` items of every case.

    Wanted pair ``j`` of case ``i`` (``wanted.start[i] <= j < wanted.start[i + 1]``)
    stands at ``place[j]``, counted from 1 among the case's ``candidates[i]``
    items. ``top`` is [cases, k], best first, -1 where candidates ran out; ``user``
    [cases] the user row of each case.
    """

    user: Ints
    wanted: Sets
    place: Ints
    top: Ints
    candidates: Ints
    items: int

    def __len__(self) -> int:
        return len(self.wanted)

    @property
    def k(self) -> int:
        return self.top.shape[1]

    @property
    def case(self) -> Ints:
        """The case of every wanted pair."""
        return np.repeat(np.arange(len(self)), self.counts)

    @property
    def counts(self) -> Ints:
        """How many items each case wants."""
        return np.diff(self.wanted.start)

    def of_cases(self, rows: Ints) -> Ranks:
        """The same places for some cases only."""
        lengths = self.counts[rows]
        first = np.concatenate([[0], np.cumsum(lengths)])[:-1]
        at = np.repeat(self.wanted.start[rows] - first, lengths) + np.arange(lengths.sum())
        return Ranks(
            self.user[rows],
            self.wanted.take(rows),
            self.place[at],
            self.top[rows],
            self.candidates[rows],
            self.items,
        )

    def of_items(self, wanted: Bools) -> Ranks:
        """Only these items count as wanted; all candidates stay in the ranking.

        Cases that want none of them are left out.
        """
        kept = wanted[self.wanted.item]
        sets = Sets.of(self.case[kept], self.wanted.item[kept], len(self))
        narrowed = replace(self, wanted=sets, place=self.place[kept])
        return narrowed.of_cases(np.flatnonzero(np.diff(sets.start)))


def rank(
    scorer: Scorer, exam: Exam, k_max: int = 20, *, batch: int | None = None, seed: int = 0
) -> Ranks:
    """Rank all candidates of every case, batch by batch.

    Equal scores are ordered by a shuffle of the item rows drawn from ``seed``:
    the same for every model and case, and unrelated to popularity or file
    order. Scores are compared in float32. ``batch`` cases are scored at a time
    (by default as many as fit 64 MB of scores).

    Raises ValueError, naming model and case, for scores that are not finite,
    not floats or of another shape than [cases, items].
    """
    if batch is None:
        batch = int(np.clip(BATCH_BYTES // (4 * max(exam.items, 1)), 1, 4096))
    order = np.random.default_rng(seed).permutation(exam.items)  # shuffled position -> item
    position = np.empty_like(order)
    position[order] = np.arange(exam.items)
    places, tops, counts = [], [], []
    for first in range(0, len(exam), batch):
        rows = np.arange(first, min(first + batch, len(exam)))
        scores = _scores(scorer, exam, rows)
        counts.append(_mask(scores, exam, rows))
        rising = np.sort(scores, axis=1)
        places.append(_places(scores, rising, exam.wanted.take(rows), position))
        tops.append(_top(scores, rising, min(k_max, exam.items), k_max, position))
    return Ranks(
        exam.cases.user,
        exam.wanted,
        np.concatenate([*places, np.empty(0, np.int64)]),
        np.concatenate([*tops, np.empty((0, k_max), np.int64)]),
        np.concatenate([*counts, np.empty(0, np.int64)]),
        exam.items,
    )


def name_of(model: object) -> str:
    """The name a model goes by in messages and tables."""
    return str(getattr(model, "name", type(model).__name__))


def _scores(scorer: Scorer, exam: Exam, rows: Ints) -> NDArray[np.float32]:
    raw = scorer.score(exam.cases.take(rows)).detach().cpu()
    if tuple(raw.shape) != (len(rows), exam.items) or not raw.is_floating_point():
        raise ValueError(
            f"{name_of(scorer)} answered {raw.dtype} {list(raw.shape)} for cases "
            f"{rows[0]}..{rows[-1]}; floats [{len(rows)}, {exam.items}] were asked for"
        )
    scores = np.array(raw.numpy(), dtype=np.float32)  # a copy: it is masked in place
    if not np.isfinite(scores.sum(dtype=np.float64)):  # cheap test first; sums may overflow
        bad = np.argwhere(~np.isfinite(scores))
        if len(bad):
            case, item = bad[0]
            raise ValueError(
                f"{name_of(scorer)} scored {scores[case, item]} for case {rows[case]} (user row "
                f"{exam.cases.user[rows[case]]}), item row {item}; {len(bad)} scores of this "
                "batch are not finite. Scores must be finite: find the division or logarithm "
                "that broke them"
            )
    return scores


def _mask(scores: NDArray[np.float32], exam: Exam, rows: Ints) -> Ints:
    """Put -inf where nothing is asked; returns the number of candidates per case."""
    masked = exam.masked.take(rows)
    scores[np.repeat(np.arange(len(rows)), np.diff(masked.start)), masked.item] = -np.inf
    if exam.candidates is not None:
        scores[:, ~exam.candidates] = -np.inf
    return (scores > -np.inf).sum(axis=1)


def _places(
    scores: NDArray[np.float32], rising: NDArray[np.float32], wanted: Sets, position: Ints
) -> Ints:
    """Place of every wanted item: better ones, plus equal ones earlier in the shuffle, plus 1."""
    n = scores.shape[1]
    out = np.empty(len(wanted.item), np.int64)
    for row in range(len(wanted)):
        part = slice(wanted.start[row], wanted.start[row + 1])
        items = wanted.item[part]
        values = scores[row, items]
        if not np.isfinite(values).all():
            raise ValueError(f"item row {items[~np.isfinite(values)][0]} is wanted and masked")
        above = n - np.searchsorted(rising[row], values, side="right")
        equal = n - np.searchsorted(rising[row], values, side="left") - above
        for at in np.flatnonzero(equal > 1):
            rivals = position[scores[row] == values[at]]
            above[at] += np.count_nonzero(rivals < position[items[at]])
        out[part] = above + 1
    return out


def _top(
    scores: NDArray[np.float32], rising: NDArray[np.float32], k: int, width: int, position: Ints
) -> Ints:
    """The first ``k`` items of each row, padded with -1 to ``width``."""
    top = np.full((len(scores), width), -1, np.int64)
    if k == 0:
        return top
    case, item = np.nonzero(scores >= rising[:, -k, None])
    value = scores[case, item]
    by = np.lexsort((position[item], -value, case))
    by = by[value[by] > -np.inf]
    case, item = case[by], item[by]
    start = np.searchsorted(case, np.arange(len(scores)))
    at = np.arange(len(case)) - start[case]
    kept = at < k
    top[case[kept], at[kept]] = item[kept]
    return top
