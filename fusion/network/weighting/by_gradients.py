"""Weightings that read the gradients of the tasks: GradNorm, and gradient surgery by torchjd."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Float
from scipy.optimize import nnls
from torch import Tensor, nn

from trefoil.data.errors import ConfigError
from trefoil.fusion.network.weighting.base import Weighting

CAGRAD_RADIUS = 0.4  # of the ball around the mean gradient, as its authors chose most often


class GradientNorm(Weighting):
    """Gradients of one length for all tasks, longer where a task learns more slowly.

    Weights go to ``|w_i g_i - mean(w g) r_i ** ALPHA| = 0``, r the share of its first loss that a
    task has left, over the mean share. GradNorm, Chen et al. 2018, arXiv:1711.02257.
    """

    reads_gradients: ClassVar[bool] = True
    learning_rate: ClassVar[float] = 0.025
    ALPHA: ClassVar[float] = 1.5

    first: Tensor

    def __init__(self, base: Sequence[float]) -> None:
        super().__init__(base)
        self.share = nn.Parameter(torch.ones_like(self.base))
        self.register_buffer("first", torch.full_like(self.base, torch.nan))

    def forward(
        self,
        here: Sequence[int],
        losses: Float[Tensor, " tasks"],
        gramian: Float[Tensor, "tasks tasks"] | None,
    ) -> Float[Tensor, " tasks"]:
        assert gramian is not None
        rows = list(here)
        self.first[rows] = torch.where(self.first[rows].isnan(), losses, self.first[rows])
        share = self.share.detach()[rows].clamp(min=1e-3)
        share = share * len(rows) / share.sum()
        length = gramian.diagonal().clamp(min=0).sqrt()
        left = losses / self.first[rows].clamp(min=1e-12)
        wanted = (share * length).mean() * (left / left.mean()) ** self.ALPHA
        gradient = torch.zeros_like(self.share)
        gradient[rows] = (share * length - wanted).sign() * length
        self.share.grad = gradient
        return share


class Surgery(Weighting):
    """Gradients that point against each other are changed before they are added up.

    ``choose`` gives the weight of each from the products of all; weights add up to the number
    of tasks at most, so that a step is as long as without conflicts.
    """

    reads_gradients: ClassVar[bool] = True

    def __init__(self, base: Sequence[float], choose: Callable[[Any], Tensor]) -> None:
        super().__init__(base)
        self.choose = choose

    def forward(
        self,
        here: Sequence[int],
        losses: Float[Tensor, " tasks"],
        gramian: Float[Tensor, "tasks tasks"] | None,
    ) -> Float[Tensor, " tasks"]:
        del here, losses
        assert gramian is not None
        return self.choose(gramian)


def surgery(name: str, base: Sequence[float]) -> Surgery:
    """The surgery of this name. Raises ConfigError where its libraries are missing.

    PCGrad adds up what is left of each gradient (Yu et al. 2020, arXiv:2001.06782); CAGrad
    (Liu et al. 2021, arXiv:2110.14048), UPGrad (Quinton and Rey 2024, arXiv:2406.16232) and MGDA
    (Sener and Koltun 2018, arXiv:1810.04650) average it, and are multiplied by how many there are.
    """
    try:
        from torchjd import aggregation
        from torchjd.linalg import DualConeProjector

        class Projector(DualConeProjector):
            """The library's own needs a solver under another licence."""

            def __call__(self, U: Tensor, G: Tensor) -> Tensor:
                return projected(U, G)

        made: dict[str, Callable[[], Any]] = {
            "pcgrad": aggregation.PCGradWeighting,
            "cagrad": lambda: aggregation.CAGradWeighting(c=CAGRAD_RADIUS),
            "upgrad": lambda: aggregation.UPGradWeighting(projector=Projector()),
            "mgda": aggregation.MGDAWeighting,
        }
        choose = made[name]()
    except ImportError as error:
        raise ConfigError(
            f"tasks.weighting = {name!r} needs a library ({error}); pip install trefoil[multitask]"
        ) from None
    if name == "pcgrad":
        return Surgery(base, choose)
    return Surgery(base, lambda gramian: len(gramian) * choose(gramian))


def projected(asked: Float[Tensor, "n tasks"], gramian: Tensor) -> Float[Tensor, "n tasks"]:
    """Weights of gradients that point against none of them, nearest to those asked for.

    ``min v^T G v`` over ``v >= u`` for each row u, as least squares with ``v - u >= 0``.
    """
    values, vectors = np.linalg.eigh(gramian.detach().cpu().numpy().astype(np.float64))
    root = np.sqrt(np.maximum(values, 0))[:, None] * vectors.T
    root /= max(float(root.max(initial=0.0)), 1e-300)
    rows = asked.detach().cpu().numpy().astype(np.float64)
    found = np.stack([row + nnls(root, -root @ row)[0] for row in rows])
    return torch.as_tensor(found, dtype=gramian.dtype, device=gramian.device)
