"""Tasks of classes: the categories of what is taken."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from scipy import sparse
from torch import Tensor

from trefoil.data.items import Items
from trefoil.evaluation.exam import Exam
from trefoil.fusion.network import objectives
from trefoil.fusion.network.naming import own
from trefoil.fusion.network.steps import UserStep
from trefoil.fusion.network.tasks.base import Rows, Target, Task, TaskData


@dataclass(frozen=True)
class Category(Task):
    """Cross-entropy: the categories of what a user took, from the vector of the user."""

    name: ClassVar[str] = "category"
    everywhere: ClassVar[bool] = False
    metric: ClassVar[str] = "cross-entropy"

    def target(self, data: TaskData) -> Target | None:
        share = category_shares(data.items)
        if share is None:
            return None
        tensors = {"start": share.indptr, "code": share.indices, "share": share.data}
        tensors = {name: torch.from_numpy(one) for name, one in tensors.items()}
        return Target(tensors, outputs=share.shape[1])

    def rows(self, step: UserStep, target: Target) -> Rows:
        wanted, known = mean_share(target, step.case, step.item, len(step.user))
        told = step.head(self.name)(step.vectors_of(self.name).users[step.user])[known]
        return Rows((told, wanted))

    def loss(
        self, logits: Float[Tensor, "n C"], share: Float[Tensor, "n C"]
    ) -> Float[Tensor, " n"]:
        return objectives.cross_entropy(logits, share)

    @torch.no_grad()
    def mark(self, networks: Sequence[Any], exam: Exam, items: Items) -> float | None:
        """Mean cross-entropy over the cases whose relevant items have categories."""
        own_name, losses = own(self.name), []
        for network in networks:
            if own_name in network.heads:
                user, wanted = wanted_categories(exam, items)
                users = network.eval().vectors_of(self.name, network.pass_messages()).users[user]
                losses.append(float(self.loss(network.heads[own_name](users), wanted).mean()))
        return float(np.mean(losses)) if losses else None


def category_shares(items: Items) -> sparse.csr_matrix | None:
    """Shares of the categories of each item [items, C], all columns side by side.

    Rows sum to one, and to zero where nothing is known. None without columns.
    """
    columns = list(items.category.values())
    if not columns:
        return None
    share = sparse.hstack([one.sparse_matrix() for one in columns], format="csr", dtype=np.float32)
    share.data /= np.repeat(np.diff(share.indptr), np.diff(share.indptr)).astype(np.float32)
    share.indptr, share.indices = share.indptr.astype(np.int64), share.indices.astype(np.int64)
    return share


def mean_share(
    target: Target, case: Tensor, item: Tensor, cases: int
) -> tuple[Float[Tensor, "n C"], Bool[Tensor, " B"]]:
    """Mean category shares of each case's items, for the cases that have any."""
    start, code, share = (target.tensors[name] for name in ("start", "code", "share"))
    count = start[item + 1] - start[item]
    ends = count.cumsum(0)
    within = torch.arange(int(count.sum()), device=count.device)
    at = within + (start[item] - (ends - count)).repeat_interleave(count)
    place = case.repeat_interleave(count) * target.outputs + code[at]
    total = share.new_zeros(cases * target.outputs).index_add(0, place, share[at])
    total = total.view(cases, target.outputs)
    size = total.sum(1, keepdim=True)
    known = size[:, 0] > 0
    return (total / size.clamp(min=1e-9))[known], known


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
