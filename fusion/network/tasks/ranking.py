"""The tasks that rank: what users took among all items, and what they took next."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from trefoil.fusion.network import objectives
from trefoil.fusion.network.steps import Step, UserStep, WindowStep
from trefoil.fusion.network.tasks.base import Rows, Target, Task, TaskData


@dataclass(frozen=True)
class Ranking(Task):
    """Softmax over all items, or a sample of them: the one that was taken."""

    name: ClassVar[str] = "ranking"

    def target(self, data: TaskData) -> Target:
        return Target()

    def rows(self, step: UserStep, target: Target) -> Rows:
        network, items = step.network, step.vectors.items
        if step.sampler is None:
            scores = network.order_scores(step.asked, items)
            picked = scores[step.case, step.item]
            total = torch.logsumexp(scores, dim=1)[step.case]
        else:
            drawn, correction = step.sample(step.sampler)
            picked = network.pair_scores(step.asked[step.case], items, step.item)
            sample = network.order_scores(step.asked, items, drawn) - correction
            total = objectives.over_sample(picked, sample, step.case)
        return Rows((picked, total), step.weight)

    def loss(self, picked: Float[Tensor, " n"], total: Float[Tensor, " n"]) -> Float[Tensor, " n"]:
        return objectives.softmax(picked, total)


@dataclass(frozen=True)
class NextItem(Task):
    """Softmax over all items, or a sample of them: the one that came next."""

    name: ClassVar[str] = "next_item"
    reads: ClassVar[type[Step]] = WindowStep
    smoothing: float = 0.0  # share of the target on all items alike
    only_new: bool = True  # items met before are no rivals, unless people return

    def target(self, data: TaskData) -> Target:
        return Target()

    def rows(self, step: WindowStep, target: Target) -> Rows:
        network, states, item = step.network, step.states, step.item
        if step.sampler is None:
            scores = network.next_scores(states)
            if self.only_new and not step.returning:
                with torch.no_grad():  # a share of zero in the softmax: no gradient to mask
                    scores[step.window.met_before()] = -torch.inf
            picked = scores[torch.arange(len(item), device=item.device), item]
            total = torch.logsumexp(scores, dim=1)
        else:
            drawn, correction = step.sample(step.sampler)
            picked = network.next_pair_scores(states, item)
            total = objectives.over_sample(picked, network.next_scores(states, drawn) - correction)
        return Rows((picked, total, network.next_mean(states)))

    def loss(
        self,
        picked: Float[Tensor, " n"],
        total: Float[Tensor, " n"],
        mean: Float[Tensor, " n"],
    ) -> Float[Tensor, " n"]:
        return objectives.next_item(picked, total, mean, smoothing=self.smoothing)
