"""The second look at the top of each list, by numpy: see ``fusion.ensemble.reranker``."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from trefoil.data.interactions import Ints
from trefoil.evaluation.leading import BLOCK, promising
from trefoil.fusion.plan.asked import Asked, Reals
from trefoil.fusion.plan.gelu import gelu


@dataclass(frozen=True)
class Marks:
    """Several small networks, each a mark per item on top of the gate's score; their mean."""

    mean: Reals
    spread: Reals
    scale: Reals  # members
    weights: tuple[Reals, ...]  # members x width in x width out
    biases: tuple[Reals, ...]  # members x 1 x width out
    widest: float

    def __call__(self, scores: Reals, features: Reals) -> Reals:
        """Marks [cases, K] from scores [cases, K] and features [F, cases, K]."""
        told = features.reshape(len(features), -1) - self.mean[:, None]
        told /= self.spread[:, None]
        np.minimum(told, self.widest, out=told)
        np.maximum(told, -self.widest, out=told)
        x = told.T
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True), 1):
            x = x @ weight
            x += bias
            if layer < len(self.weights):
                x = gelu(x)
        members = len(self.scale)
        own = np.add.reduce(x.reshape(members, *scores.shape), 0)
        own /= np.float32(members)
        own += scores * self._slope
        return own

    @cached_property
    def _slope(self) -> np.float32:
        """How much of a score each mark is, in the mean."""
        return np.float32(self.scale.mean())


@dataclass(frozen=True)
class Reranking:
    """Puts the first items of each list in order; see ``Reranker``."""

    marks: Marks
    log_events: Reals  # of the items in training
    returning: bool
    first: int
    front: int

    def ordered(self, order: Ints) -> "Reranking":
        """The same with the items in another order."""
        parts = self.marks, self.log_events[order], self.returning, self.first, self.front
        return Reranking(*parts)

    def rerank(
        self,
        blended: Reals,
        asked: Asked,
        position: Ints,
        z_of: Callable[[Ints], Reals],
        among: Ints | None = None,
    ) -> None:
        """Deal the first scores of ``blended`` [cases, items] anew, in place.

        ``position`` says where each item row stands there; ``z_of`` gives the z-scores
        [models, cases, K] of rows [cases, K]. Cases without a history stay as they are. With
        ``among``, ascending places of some items, ``blended`` and rows are of these alone.
        """
        n, items = blended.shape
        place = position[asked.item]
        old = place < len(self.log_events)  # not added later
        case, place = asked.case[old], place[old]
        if among is not None:
            column = np.minimum(np.searchsorted(among, place), items - 1)
            there = among[column] == place
            case, place = case[there], column[there]
        open_to = blended
        if not self.returning and len(place):
            open_to = blended.copy()
            open_to[case, place] = -np.inf
        first = min(self.first, items)
        rows = _first_of_one(open_to[0], first)[None] if n == 1 else _first(open_to, first)
        every = np.arange(n)[:, None]
        scores, met = blended[every, rows], np.isneginf(open_to[every, rows])
        told = rows if among is None else among[rows]
        marks = self.marks(scores, self._features(z_of(rows), scores, told, asked, position))
        marks[met] = -np.inf
        new = np.argsort(-marks, axis=1, kind="stable")
        new[asked.empty] = np.arange(first)
        blended[every, rows[every, new]] = scores

    def _features(self, z: Reals, scores: Reals, rows: Ints, asked: Asked, position: Ints) -> Reals:
        """What members read [F, cases, K]."""
        n, first = scores.shape
        size = len(z) + 1
        out = np.empty((2 * size + 5, n, first), np.float32)
        heard, ahead, rest = out[:size], out[size : 2 * size], out[2 * size :]
        heard[:-1], heard[-1] = z, scores
        np.subtract(heard, heard[:, :, : self.front].mean(2, keepdims=True), out=ahead)
        history = asked.cases.history
        case = np.repeat(np.arange(n), history.lengths)
        place = position[history.item]
        old = place < len(self.log_events)
        met = np.bincount(case[old], self.log_events[place[old]], n)
        length = history.lengths.astype(np.float32)
        rest[0] = self.log_events[rows]
        rest[1] = rest[0] == 0
        rest[2] = np.arange(first, dtype=np.float32) / np.float32(self.first)
        rest[3], rest[4] = np.log1p(length)[:, None], (met / np.maximum(length, 1))[:, None]
        return out


def _first(scores: Reals, count: int) -> Ints:
    """The columns of the ``count`` largest scores of each row, the largest first."""
    if count >= scores.shape[1]:
        rows = np.broadcast_to(np.arange(count), scores.shape)
    elif count * BLOCK * 4 <= scores.shape[1]:  # few blocks hold them
        some = promising(scores, count)
        found = np.take_along_axis(scores, some, 1)
        part = np.argpartition(found, found.shape[1] - count, axis=1)[:, -count:]
        rows = np.take_along_axis(some, part, 1)
    else:
        rows = np.argpartition(scores, scores.shape[1] - count, axis=1)[:, -count:]
    order = np.argsort(-np.take_along_axis(scores, rows, 1), axis=1, kind="stable")
    return np.take_along_axis(rows, order, 1)


def _first_of_one(scores: Reals, count: int) -> Ints:
    """The same of a single row."""
    rows = np.arange(len(scores))
    if count < len(scores):
        rows = np.argpartition(scores, len(scores) - count)[-count:]
    return rows[np.argsort(-scores[rows], kind="stable")]
