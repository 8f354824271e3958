"""One backward pass over several losses, and what their gradients are to each other."""

from collections.abc import Sequence
from itertools import combinations

import torch
from torch import Tensor, nn

from trefoil.fusion.network.weighting.base import Weighting

LARGEST = 4_000_000  # weights of a network of which gradients are told

Gradients = Sequence[Tensor | None]  # of one task, by parameter; None where it reads it not


def gradients_of(
    losses: Sequence[Tensor], parameters: Sequence[nn.Parameter], *, keep: bool
) -> list[Gradients]:
    """The gradient of each loss; with ``keep`` the graph can be walked once more."""
    found: list[Gradients] = []
    for place, loss in enumerate(losses):
        again = keep or place + 1 < len(losses)
        own = torch.autograd.grad(loss, parameters, retain_graph=again, allow_unused=True)
        found.append([one.to_dense() if one is not None and one.is_sparse else one for one in own])
    return found


def shared(gradients: Sequence[Gradients]) -> list[int]:
    """Which parameters more than one task reads."""
    columns = zip(*gradients, strict=True)
    return [at for at, one in enumerate(columns) if sum(part is not None for part in one) > 1]


def products(gradients: Sequence[Gradients], rows: Sequence[int]) -> Tensor:
    """Products of the gradients on some parameters [tasks, tasks]."""
    total: Tensor | None = None
    for row in rows:
        parts = [one[row] for one in gradients]
        some = next(part for part in parts if part is not None)
        table = torch.stack([torch.zeros_like(some) if p is None else p for p in parts]).flatten(1)
        total = table @ table.T if total is None else total + table @ table.T
    if total is None:
        return torch.zeros(len(gradients), len(gradients))
    return total


def balance(
    names: Sequence[str], losses: Sequence[Tensor], parameters: Sequence[nn.Parameter]
) -> dict[str, float]:
    """Length of each task's gradient, and the cosine of each pair on what both read.

    Nothing for a network so large that a gradient per task would cost too much memory.
    """
    if sum(one.numel() for one in parameters) > LARGEST:
        return {}
    gradients = gradients_of(losses, parameters, keep=True)
    square = [sum(float(p.square().sum()) for p in one if p is not None) for one in gradients]
    told = {f"gradient/{name}": one**0.5 for name, one in zip(names, square, strict=True)}
    for (one, first), (other, second) in combinations(zip(names, gradients, strict=True), 2):
        both = [first, second]
        table = products(both, shared(both))
        length = float(table[0, 0] * table[1, 1]) ** 0.5
        if length > 0:
            told[f"cosine/{one}/{other}"] = float(table[0, 1]) / length
    return told


def weighted_backward(
    weighting: Weighting,
    here: Sequence[int],
    losses: Sequence[Tensor],
    parameters: Sequence[nn.Parameter],
) -> Tensor:
    """Set the gradients of all parameters; the weight of each loss in them is returned."""
    values = torch.stack([one.detach() for one in losses])
    if not weighting.reads_gradients:
        weight = weighting(here, values, None)
        torch.stack([w * one for w, one in zip(weight, losses, strict=True)]).sum().backward()
        return weight
    base = weighting.base[list(here)]
    scaled = [w * one for w, one in zip(base, losses, strict=True)]
    gradients = gradients_of(scaled, parameters, keep=False)
    rows = shared(gradients)
    # A task that shares nothing would be one of no gradient, which some methods give all weight.
    sharing = [at for at, one in enumerate(gradients) if any(one[row] is not None for row in rows)]
    weight = torch.ones_like(base)
    if sharing:
        table = products([gradients[at] for at in sharing], rows)
        weight[sharing] = weighting([here[at] for at in sharing], values[sharing], table)
    for row, parameter in enumerate(parameters):
        parts = [
            (w if row in rows else 1.0) * one[row]  # type: ignore[operator]
            for w, one in zip(weight, gradients, strict=True)
            if one[row] is not None
        ]
        parameter.grad = torch.stack(parts).sum(0) if parts else None
    return weight * base
