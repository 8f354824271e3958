"""Metrics of single rows: labels, probabilities and stars.

Every function takes arrays of one length n, label 1 for a positive row and 0
else, and refuses values that are not finite.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special, stats

from trefoil.data.interactions import Ints

Column = NDArray[np.floating]
Labels = NDArray[np.floating] | NDArray[np.integer] | NDArray[np.bool_]


def auc(label: Labels, score: Column) -> float:
    """Chance that a positive row scores above a negative one; an equal score counts one half.

    (R - P(P+1)/2) / (P N), R the sum of mid-ranks of the P positives. Hanley &
    McNeil 1982. NaN where one class is missing. The whole part is one ranking:
    averaging over batches would change the value.

    >>> auc(np.array([1, 0, 0]), np.array([0.8, 0.8, 0.3]))
    0.75
    """
    label, score = _checked(label, score)
    positive = int(label.sum())
    negative = len(label) - positive
    if not positive or not negative:
        return float("nan")
    ranks = stats.rankdata(score)
    return float((ranks[label > 0].sum() - positive * (positive + 1) / 2) / (positive * negative))


def gauc(label: Labels, score: Column, group: Ints) -> float:
    """AUC within each group (user), weighted by its rows; groups of one class are left out.

    Zhou et al. 2018 (arXiv:1706.06978), eq. 7. NaN where no group has both classes.
    """
    label, score = _checked(label, score)
    order = np.argsort(group, kind="stable")
    total = weight = 0.0
    for rows in np.split(order, np.flatnonzero(np.diff(group[order])) + 1):
        value = auc(label[rows], score[rows])
        if not np.isnan(value):
            total, weight = total + value * len(rows), weight + len(rows)
    return total / weight if weight else float("nan")


def f1(label: Labels, score: Column, threshold: float) -> float:
    """2 TP / (2 TP + FP + FN), rows at or above the threshold called positive; 0 without TP.

    Van Rijsbergen 1979. The threshold comes from validation: ``best_threshold``.
    """
    label, score = _checked(label, score)
    called = score >= threshold
    hits = float((called & (label > 0)).sum())
    return float(2 * hits / (called.sum() + label.sum())) if hits else 0.0


def best_threshold(label: Labels, score: Column) -> float:
    """The score at which F1 is largest; the highest of equals; +inf without a positive row."""
    label, score = _checked(label, score)
    if not label.sum():
        return float("inf")
    order = np.argsort(-score, kind="stable")
    hits = np.cumsum(label[order])
    value = 2 * hits / (np.arange(1, len(order) + 1) + label.sum())
    ends = np.append(np.diff(score[order]) != 0, True)  # equal scores are called together
    return float(score[order][np.argmax(np.where(ends, value, -1.0))])


def rmse(stars: Column, predicted: Column) -> float:
    """sqrt(mean (s - p)^2), in the data's own units. Herlocker et al. 2004. NaN without rows."""
    stars, predicted = _checked(stars, predicted)
    return float(np.sqrt(np.mean((stars - predicted) ** 2))) if len(stars) else float("nan")


def mae(stars: Column, predicted: Column) -> float:
    """mean |s - p|, in the data's own units. Herlocker et al. 2004. NaN without rows."""
    stars, predicted = _checked(stars, predicted)
    return float(np.mean(np.abs(stars - predicted))) if len(stars) else float("nan")


def log_loss(label: Labels, probability: Column) -> float:
    """-mean(y log p + (1 - y) log(1 - p)); p is kept 1e-15 away from 0 and 1. NaN without rows.

    Good 1952, "Rational decisions". Raises ValueError for p outside [0, 1].
    """
    label, probability = _checked(label, probability, probability=True)
    if not len(label):
        return float("nan")
    p = np.clip(probability, 1e-15, 1 - 1e-15)
    return float(-np.mean(label * np.log(p) + (1 - label) * np.log1p(-p)))


@dataclass(frozen=True)
class Reliability:
    """Per bin of probability: how many rows, mean probability, share of positives."""

    count: NDArray[np.int64]
    probability: NDArray[np.float64]
    observed: NDArray[np.float64]

    @property
    def error(self) -> float:
        """ECE: sum_b (n_b / n) |observed_b - probability_b|; NaN without rows."""
        if not self.count.sum():
            return float("nan")
        gap = np.abs(self.observed - self.probability)
        return float((self.count * gap).sum() / self.count.sum())


def reliability(label: Labels, probability: Column, bins: int = 10) -> Reliability:
    """Bins of equal width over [0, 1], 1 in the last; empty bins hold zeros.

    Naeini et al. 2015, "Obtaining well calibrated probabilities using Bayesian
    binning"; the reading of Guo et al. 2017 (arXiv:1706.04599).
    """
    label, probability = _checked(label, probability, probability=True)
    which = np.minimum((probability * bins).astype(np.int64), bins - 1)
    count = np.bincount(which, minlength=bins).astype(np.int64)
    shared = np.maximum(count, 1)
    return Reliability(
        count,
        np.bincount(which, probability, bins) / shared,
        np.bincount(which, label, bins) / shared,
    )


@dataclass(frozen=True)
class Platt:
    """probability = 1 / (1 + exp(-(slope * score + offset))), fitted on validation rows.

    Platt 1999, "Probabilistic outputs for support vector machines", with his
    smoothed targets. The slope is never negative, so no order is reversed.
    """

    slope: float
    offset: float

    @classmethod
    def fit(cls, label: Labels, score: Column) -> Platt:
        label, score = _checked(label, score)
        spread = float(score.std()) or 1.0
        centre = float(score.mean()) if len(score) else 0.0
        z = (score - centre) / spread
        positive = label.sum()
        high, low = (positive + 1) / (positive + 2), 1 / (len(label) - positive + 2)
        target = np.where(label > 0, high, low)

        def loss(ab: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
            x = ab[0] * z + ab[1]
            value = np.mean(np.logaddexp(0.0, x) - target * x) if len(x) else 0.0
            slope = special.expit(x) - target
            return float(value), np.array([np.mean(slope * z), np.mean(slope)])

        found = optimize.minimize(
            loss, np.array([1.0, 0.0]), jac=True, bounds=[(0, None), (None, None)]
        )
        slope, offset = found.x
        return cls(float(slope / spread), float(offset - slope * centre / spread))

    def __call__(self, score: Column) -> NDArray[np.float64]:
        return special.expit(self.slope * np.asarray(score, np.float64) + self.offset)


def _checked(
    left: Labels, right: Column, *, probability: bool = False
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    left, right = np.asarray(left, np.float64), np.asarray(right, np.float64)
    if left.shape != right.shape or left.ndim != 1:
        raise ValueError(f"rows differ: {left.shape} labels, {right.shape} predictions")
    for name, column in (("label", left), ("prediction", right)):
        bad = np.flatnonzero(~np.isfinite(column))
        if len(bad):
            raise ValueError(f"{name} of row {bad[0]} is {column[bad[0]]}; it must be finite")
    if probability and len(right) and not (right.min() >= 0 and right.max() <= 1):
        raise ValueError(f"probabilities lie in {right.min()}..{right.max()}, not in 0..1")
    return left, right
