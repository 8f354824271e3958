"""What is learned, as functions: rows in, one loss per row out, reduced in one place."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F


@dataclass(frozen=True)
class Objective:
    """A named loss, its weight, and the fields it reads; rows weigh as ``row_weight`` says."""

    name: str
    weight: float
    loss: Callable[..., Float[Tensor, " n"]]
    reads: tuple[str, ...]
    row_weight: str | None = None


def taken(
    scores: Float[Tensor, "B items"], case: Int[Tensor, " n"], item: Int[Tensor, " n"]
) -> Float[Tensor, " n"]:
    """Multinomial softmax over all items: ``-log p(item | case)`` for each taken pair.

    Liang et al. 2018, arXiv:1802.05814.
    """
    picked = scores[case, item]
    return torch.logsumexp(scores, dim=1)[case] - picked


def next_item(
    scores: Float[Tensor, "n items"],
    item: Int[Tensor, " n"],
    mean: Float[Tensor, " n"],
    *,
    smoothing: float,
) -> Float[Tensor, " n"]:
    """Cross-entropy of the item that came next, its target smoothed.

    A share ``smoothing`` of the target lies evenly on all items, whose ``mean``
    score is given (Szegedy et al. 2016, arXiv:1512.00567). Scores of -inf are out of
    the comparison.
    """
    picked = scores[torch.arange(len(item), device=item.device), item]
    return torch.logsumexp(scores, dim=1) - torch.lerp(picked, mean, smoothing)


def taken_of_sample(
    picked: Float[Tensor, " n"], sample: Float[Tensor, "B S"], case: Int[Tensor, " n"]
) -> Float[Tensor, " n"]:
    """Softmax over what was taken and a sample: ``picked`` are the scores of taken pairs.

    ``sample`` holds scores less the log of how often an item is drawn, so that the
    sum over the sample stands for the sum over all items. Bengio and Senecal 2008,
    doi:10.1109/TNN.2007.912312; for recommenders Yi et al. 2019,
    doi:10.1145/3298689.3346996.
    """
    return torch.logaddexp(picked, torch.logsumexp(sample, dim=1)[case]) - picked


def next_of_sample(
    picked: Float[Tensor, " n"],
    sample: Float[Tensor, "n S"],
    mean: Float[Tensor, " n"],
    *,
    smoothing: float,
) -> Float[Tensor, " n"]:
    """``next_item`` with a sample in place of all items, as in ``taken_of_sample``."""
    every = torch.logaddexp(picked, torch.logsumexp(sample, dim=1))
    return every - torch.lerp(picked, mean, smoothing)


def choice(logits: Float[Tensor, "n C"], share: Float[Tensor, "n C"]) -> Float[Tensor, " n"]:
    """Cross-entropy against the shares of the categories of what was taken; rows sum to one."""
    return -(share * F.log_softmax(logits, dim=1)).sum(1)


def squared(predicted: Float[Tensor, " n"], given: Float[Tensor, " n"]) -> Float[Tensor, " n"]:
    """Squared error: of ratings in the data's own units, of standardised numbers of items."""
    return (predicted - given).square()


def combine(
    objectives: Sequence[Objective], fields: Mapping[str, Tensor]
) -> tuple[Float[Tensor, ""], dict[str, Tensor]]:
    """Weighted sum of per-objective means, and the unweighted means for the log.

    An objective whose fields are absent in this step, or empty, adds nothing.
    """
    means: dict[str, Tensor] = {}
    total: list[Tensor] = []
    for objective in objectives:
        if any(name not in fields for name in objective.reads):
            continue
        per_row = objective.loss(*(fields[name] for name in objective.reads))
        if not len(per_row):
            continue
        weight = fields[objective.row_weight] if objective.row_weight else None
        if weight is None:
            mean = per_row.mean()
        else:
            mean = (weight * per_row).sum() / weight.sum().clamp(min=1e-12)
        means[objective.name] = mean.detach()
        total.append(objective.weight * mean)
    if not total:
        raise ValueError("no objective found its fields in this step")
    return torch.stack(total).sum(), means
