"""Expected ratings: those of the networks and of the process, blended on validation ratings."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from trefoil.data.histories import Cases
from trefoil.evaluation.protocols.pointwise_exam import Rater, RowExam, row_answers
from trefoil.fusion.features.star_scale import scale_of
from trefoil.fusion.models.base import ScoringModel
from trefoil.fusion.models.gaussian_process import RatingProcess, expected_rows
from trefoil.fusion.network.scorers import NetworkScorer

TRUST = 20.0  # validation ratings that weigh as much as the start
START_BOTH, START_ALONE = (0.5, 0.5, 0.0), (1.0, 0.0)


@dataclass(frozen=True)
class RatingBlend:
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


def raters(
    base_models: Mapping[str, ScoringModel],
) -> tuple[NetworkScorer | None, RatingProcess | None]:
    """The two base models that expect ratings, where a blend has them."""
    network, process = base_models.get("network"), base_models.get("rating-process")
    assert network is None or isinstance(network, NetworkScorer)
    assert process is None or isinstance(process, RatingProcess)
    return network, process


def fit_stars(
    network: Rater, process: RatingProcess | None, given: np.ndarray, exam: RowExam | None
) -> RatingBlend:
    """The blend that serves validation ratings best by least squares.

    ``given`` are training ratings: their scale and mean.
    """
    mean, unit = scale_of(given)
    both, alone = START_BOTH, START_ALONE
    if exam is not None:
        learned = (row_answers(network.stars, "networks", exam) - mean) / unit
        rest = (exam.label - mean) / unit
        *weights, shift = _line(learned[None], rest, alone)
        alone = (*weights, unit * shift)
        if process is not None:
            rows, other = expected_rows(process, exam)
            columns = np.stack([learned[rows], (other - mean) / unit])
            *weights, shift = _line(columns, rest[rows], both)
            both = (*weights, unit * shift)
    return RatingBlend(float(given.min()), float(given.max()), mean, both, alone, process)


def _line(columns: np.ndarray, rest: np.ndarray, start: tuple[float, ...]) -> tuple[float, ...]:
    """Least squares with a shift; ``TRUST`` more rows say that the start is right."""
    table = np.concatenate([columns, np.ones((1, columns.shape[1]))]).T
    if not len(table):
        return start
    size = TRUST * np.diag(np.maximum(np.square(table).mean(0), 1e-9))
    found = np.linalg.solve(table.T @ table + size, table.T @ rest + size @ np.array(start))
    return tuple(found.tolist())
