"""Weightings that read losses alone: uncertainty, DWA and FAMO."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from trefoil.fusion.network.weighting.base import Weighting

LEAST = 1e-8  # of a loss whose logarithm is taken


class Uncertainty(Weighting):
    """``exp(-s) L + s / 2`` for each task, s learned: what is told with more noise weighs less.

    At rest a weight is ``1 / (2 L)``. Starts at the base. Kendall et al. 2018,
    arXiv:1705.07115.
    """

    learning_rate: ClassVar[float] = 0.025

    def __init__(self, base: Sequence[float]) -> None:
        super().__init__(base)
        self.log_variance = nn.Parameter(-self.base.clamp(min=LEAST).log())

    def forward(
        self,
        here: Sequence[int],
        losses: Float[Tensor, " tasks"],
        gramian: Float[Tensor, "tasks tasks"] | None,
    ) -> Float[Tensor, " tasks"]:
        del gramian
        rows = list(here)
        weight = torch.exp(-self.log_variance.detach()[rows])
        gradient = torch.zeros_like(self.log_variance)
        gradient[rows] = 0.5 - weight * losses
        self.log_variance.grad = gradient
        return weight


class DynamicAverage(Weighting):
    """The base times ``T softmax(r / 2)``, r the share of a loss that its last round left.

    What falls more slowly weighs more. Dynamic weight averaging, Liu et al. 2019,
    arXiv:1803.10704.
    """

    TEMPERATURE: ClassVar[float] = 2.0

    earlier: Tensor
    last: Tensor

    def __init__(self, base: Sequence[float]) -> None:
        super().__init__(base)
        for name in ("earlier", "last"):
            self.register_buffer(name, torch.full_like(self.base, torch.nan))

    def forward(
        self,
        here: Sequence[int],
        losses: Float[Tensor, " tasks"],
        gramian: Float[Tensor, "tasks tasks"] | None,
    ) -> Float[Tensor, " tasks"]:
        del losses, gramian
        rows = list(here)
        left = (self.last[rows] / self.earlier[rows].clamp(min=LEAST)).nan_to_num(nan=1.0)
        return self.base[rows] * len(rows) * torch.softmax(left / self.TEMPERATURE, dim=0)

    def round_ended(self, means: Mapping[int, float]) -> None:
        for row, mean in means.items():
            self.earlier[row], self.last[row] = self.last[row].clone(), mean


class FastAdaptive(Weighting):
    """Losses fall at equal rates: weights ``c z_i / L_i`` with z a softmax that is learned.

    It learns from how far the logarithm of each loss fell in a step. FAMO, Liu et al. 2023,
    arXiv:2306.03792.
    """

    looks_back: ClassVar[bool] = True
    learning_rate: ClassVar[float] = 0.025
    DECAY: ClassVar[float] = 0.001

    def __init__(self, base: Sequence[float]) -> None:
        super().__init__(base)
        self.logits = nn.Parameter(torch.zeros_like(self.base))

    def forward(
        self,
        here: Sequence[int],
        losses: Float[Tensor, " tasks"],
        gramian: Float[Tensor, "tasks tasks"] | None,
    ) -> Float[Tensor, " tasks"]:
        del gramian
        share = torch.softmax(self.logits.detach()[list(here)], dim=0)
        rate = share / losses.clamp(min=LEAST)
        return rate / rate.sum()

    def look_back(self, here: Sequence[int], before: Tensor, after: Tensor) -> None:
        rows = list(here)
        fell = before.clamp(min=LEAST).log() - after.clamp(min=LEAST).log()
        share = torch.softmax(self.logits.detach()[rows], dim=0)
        gradient = self.DECAY * self.logits.detach()
        gradient[rows] += share * (fell - (share * fell).sum())
        self.logits.grad = gradient
