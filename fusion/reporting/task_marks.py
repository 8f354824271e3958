"""How well each task is done on the test part, with the other tasks beside it and without."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from trefoil.data.items import Items
from trefoil.evaluation.exam import Exam, Scorer
from trefoil.evaluation.result import Result
from trefoil.fusion.network.module import JointNetwork
from trefoil.fusion.network.naming import own
from trefoil.fusion.network.tasks.categories import Category, category_shares
from trefoil.fusion.recommender import Recommender

METRICS = {"ranking": "ndcg@10", "category": "cross-entropy", "rating": "rmse"}


def task_marks(
    ours: str,
    scorers: Mapping[str, Scorer],
    results: Mapping[str, Result],
    exam: Exam,
    items: Items,
) -> dict[str, dict[str, Any]]:
    """By task its ``metric``, the ``value`` of our run, and ``without`` other tasks.

    ``scorers`` are our run and those retrained without a part (``without PART``), and
    ``results`` are theirs on the exam. Cross-entropy and RMSE are better where they are lower.
    Tasks that our run did not learn are left out.
    """
    names = {ours: ours} | {f"without {task}": task for task in METRICS}
    marks = {
        name: _marks(scorers[row], results[row], exam, items)
        for row, name in names.items()
        if row in scorers
    }
    told: dict[str, dict[str, Any]] = {}
    for task, value in marks.pop(ours).items():
        without = {name: mark[task] for name, mark in marks.items() if task in mark}
        told[task] = {"metric": METRICS[task], "value": value, "without": without}
    return told


def _marks(scorer: Scorer, result: Result, exam: Exam, items: Items) -> dict[str, float]:
    means = result.means()
    told = {task: means[metric] for task, metric in METRICS.items() if metric in means}
    networks = scorer.model.networks if isinstance(scorer, Recommender) else []
    losses = category_losses(networks, *wanted_categories(exam, items)) if items.category else []
    return told | ({"category": float(np.mean(losses))} if losses else {})


def wanted_categories(
    exam: Exam, items: Items
) -> tuple[Int[Tensor, " cases"], Float[Tensor, "cases C"]]:
    """Users of an exam and the mean shares of the categories of what is relevant to them."""
    share = category_shares(items)
    assert share is not None, "items with categories"
    case = np.repeat(np.arange(len(exam)), np.diff(exam.relevant.start))
    rows = torch.from_numpy(share[exam.relevant.item].toarray())
    total = rows.new_zeros(len(exam), rows.shape[1]).index_add(0, torch.from_numpy(case), rows)
    kept = total.sum(1) > 0
    wanted = total[kept] / total[kept].sum(1, keepdim=True)
    return torch.from_numpy(exam.cases.user)[kept], wanted


@torch.no_grad()
def category_losses(
    networks: Sequence[JointNetwork], user: Int[Tensor, " n"], wanted: Float[Tensor, "n C"]
) -> list[float]:
    """Mean cross-entropy of each network that learned categories."""
    name, found = Category.name, []
    for network in networks:
        if own(name) in network.heads:
            users = network.eval().vectors_of(name, network.pass_messages()).users[user]
            found.append(float(Category().loss(network.heads[own(name)](users), wanted).mean()))
    return found
