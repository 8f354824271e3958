"""What one step of training computed, before any task reads it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from trefoil.data.domains import DOMAIN
from trefoil.fusion.network.batches import Stretches
from trefoil.fusion.network.module import ALL, JointNetwork, Rows
from trefoil.fusion.network.naming import own
from trefoil.fusion.network.negative_sampling import Draws
from trefoil.fusion.network.vectors import SomeVectors, Vectors


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

    def draw(self, count: int, size: int) -> Int[Tensor, " size"]:
        """Rows below ``count``, drawn evenly with repetition."""
        rows = torch.from_numpy(self.rng.integers(0, count, size))
        return rows.to(self.network.item_bias.device)


@dataclass(frozen=True)
class UserStep(Step):
    """Some users, each perhaps in a scenario, and what they took; vectors of everybody.

    Pair ``p`` says that case ``case[p]`` took ``item[p]``, which weighs ``weight[p]``.
    """

    vectors: Vectors | SomeVectors  # shared, before any trunk
    user: Int[Tensor, " B"]
    scenario: Mapping[str, Int[Tensor, " B"]]
    case: Int[Tensor, " n"]
    item: Int[Tensor, " n"]
    weight: Float[Tensor, " n"]
    people: np.ndarray  # the users, each once, ascending
    again: Callable[[], Vectors] | None = None  # another pass, with other things dropped
    within: Int[Tensor, " m"] | None = None  # items that have vectors, where not all have
    read: dict[str, Vectors] = field(default_factory=dict)  # by task, once asked for

    def vectors_of(self, task: str) -> Vectors | SomeVectors:
        """Vectors as a task reads them."""
        if isinstance(self.vectors, SomeVectors):  # networks with a trunk never make these
            return self.vectors
        if task not in self.read:
            self.read[task] = self.network.vectors_of(task, self.vectors)
        return self.read[task]

    def asked(self, task: str) -> Float[Tensor, "B D"]:
        """Vectors of the users in their scenarios, as a task reads them."""
        users = self.vectors_of(task).users[self.user]
        return self.network.in_scenario(users, self.scenario)

    def outside(self, rows: Rows = ALL) -> Bool[Tensor, "B picked"] | None:
        """Which items are of another domain than each group is in; None without domains."""
        rivals, asked = self.network.rivals, self.scenario.get(DOMAIN)
        return None if rivals is None or asked is None else rivals.outside(asked, rows)


@dataclass(frozen=True)
class WindowStep(Step):
    """Stretches of histories, and the state before each of their events but the first."""

    window: Stretches
    states: Float[Tensor, "n D"]
    item: Int[Tensor, " n"]  # that came next
    returning: bool  # whether people come back to items
