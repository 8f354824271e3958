"""Items with and without events: two groups, in each of which scores are standardised."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trefoil.fusion.plan.asked import Reals

LEAST = 1e-6  # spread of scores that tells items apart


@dataclass(frozen=True)
class Group:
    """Items side by side, how much each base model weighs there, and what all of them gain."""

    span: slice
    weights: Reals
    offset: float

    def __len__(self) -> int:
        return self.span.stop - self.span.start


@dataclass(frozen=True)
class Scale:
    """Mean and ``1 / spread`` of the scores of one group [models, cases]; 0 for no spread."""

    mean: Reals
    inverse: Reals


def inverse_of(spread: Reals) -> Reals:
    """``1 / spread``, and 0 where scores are as good as equal."""
    return np.where(spread > LEAST, 1 / np.maximum(spread, LEAST), 0.0)


def centred(scores: Reals, span: slice) -> tuple[Reals, Reals]:
    """Scores [..., items] less the first and then the mean of a group, in place there.

    What was taken off, and ``1 / spread``, are [...]: from the first of them, so that
    equal scores are exactly zero.
    """
    part = scores[..., span]
    first = part[..., :1].copy()
    part -= first
    mean = np.add.reduce(part, -1, keepdims=True) / np.float32(part.shape[-1])
    part -= mean
    square = np.vecdot(part, part) / part.shape[-1]
    return (first + mean)[..., 0], inverse_of(np.sqrt(square.astype(np.float64)))


def standardise(scores: Reals) -> Reals:
    """z-scores over all items [..., items], in place."""
    _, inverse = centred(scores, slice(0, scores.shape[-1]))
    scores *= inverse[..., None].astype(np.float32)
    return scores


@dataclass(frozen=True)
class Moments:
    """Mean [groups, width] and covariance [groups, width, width] of the matrix of a factor form."""

    mean: Reals
    covariance: Reals

    @classmethod
    def of(cls, matrix: Reals, spans: Sequence[slice]) -> "Moments":
        """Of the rows of a matrix [items, width] in each span."""
        pairs = [_moments(matrix[span]) for span in spans]
        return cls(*(np.stack(side) for side in zip(*pairs, strict=True)))

    def scale(self, query: Reals) -> tuple[Reals, Reals]:
        """Mean and variance [groups, cases] of the products of queries with a group's rows."""
        told = query.astype(np.float64)
        square = ((told @ self.covariance) * told).sum(-1)
        return self.mean @ told.T, square


def _moments(matrix: Reals) -> tuple[Reals, Reals]:
    """Mean and covariance of the rows of a matrix, some at a time."""
    mean = matrix.mean(0, dtype=np.float64)
    total = np.zeros((len(mean), len(mean)))
    for start in range(0, len(matrix), 4096):
        rest = matrix[start : start + 4096] - mean
        total += rest.T @ rest
    return mean, total / max(len(matrix), 1)
