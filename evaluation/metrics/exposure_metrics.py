"""What popular items hide: exposure by group of items, and accuracy with popularity taken out."""

from __future__ import annotations

import numpy as np

from trefoil.data.errors import ConfigError
from trefoil.data.interactions import Bools, Ints
from trefoil.evaluation.metrics.ranking_metrics import PerCase
from trefoil.evaluation.ranking import Ranks


def exposure(ranks: Ranks, k: int, group: Bools) -> float:
    """Share of the attention of all lists that items of a group [items] get.

    Place p draws 1 / log2(1 + p). Singh & Joachims 2018, "Fairness of exposure in
    rankings" (arXiv:1802.07281). NaN where no list holds anything.
    """
    top = ranks.top[:, :k]
    drawn = np.where(top >= 0, 1.0 / np.log2(np.arange(2, top.shape[1] + 2)), 0.0)
    inside = group[np.maximum(top, 0)]
    return float((drawn * inside).sum() / drawn.sum()) if drawn.any() else float("nan")


def propensity_weights(counts: Ints, power: float) -> PerCase:
    """``max(c, 1)^-power`` of items that were met c times in training.

    What is popular is met, and so held out, more often than it is liked: an item is
    taken to be observed with a probability proportional to ``c^power``. Yang et al.
    2018, "Unbiased offline recommender evaluation for missing-not-at-random implicit
    feedback" (doi:10.1145/3240323.3240355). Raises ConfigError below 0.
    """
    if power < 0:
        raise ConfigError(f"power = {power}: give 0 (nothing is weighed) or more")
    return np.maximum(counts, 1).astype(np.float64) ** -power


def debiased(ranks: Ranks, k: int, weights: PerCase) -> dict[str, float]:
    """Accuracy over all relevant pairs of a case and an item, weighted by the item.

    ``sum_j w_j g_j / sum_j w_j`` over relevant pairs j at places p_j: ``recall`` has g = 1
    where p <= k, ``gain`` g = 1 / log2(1 + p) there (the NDCG of one relevant item).
    Self-normalised inverse propensity scoring (Swaminathan & Joachims 2015).
    ``plain-recall`` and ``plain-gain`` are the same with equal weights;
    ``effective-pairs`` is ``(sum w)^2 / sum w^2``. NaN without a pair.
    """
    weight = weights[ranks.relevant.item]
    inside = ranks.place <= k
    gain = np.where(inside, 1.0 / np.log2(1.0 + ranks.place), 0.0)
    if not len(weight):
        nothing = float("nan")
        names = ("recall", "gain", "plain-recall", "plain-gain")
        return dict.fromkeys(names, nothing) | {"effective-pairs": 0.0}
    total = weight.sum()
    return {
        "recall": float((weight * inside).sum() / total),
        "gain": float((weight * gain).sum() / total),
        "plain-recall": float(inside.mean()),
        "plain-gain": float(gain.mean()),
        "effective-pairs": float(total**2 / np.square(weight).sum()),
    }
