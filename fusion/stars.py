"""Expected ratings: those of the networks and of the process, blended on validation ratings."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from data.histories import Cases
from evaluation.rows import Rater, RowExam
from fusion.ratings import RatingProcess

TRUST = 20.0  # validation ratings that weigh as much as the start
START_BOTH, START_ALONE = (0.5, 0.5, 0.0), (1.0, 0.0)
BATCH = 256  # cases asked at once


@dataclass(frozen=True)
class Stars:
    """``mean + sum_k w_k (s_k - mean) + shift`` over the two ways of rating.

    Weights that add up to less than one take back what was learned too well. Items
    that the process does not answer have weights for the networks alone.
    """

    low: float
    high: float
    mean: float
    both: tuple[float, ...]  # weights of the networks and of the process, shift
    alone: tuple[float, ...]  # weight of the networks, shift
    process: RatingProcess | None

    def blend(
        self, learned: Float[Tensor, "cases items"], cases: Cases
    ) -> Float[Tensor, "cases items"]:
        """Expected ratings in data units, within the scale of the data.

        ``learned`` are those of the networks.
        """
        learned = learned - self.mean
        weight, shift = self.alone
        blended = weight * learned + shift
        if self.process is not None:
            kept = torch.from_numpy(self.process.kept)
            first, second, shift = self.both
            other = self.process.stars(cases) - self.mean
            blended[:, kept] = first * learned[:, kept] + second * other + shift
        return (self.mean + blended).clamp(self.low, self.high)


def fit_stars(
    network: Rater, process: RatingProcess | None, given: np.ndarray, exam: RowExam | None
) -> Stars:
    """The blend that serves validation ratings best by least squares.

    ``given`` are training ratings: their scale and mean.
    """
    mean = float(given.mean())
    both, alone = START_BOTH, START_ALONE
    if exam is not None:
        learned, other = _answers(network, process, exam)
        rest, known = exam.label - mean, ~np.isnan(other)
        both = _line(np.stack([learned[known], other[known]]) - mean, rest[known], both)
        alone = _line(learned[None] - mean, rest, alone)
    return Stars(float(given.min()), float(given.max()), mean, both, alone, process)


def _answers(
    network: Rater, process: RatingProcess | None, exam: RowExam
) -> tuple[np.ndarray, np.ndarray]:
    """Of the rows asked for: what the networks say, and the process, NaN where it is silent."""
    learned, other = np.empty(len(exam)), np.full(len(exam), np.nan)
    place = np.full(exam.items, -1)
    if process is not None:
        place[process.kept] = np.arange(len(process.kept))
    order = np.argsort(exam.case, kind="stable")
    for begin in range(0, len(exam.cases), BATCH):
        cases = exam.cases.take(np.arange(begin, min(begin + BATCH, len(exam.cases))))
        first, last = np.searchsorted(exam.case[order], [begin, begin + len(cases)])
        rows = order[first:last]
        learned[rows] = network.stars(cases)[exam.case[rows] - begin, exam.item[rows]].cpu()
        rows = rows[place[exam.item[rows]] >= 0]
        if process is not None:
            other[rows] = process.stars(cases)[exam.case[rows] - begin, place[exam.item[rows]]]
    return learned, other


def _line(columns: np.ndarray, rest: np.ndarray, start: tuple[float, ...]) -> tuple[float, ...]:
    """Least squares with a shift; ``TRUST`` more rows say that the start is right."""
    table = np.concatenate([columns, np.ones((1, columns.shape[1]))]).T
    if not len(table):
        return start
    size = TRUST * np.diag(np.maximum(np.square(table).mean(0), 1e-9))
    found = np.linalg.solve(table.T @ table + size, table.T @ rest + size @ np.array(start))
    return tuple(found.tolist())
