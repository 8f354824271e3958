"""A model judged from Python: any metrics, any cut-offs, and what each user's list was worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import polars as pl

from trefoil.data.dataset import Dataset
from trefoil.data.errors import ConfigError
from trefoil.data.split import Split, split_events
from trefoil.evaluation.exam import Scorer
from trefoil.evaluation.metrics.list_metrics import Background
from trefoil.evaluation.metrics.ranking_metrics import METRICS
from trefoil.evaluation.protocols.protocols import exam_for
from trefoil.evaluation.result import examine


@dataclass(frozen=True)
class Judgement:
    """Means by name, such as ``ndcg@10``, and a table user, then one column for each metric.

    The table has a row for each case; a user may have several, one for each held-out event.
    """

    means: Mapping[str, float]
    per_user: pl.DataFrame


def judge(
    scorer: Scorer,
    dataset: Dataset,
    split: Split | None = None,
    *,
    metrics: Sequence[str] = ("ndcg", "recall"),
    k: int | Sequence[int] = 10,
    part: Literal["valid", "test"] = "test",
) -> Judgement:
    """Ask a model the exam of a part of the data and measure its lists.

    ``metrics`` are names, each measured at every ``k`` unless it has a cut-off of its own
    (``recall@50``) or knows none (``auc``). ``split`` is the dataset's own with seed 0 unless
    told. Raises ConfigError for a part that is none, ValueError for an unknown metric.
    """
    if part not in ("valid", "test"):
        raise ConfigError(f"part = {part!r}: give 'valid' or 'test'")
    split = split or split_events(dataset, 0)
    cuts = [k] if isinstance(k, int) else list(k)
    names = [
        one if "@" in one or one == "auc" else f"{one}@{cut}" for one in metrics for cut in cuts
    ]
    exam = exam_for(dataset, split, part)
    background = None
    if any(one.partition("@")[0] not in METRICS for one in names):
        train = dataset.interactions.take(split.train)
        background = Background.of(train, len(dataset.users), len(dataset.items))
    found = examine("model", scorer, exam, list(dict.fromkeys(names)), background=background)
    users = dataset.users.vocabulary
    table = pl.DataFrame(
        {"user": [users[row] for row in found.users.tolist()], **dict(found.per_case)}
    )
    return Judgement(found.means(), table)
