"""The one order of items by their scores: equal scores are put in an order drawn once for all."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from trefoil.data.interactions import Ints
from trefoil.evaluation.exam import Exam

LAST = 2**32 - 1


@lru_cache(maxsize=8)
def shuffled(items: int, seed: int) -> tuple[Ints, Ints]:
    """The item at each shuffled position, and the position of each item."""
    order = np.random.default_rng(seed).permutation(items)
    position = np.empty_like(order)
    position[order] = np.arange(items)
    order.flags.writeable = position.flags.writeable = False
    return order, position


def bits_of(scores: NDArray[np.float32]) -> NDArray[np.int32]:
    """Whole numbers that order as scores do."""
    bits = (scores + np.float32(0.0)).view(np.int32)  # adding 0 makes -0.0 equal 0.0
    bits ^= (bits >> 31) & np.int32(0x7FFFFFFF)
    return bits


def first_of(
    exam: Exam,
    item: NDArray[np.integer],
    score: NDArray[np.float32],
    k: int,
    least: float = -np.inf,
    seed: int = 0,
) -> tuple[Ints, NDArray[np.float32]] | None:
    """The first ``k`` items of an exam of one case and their scores, as ``rank`` puts them.

    ``item`` are some item rows; no other scores more than ``least``. None where less than
    ``k`` of them may be answered with and score more.
    """
    kept = score > least
    if exam.candidates is not None:
        kept &= exam.candidates[item]
    kept &= ~np.isin(item, exam.masked.item)
    item, score = item[kept], score[kept]
    if len(item) < k or not np.isfinite(score).all():
        return None
    _, position = shuffled(exam.items, seed)
    keys = (bits_of(score).astype(np.int64) << 32) | (LAST - position[item])
    best = np.argsort(-keys)[:k]
    return item[best].astype(np.int64), score[best]
