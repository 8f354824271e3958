"""What a weighting is: losses, and gradients where it reads them, to one weight per task."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn


class Weighting(nn.Module, ABC):
    """One weight for the loss of each task, decided anew in every step.

    ``base`` are the weights that settings give: where it starts, or what it multiplies.
    Tasks that are not in a step have a place all the same; ``here`` says which are.
    What it learns are parameters, whose gradients ``forward`` sets itself.
    """

    reads_gradients: ClassVar[bool] = False  # whether it needs each task's gradient, every step
    looks_back: ClassVar[bool] = False  # whether it needs the losses after a step as well
    learning_rate: ClassVar[float] = 0.0  # of what it learns

    base: Tensor

    def __init__(self, base: Sequence[float]) -> None:
        super().__init__()
        self.register_buffer("base", torch.tensor(base, dtype=torch.float32))

    @abstractmethod
    def forward(
        self,
        here: Sequence[int],
        losses: Float[Tensor, " tasks"],
        gramian: Float[Tensor, "tasks tasks"] | None,
    ) -> Float[Tensor, " tasks"]:
        """Weights of the losses of the tasks ``here``, none of which carries a gradient.

        ``gramian`` holds the products of their gradients on the weights they share, each
        times its base; only where it ``reads_gradients``. Its weights then are of those
        products, on the shared weights alone; other weights learn by the base.
        """

    def look_back(self, here: Sequence[int], before: Tensor, after: Tensor) -> None:
        """Learn from the losses of one batch, before a step and after it."""

    def round_ended(self, means: Mapping[int, float]) -> None:
        """Learn from the mean losses of the tasks between two looks at validation."""


class Static(Weighting):
    """The weights that settings give."""

    def forward(
        self,
        here: Sequence[int],
        losses: Float[Tensor, " tasks"],
        gramian: Float[Tensor, "tasks tasks"] | None,
    ) -> Float[Tensor, " tasks"]:
        del losses, gramian
        return self.base[list(here)]
