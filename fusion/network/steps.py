"""What one step of training computed, before any task reads it."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from torch import Tensor, nn

from trefoil.fusion.network.batches import Stretches
from trefoil.fusion.network.module import JointNetwork, Vectors, own
from trefoil.fusion.network.negative_sampling import Draws


@dataclass(frozen=True)
class Step:
    """A pass of the network over some of the training events."""

    network: JointNetwork
    sampler: Draws | None  # where all items would cost too much
    rng: np.random.Generator

    def head(self, task: str) -> nn.Module:
        """The head of a task."""
        return self.network.heads[own(task)]

    def sample(self, sampler: Draws) -> tuple[Int[Tensor, " S"], Float[Tensor, " S"]]:
        """Items drawn, and what to subtract from their scores."""
        rows, correction = sampler.draw(self.rng)
        device = self.network.item_bias.device
        return rows.to(device), correction.to(device)


@dataclass(frozen=True)
class UserStep(Step):
    """Some users, each perhaps in a scenario, and what they took; vectors of everybody.

    Pair ``p`` says that case ``case[p]`` took ``item[p]``, which weighs ``weight[p]``.
    """

    vectors: Vectors
    user: Int[Tensor, " B"]
    asked: Float[Tensor, "B D"]  # vectors of the users in their scenarios
    case: Int[Tensor, " n"]
    item: Int[Tensor, " n"]
    weight: Float[Tensor, " n"]
    people: np.ndarray  # the users, each once, ascending


@dataclass(frozen=True)
class WindowStep(Step):
    """Stretches of histories, and the state before each of their events but the first."""

    window: Stretches
    states: Float[Tensor, "n D"]
    item: Int[Tensor, " n"]  # that came next
    returning: bool  # whether people come back to items
