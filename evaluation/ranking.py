"""Scores to places: the one rule by which every model's items are put in order."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from trefoil.data.interactions import Bools, Ints
from trefoil.evaluation.exam import Exam, Scorer, Sets, plain
from trefoil.evaluation.leading import promising
from trefoil.evaluation.order import LAST, bits_of, shuffled

BATCH_BYTES = 16 * 2**20  # float32 scores of one batch; sorting needs five times as much
NOT_ASKED = np.iinfo(np.int64).min
NO_PLACE = np.empty(0, np.int64)
MANY = 1_000  # times the length of a list: so many items are looked through by blocks


@dataclass(frozen=True)
class Ranks:
    """Where each relevant item landed, and the first ``k`` items of every case.

    Relevant pair ``j`` of case ``i`` (``relevant.start[i] <= j < relevant.start[i + 1]``)
    stands at ``place[j]``, counted from 1 among the case's ``candidates[i]``
    items. ``top`` is [cases, k], best first, -1 where candidates ran out, with
    their scores in ``score`` (NaN there); ``user`` [cases] the user row of each case.
    """

    user: Ints
    relevant: Sets
    place: Ints
    top: Ints
    candidates: Ints
    items: int
    score: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.relevant)

    @property
    def k(self) -> int:
        return self.top.shape[1]

    @property
    def case(self) -> Ints:
        """The case of every relevant pair."""
        return np.repeat(np.arange(len(self)), self.counts)

    @property
    def counts(self) -> Ints:
        """How many items each case wants."""
        return np.diff(self.relevant.start)

    def of_cases(self, rows: Ints) -> Ranks:
        """The same places for some cases only."""
        lengths = self.counts[rows]
        first = np.concatenate([[0], np.cumsum(lengths)])[:-1]
        at = np.repeat(self.relevant.start[rows] - first, lengths) + np.arange(lengths.sum())
        return Ranks(
            self.user[rows],
            self.relevant.take(rows),
            self.place[at],
            self.top[rows],
            self.candidates[rows],
            self.items,
            None if self.score is None else self.score[rows],
        )

    def of_items(self, relevant: Bools) -> Ranks:
        """Only these items count as relevant; all candidates stay in the ranking.

        Cases that want none of them are left out.
        """
        kept = relevant[self.relevant.item]
        sets = Sets.of(self.case[kept], self.relevant.item[kept], len(self))
        narrowed = replace(self, relevant=sets, place=self.place[kept])
        return narrowed.of_cases(np.flatnonzero(np.diff(sets.start)))


def rank(
    scorer: Scorer, exam: Exam, k_max: int = 20, *, batch: int | None = None, seed: int = 0
) -> Ranks:
    """Rank all candidates of every case, batch by batch: exams and recommendations alike.

    Equal scores are ordered by a shuffle of the item rows drawn from ``seed``:
    the same for every model and case, and unrelated to popularity or file
    order. Scores are compared in float32. ``batch`` cases are scored at a time
    (by default as many as fit 16 MB of scores).

    Raises ValueError, naming model and case, for scores that are not finite,
    not floats or of another shape than [cases, items].
    """
    if batch is None:
        batch = min(max(BATCH_BYTES // (4 * max(exam.items, 1)), 1), 4096)
    order, position = shuffled(exam.items, seed)
    judged = len(exam.relevant.item) > 0
    if len(exam) == 1 and not judged and exam.items < MANY * max(k_max, 1):
        return _ranked_one(scorer, exam, k_max, order, position)
    places, tops, counts, best = [], [], [], []
    for first in range(0, len(exam), batch):
        rows = np.arange(first, min(first + batch, len(exam)))
        scores = _scores(scorer, exam, rows)
        plain_exam = exam.within is None and exam.only is None
        if not judged and plain_exam and k_max and exam.items >= MANY * k_max:
            counts.append(_asked(exam, rows))
            rising = _leading(scores, exam, rows, position, k_max)
        else:
            keys = _keys(bits_of(scores), exam, rows, position)
            counts.append((keys != NOT_ASKED).sum(axis=1))
            asked = keys if exam.only is None else _listed(keys, exam.only.take(rows))
            rising = np.sort(asked, axis=1) if judged else _largest(asked, k_max)
        if judged:
            places.append(_places(keys, rising, exam.relevant.take(rows)))
        tops.append(_top(rising, k_max, order))
        shown = np.take_along_axis(scores, np.maximum(tops[-1], 0), 1)
        best.append(np.where(tops[-1] >= 0, shown, np.float32(np.nan)))
    return Ranks(
        exam.cases.user,
        exam.relevant,
        np.concatenate([*places, np.empty(0, np.int64)]),
        np.concatenate([*tops, np.empty((0, k_max), np.int64)]),
        np.concatenate([*counts, np.empty(0, np.int64)]),
        exam.items,
        np.concatenate([*best, np.empty((0, k_max), np.float32)]),
    )


def _ranked_one(scorer: Scorer, exam: Exam, k_max: int, order: Ints, position: Ints) -> Ranks:
    """``rank`` of an exam of one case that wants nothing: what a person asks."""
    row = np.zeros(1, np.int64)
    scores = _scores(scorer, exam, row)
    top = _top(_of_one(scores[0], exam, position, k_max), k_max, order)
    best = np.where(top >= 0, scores[0, np.maximum(top, 0)], np.float32(np.nan))
    counts = _asked(exam, row)
    return Ranks(exam.cases.user, exam.relevant, NO_PLACE, top, counts, exam.items, best)


def name_of(model: object) -> str:
    """The name a model goes by in messages and tables."""
    return str(getattr(model, "name", type(model).__name__))


def _scores(scorer: Scorer, exam: Exam, rows: Ints) -> NDArray[np.float32]:
    told = scorer.score(exam.cases if len(rows) == len(exam) else exam.cases.take(rows))
    raw = plain(told)
    if raw.shape != (len(rows), exam.items) or not np.issubdtype(raw.dtype, np.floating):
        raise ValueError(
            f"{name_of(scorer)} answered {told.dtype} {list(told.shape)} for cases "
            f"{rows[0]}..{rows[-1]}; floats [{len(rows)}, {exam.items}] were asked for"
        )
    scores = raw.astype(np.float32, copy=False)
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


def _keys(bits: NDArray[np.int32], exam: Exam, rows: Ints, position: Ints) -> NDArray[np.int64]:
    """Whole numbers that order as scores do, and equal scores by shuffled position; no two equal.

    The upper half holds the bits of the float, turned so that they ascend; the
    lower half the position from behind. ``NOT_ASKED`` where an item is masked.
    """
    keys = bits.astype(np.int64) << 32
    keys |= LAST - position
    masked = exam.masked.take(rows)
    keys[np.repeat(np.arange(len(rows)), np.diff(masked.start)), masked.item] = NOT_ASKED
    if exam.candidates is not None:
        keys[:, ~exam.candidates] = NOT_ASKED
    closed = exam.closed(rows)
    if closed is not None:
        keys[closed] = NOT_ASKED
    return keys


def _listed(keys: NDArray[np.int64], only: Sets) -> NDArray[np.int64]:
    """The keys of the items that each row lists, filled up with ``NOT_ASKED``: few to be sorted."""
    lengths = np.diff(only.start)
    row = np.repeat(np.arange(len(only)), lengths)
    column = np.arange(len(row)) - np.repeat(only.start[:-1], lengths)
    found = np.full((len(only), int(lengths.max(initial=0))), NOT_ASKED)
    found[row, column] = keys[row, only.item]
    return found


def _largest(keys: NDArray[np.int64], width: int) -> NDArray[np.int64]:
    """The ``width`` largest keys of each row, ascending."""
    if not width:
        return keys[:, :0]
    if width < keys.shape[1]:
        keys = np.partition(keys, keys.shape[1] - width, axis=1)[:, -width:]
    return np.sort(keys, axis=1)


def _of_one(
    scores: NDArray[np.float32], exam: Exam, position: Ints, width: int
) -> NDArray[np.int64]:
    """``_largest`` of ``_keys`` of an exam of one case: only its first items get a key."""
    open_scores = scores + np.float32(0.0)  # -0.0 is 0.0
    open_scores[exam.masked.item] = -np.inf
    if exam.candidates is not None:
        open_scores[~exam.candidates] = -np.inf
    if not 0 < width < exam.items:
        item = np.arange(exam.items)
    else:
        least = np.partition(open_scores, exam.items - width)[exam.items - width]
        item = np.flatnonzero(open_scores >= least)  # those of equal scores, too
    found = open_scores[item]
    keys = (bits_of(found).astype(np.int64) << 32) | (LAST - position[item])
    keys[found == -np.inf] = NOT_ASKED
    return _largest(keys[None], width)


def _asked(exam: Exam, rows: Ints) -> Ints:
    """How many items each case may be answered with."""
    masked = exam.masked if len(rows) == len(exam) else exam.masked.take(rows)
    if exam.candidates is None:
        return exam.items - (masked.start[1:] - masked.start[:-1])
    case = np.repeat(np.arange(len(rows)), np.diff(masked.start))
    closed = np.bincount(case[exam.candidates[masked.item]], minlength=len(rows))
    return int(exam.candidates.sum()) - closed


def _leading(
    scores: NDArray[np.float32], exam: Exam, rows: Ints, position: Ints, width: int
) -> NDArray[np.int64]:
    """``_largest`` of ``_keys`` without a key for every item: first items are in few blocks."""
    open_scores = scores.copy()
    masked = exam.masked.take(rows)
    open_scores[np.repeat(np.arange(len(rows)), np.diff(masked.start)), masked.item] = -np.inf
    if exam.candidates is not None:
        open_scores[:, ~exam.candidates] = -np.inf
    item = promising(open_scores, width)
    found = np.take_along_axis(open_scores, item, 1)
    keys = bits_of(found).astype(np.int64) << 32
    keys |= LAST - position[item]
    keys[found == -np.inf] = NOT_ASKED
    return _largest(keys, width)


def _places(keys: NDArray[np.int64], rising: NDArray[np.int64], relevant: Sets) -> Ints:
    """Place of every relevant item: 1 plus the number of larger keys."""
    out = np.empty(len(relevant.item), np.int64)
    for row in range(len(relevant)):
        part = slice(relevant.start[row], relevant.start[row + 1])
        items = relevant.item[part]
        own = keys[row, items]
        if len(own) and own.min() == NOT_ASKED:
            raise ValueError(f"item row {items[own.argmin()]} is relevant and masked")
        out[part] = rising.shape[1] - np.searchsorted(rising[row], own)
    return out


def _top(rising: NDArray[np.int64], width: int, order: Ints) -> Ints:
    """The first ``width`` items of each row, -1 where candidates run out."""
    best = rising[:, ::-1][:, :width]
    top = np.full((len(rising), width), -1, np.int64)
    asked = best != NOT_ASKED
    top[:, : best.shape[1]][asked] = order[LAST - (best[asked] & LAST)]
    return top
