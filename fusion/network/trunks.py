"""Trunks: what stands between the shared vectors and the heads, so that tasks share in part."""

from collections.abc import Callable, Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from trefoil.fusion.network.naming import own

LEVELS = 2  # of progressive extraction


class Experts(nn.Module):
    """Small networks side by side; each starts at zero, so that a trunk starts at what it reads.

    Without biases: of whom nothing is known, whose vector is zero, nothing is said.
    """

    def __init__(self, width: int, count: int) -> None:
        super().__init__()
        self.first = nn.Parameter(torch.empty(width, count, width))
        self.second = nn.Parameter(torch.zeros(count, width, width))
        nn.init.normal_(self.first, std=width**-0.5)

    def forward(self, x: Float[Tensor, "n D"]) -> Float[Tensor, "n experts D"]:
        hidden = F.gelu(torch.einsum("nd,dkh->nkh", x, self.first))
        return torch.einsum("nkh,khd->nkd", hidden, self.second)


def mixed(
    gate: nn.Linear, x: Float[Tensor, "n D"], told: Float[Tensor, "n experts D"]
) -> Float[Tensor, "n D"]:
    """``x`` and what the experts say of it, weighed by a softmax over them."""
    weight = torch.softmax(gate(x), dim=1)
    return x + (weight[:, :, None] * told).sum(1)


class SharedBottom(nn.Module):
    """One network for all tasks. Caruana 1997, doi:10.1023/A:1007379606734."""

    def __init__(self, width: int, tasks: Sequence[str], experts: int) -> None:
        del tasks, experts
        super().__init__()
        self.bottom = Experts(width, 1)

    def forward(self, x: Float[Tensor, "n D"], task: str) -> Float[Tensor, "n D"]:
        del task
        return x + self.bottom(x)[:, 0]


class MixtureOfExperts(nn.Module):
    """Experts that all tasks share, and a gate of its own for each task.

    MMoE, Ma et al. 2018, doi:10.1145/3219819.3220007.
    """

    def __init__(self, width: int, tasks: Sequence[str], experts: int) -> None:
        super().__init__()
        self.experts = Experts(width, experts)
        self.gates = nn.ModuleDict({own(one): nn.Linear(width, experts) for one in tasks})

    def forward(self, x: Float[Tensor, "n D"], task: str) -> Float[Tensor, "n D"]:
        return mixed(self.gates[own(task)], x, self.experts(x))  # type: ignore[arg-type]


class ProgressiveExtraction(nn.Module):
    """Shared experts beside experts of each task, over two levels.

    A task hears its own experts and the shared ones; what is shared hears all of them at the
    first level. PLE, Tang et al. 2020, doi:10.1145/3383313.3412236.
    """

    def __init__(self, width: int, tasks: Sequence[str], experts: int) -> None:
        super().__init__()
        self.shared = nn.ModuleList(Experts(width, experts) for _ in range(LEVELS))
        self.own = nn.ModuleList(
            nn.ModuleDict({own(one): Experts(width, experts) for one in tasks})
            for _ in range(LEVELS)
        )
        self.gates = nn.ModuleList(
            nn.ModuleDict({own(one): nn.Linear(width, 2 * experts) for one in tasks})
            for _ in range(LEVELS)
        )
        self.between = nn.Linear(width, (len(tasks) + 1) * experts)

    def forward(self, x: Float[Tensor, "n D"], task: str) -> Float[Tensor, "n D"]:
        common = self.shared[0](x)
        each = {name: part(x) for name, part in self.own[0].items()}  # type: ignore[operator]
        name = own(task)
        mine = mixed(self.gates[0][name], x, torch.cat([each[name], common], 1))  # type: ignore[index]
        ours = mixed(self.between, x, torch.cat([*each.values(), common], 1))
        told = torch.cat([self.own[1][name](mine), self.shared[1](ours)], 1)  # type: ignore[index]
        return mixed(self.gates[1][name], mine, told)  # type: ignore[index]


TRUNKS: Mapping[str, Callable[[int, Sequence[str], int], nn.Module]] = {
    "shared_bottom": SharedBottom,
    "mmoe": MixtureOfExperts,
    "ple": ProgressiveExtraction,
}
