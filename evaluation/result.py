"""One model's answers to one exam, in numbers."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from trefoil.data.interactions import Ints
from trefoil.evaluation.exam import Exam, Scorer
from trefoil.evaluation.metrics.list_metrics import Background, measure_lists
from trefoil.evaluation.metrics.ranking_metrics import METRICS, PerCase, measure, split_name
from trefoil.evaluation.ranking import Ranks, rank

PLAIN = (
    "recall@10",
    "ndcg@10",
    "mrr@10",
    "hit@10",
    "recall@20",
    "ndcg@20",
    "coverage@10",
)


@dataclass(frozen=True)
class Result:
    """``per_case`` holds one value per case and metric; ``overall`` what has no cases.

    ``seconds`` is the time spent scoring and ranking; ``users`` the user row of each case.
    """

    name: str
    per_case: Mapping[str, PerCase]
    seconds: float
    overall: Mapping[str, float] = field(default_factory=dict)
    users: Ints = field(default_factory=lambda: np.empty(0, np.int64))

    def means(self) -> dict[str, float]:
        """Means over the cases that have a value (NaN if none has), and the overall values."""
        means = {
            name: float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")
            for name, values in self.per_case.items()
        }
        return means | dict(self.overall)


def examine(
    name: str,
    scorer: Scorer,
    exam: Exam,
    metrics: Sequence[str] = PLAIN,
    *,
    background: Background | None = None,
    seed: int = 0,
) -> Result:
    """Rank once and measure everything asked for."""
    began = time.perf_counter()
    ranks = rank(scorer, exam, deepest(metrics), seed=seed)
    return summarise(name, ranks, metrics, time.perf_counter() - began, background)


def deepest(metrics: Sequence[str]) -> int:
    """The largest cut-off among metric names, at least 1: how long lists must be."""
    return max([1, *(split_name(name)[1] for name in metrics)])


def summarise(
    name: str,
    ranks: Ranks,
    metrics: Sequence[str],
    seconds: float = 0.0,
    background: Background | None = None,
) -> Result:
    """Measure ranks that were made before."""
    from_places = [name for name in metrics if split_name(name)[0] in METRICS]
    from_lists = [name for name in metrics if name not in from_places]
    per_case, overall = measure_lists(ranks, from_lists, background)
    return Result(name, measure(ranks, from_places) | per_case, seconds, overall, ranks.user)
