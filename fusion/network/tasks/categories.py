"""Tasks of classes: the categories of what is taken."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from trefoil.fusion.network import objectives
from trefoil.fusion.network.steps import UserStep
from trefoil.fusion.network.tasks.base import Rows, Target, Task, TaskData


@dataclass(frozen=True)
class Category(Task):
    """Cross-entropy: the categories of what a user took, from the vector of the user."""

    name: ClassVar[str] = "category"
    everywhere: ClassVar[bool] = False

    def target(self, data: TaskData) -> Target | None:
        share = category_shares(data)
        return None if share is None else Target({"share": share}, outputs=share.shape[1])

    def rows(self, step: UserStep, target: Target) -> Rows:
        share = target.tensors["share"]
        wanted, known = mean_share(share, step.case, step.item, len(step.user))
        told = step.head(self.name)(step.vectors_of(self.name).users[step.user])[known]
        return Rows((told, wanted))

    def loss(
        self, logits: Float[Tensor, "n C"], share: Float[Tensor, "n C"]
    ) -> Float[Tensor, " n"]:
        return objectives.cross_entropy(logits, share)


def category_shares(data: TaskData) -> Float[Tensor, "items C"] | None:
    """Shares of the categories of each item, all columns side by side; None without columns.

    Rows sum to one, and to zero where nothing is known.
    """
    columns = [labels.matrix() for labels in data.items.category.values()]
    if not columns:
        return None
    member = torch.from_numpy(np.concatenate(columns, axis=1)).float()
    return member / member.sum(1, keepdim=True).clamp(min=1)


def mean_share(
    share: Float[Tensor, "items C"], case: Tensor, item: Tensor, cases: int
) -> tuple[Float[Tensor, "n C"], Bool[Tensor, " B"]]:
    """Mean category shares of each case's items, for the cases that have any."""
    total = share.new_zeros(cases, share.shape[1]).index_add(0, case, share[item])
    size = total.sum(1, keepdim=True)
    known = size[:, 0] > 0
    return (total / size.clamp(min=1e-9))[known], known
