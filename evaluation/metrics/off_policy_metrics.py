"""What other lists would have earned, from a log of clicks whose propensities are known.

IPS weighs each logged line by ``target / logged`` (Horvitz & Thompson 1952); SNIPS divides by the
mean weight (Swaminathan & Joachims 2015, "The self-normalized estimator for
counterfactual learning"): a little biased, far steadier.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trefoil.data.errors import DataError
from trefoil.data.interactions import Bools


@dataclass(frozen=True)
class OffPolicy:
    """Mean reward per logged line: as logged, by IPS and by SNIPS, with standard errors.

    ``effective`` is the number of lines that the weights amount to, ``(sum w)^2 / sum w^2``;
    ``clipped`` the share of weights that were cut.
    """

    lines: int
    logged: float
    ips: float
    ips_error: float
    snips: float
    snips_error: float
    effective: float
    clipped: float

    @property
    def reliable(self) -> bool:
        """Whether a hundred lines or more speak, and few weights were cut."""
        return self.effective >= 100 and self.clipped <= 0.05


def off_policy(
    reward: NDArray[Any], logged: NDArray[Any], target: NDArray[Any], *, clip: float | None = None
) -> OffPolicy:
    """Estimates for a policy from lines that another one logged.

    ``logged`` and ``target`` are the probabilities with which the old and the new policy
    show what was shown. ``clip`` is the largest weight; cutting lowers the variance and
    biases towards zero. Raises DataError for probabilities and a ``clip`` that cannot be.
    """
    if clip is not None and not clip > 0:
        raise DataError(f"click log: clip = {clip}; give a weight above 0")
    reward, logged, target = (np.asarray(one, np.float64) for one in (reward, logged, target))
    if not len(reward) or not len(reward) == len(logged) == len(target):
        raise DataError("click log: give one reward and two probabilities for each line")
    if not (logged > 0).all() or (logged > 1).any():
        bad = int(np.flatnonzero(~((logged > 0) & (logged <= 1)))[0])
        raise DataError(
            f"click log: line {bad + 1} has propensity {logged[bad]}; what was shown had a "
            "probability above 0 and up to 1: log it when the list is made"
        )
    if not ((target >= 0) & (target <= 1)).all() or not np.isfinite(reward).all():
        raise DataError("click log: probabilities lie within 0 and 1, and rewards are finite")
    weight = target / logged
    cut = np.zeros(len(weight), bool) if clip is None else weight > clip
    weight = weight if clip is None else np.minimum(weight, clip)
    n, total = len(weight), weight.sum()
    earned = weight * reward
    snips = float(earned.sum() / total) if total else float("nan")
    residual = weight * (reward - snips)
    return OffPolicy(
        n,
        float(reward.mean()),
        float(earned.mean()),
        float(earned.std(ddof=1) / np.sqrt(n)) if n > 1 else float("nan"),
        snips,
        float(np.sqrt(np.square(residual).sum()) / total) if total else float("nan"),
        float(total**2 / np.square(weight).sum()) if total else 0.0,
        float(cut.mean()),
    )


def shown_again(item: NDArray[np.int64], top: NDArray[np.int64]) -> Bools:
    """Whether each logged item is in the new list of its line, ``top`` [lines, k] of item rows.

    As ``target`` of ``off_policy``: what a list without chance shows, it shows surely. Places in
    the list are taken to draw clicks alike. Rows of -1 are no items: one that nobody knows,
    and a place where candidates ran out.
    """
    item = np.asarray(item)
    return (np.asarray(top) == item[:, None]).any(1) & (item >= 0)
