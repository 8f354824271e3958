"""Held-out items ranked among items drawn for each case: how some papers measure."""

from __future__ import annotations

from dataclasses import replace
from zlib import crc32

import numpy as np

from trefoil.evaluation.exam import Exam, Sets


def among_drawn(exam: Exam, count: int, seed: int) -> Exam:
    """The exam where each case ranks what it wants among ``count`` items drawn evenly.

    Drawn are items of the case's domain that the case neither wants nor has masked, without
    repetition; all where there are fewer. A case of the same user gets the same draws whatever
    other cases there are: they depend on the seed, the part, the user, and how many items
    there are to draw from. 0 leaves the exam as it is. Figures are far higher than over all
    items, and models may stand in another order (Krichene & Rendle 2020,
    doi:10.1145/3394486.3403226).
    """
    if not count:
        return exam
    pools: dict[int, np.ndarray] = {}
    rows, items = [], []
    for row in range(len(exam)):
        of = -1 if exam.within is None else int(exam.within.of_case[row])
        if of not in pools:
            pools[of] = _pool(exam, row)
        pool = pools[of]
        wanted = exam.relevant.item[exam.relevant.start[row] : exam.relevant.start[row + 1]]
        masked = exam.masked.item[exam.masked.start[row] : exam.masked.start[row + 1]]
        closed = np.intersect1d(np.union1d(wanted, masked), pool)
        told = [seed, crc32(exam.part.encode()), int(exam.cases.user[row]) + 1, len(pool)]
        size = min(count + len(closed), len(pool))
        drawn = pool[np.random.default_rng(told).choice(len(pool), size, replace=False)]
        listed = np.concatenate([wanted, drawn[~np.isin(drawn, closed)][:count]])
        rows.append(np.full(len(listed), row))
        items.append(listed)
    none = np.empty(0, np.int64)
    only = Sets.of(np.concatenate([none, *rows]), np.concatenate([none, *items]), len(exam))
    return replace(exam, only=only)


def _pool(exam: Exam, row: int) -> np.ndarray:
    """The items that a case may be asked about, its own past aside."""
    open_to = np.ones(exam.items, bool) if exam.candidates is None else exam.candidates.copy()
    if exam.within is not None:
        open_to &= ~exam.within.take(np.array([row])).closed()[0]
    return np.flatnonzero(open_to)
