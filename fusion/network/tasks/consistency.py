"""The task of being sure: what dropout leaves of a person tells that person from others."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from trefoil.fusion.network import objectives
from trefoil.fusion.network.steps import UserStep
from trefoil.fusion.network.tasks.base import Rows, Target, Task, TaskData


@dataclass(frozen=True)
class Consistency(Task):
    """Contrast between two passes of the network that drop other things, for users of a step.

    Each pass drops numbers of vectors and the ids and edges of items anew. After SGL (Wu et
    al. 2021, arXiv:2010.10783) and R-Drop (Liang et al. 2021, arXiv:2106.14448). Steps that
    read the rows of their batch alone are left out.
    """

    name: ClassVar[str] = "consistency"
    everywhere: ClassVar[bool] = False

    def target(self, data: TaskData) -> Target:
        return Target()

    def rows(self, step: UserStep, target: Target) -> Rows | None:
        if step.again is None:
            return None
        people = torch.from_numpy(step.people).to(step.user.device)
        other = step.network.vectors_of(self.name, step.again())
        return Rows((step.vectors_of(self.name).users[people], other.users[people]))

    def loss(self, one: Float[Tensor, "n D"], other: Float[Tensor, "n D"]) -> Float[Tensor, " n"]:
        return objectives.contrast(one, other)
