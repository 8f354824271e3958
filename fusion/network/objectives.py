"""Losses as functions: rows in, one loss per row out."""

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F


def softmax(picked: Float[Tensor, " n"], total: Float[Tensor, " n"]) -> Float[Tensor, " n"]:
    """Multinomial softmax: ``-log p(item | case)`` for each chosen pair.

    ``picked`` are the scores of the pairs, ``total`` the log of the sum of ``exp(score)`` over all
    items or ``over_sample``. Liang et al. 2018, arXiv:1802.05814.
    """
    return total - picked


def next_item(
    picked: Float[Tensor, " n"],
    total: Float[Tensor, " n"],
    mean: Float[Tensor, " n"],
    *,
    smoothing: float,
) -> Float[Tensor, " n"]:
    """``softmax`` for the item that came next, its target smoothed.

    A share ``smoothing`` of the target lies evenly on all items, whose ``mean``
    score is given (Szegedy et al. 2016, arXiv:1512.00567).
    """
    return total - torch.lerp(picked, mean, smoothing)


def over_sample(
    picked: Float[Tensor, " n"], sample: Float[Tensor, "B S"], case: Int[Tensor, " n"] | None = None
) -> Float[Tensor, " n"]:
    """Log of the sum of ``exp(score)`` over what was picked and a sample, row by row or by case.

    ``sample`` holds scores less the log of how often an item is drawn, so that the
    sum over the sample stands for the sum over all items. Bengio and Senecal 2008,
    doi:10.1109/TNN.2007.912312; for recommenders Yi et al. 2019,
    doi:10.1145/3298689.3346996.
    """
    total = torch.logsumexp(sample, dim=1)
    return torch.logaddexp(picked, total if case is None else total[case])


def cross_entropy(logits: Float[Tensor, "n C"], share: Float[Tensor, "n C"]) -> Float[Tensor, " n"]:
    """Cross-entropy against the shares of the categories of what was taken; rows sum to one."""
    return -(share * F.log_softmax(logits, dim=1)).sum(1)


def squared_error(
    predicted: Float[Tensor, "*n"], given: Float[Tensor, "*n"]
) -> Float[Tensor, "*n"]:
    """Squared error: of ratings and of numbers of items, both standardised."""
    return (predicted - given).square()


def contrast(
    one: Float[Tensor, "n D"], other: Float[Tensor, "n D"], temperature: float = 0.2
) -> Float[Tensor, " n"]:
    """InfoNCE: ``-log p`` of a row's own other view among those of all rows, by cosine.

    van den Oord et al. 2018, arXiv:1807.03748.
    """
    first, second = (F.normalize(part, dim=1, eps=1e-6) for part in (one, other))
    cosine = first @ second.T / temperature
    return torch.logsumexp(cosine, dim=1) - cosine.diagonal()


def binary_cross_entropy(
    logit: Float[Tensor, " n"], label: Float[Tensor, " n"]
) -> Float[Tensor, " n"]:
    """``-log p`` of a label of 1 or 0, from the logit of 1."""
    return F.binary_cross_entropy_with_logits(logit, label, reduction="none")


def pairwise(picked: Float[Tensor, " n"], rivals: Float[Tensor, "n S"]) -> Float[Tensor, " n"]:
    """BPR: mean over rivals of ``softplus(rival - picked)``. Rendle 2009, arXiv:1205.2618."""
    return F.softplus(rivals - picked[:, None]).mean(1)


def calibrated_bce(
    picked: Float[Tensor, " n"],
    rivals: Float[Tensor, "n S"],
    share: Float[Tensor, ""],
    calibration: float = 0.75,
) -> Float[Tensor, " n"]:
    """``-b log s(picked) - sum log(1 - s(rival))``: gBCE, mean over the terms.

    ``b = a (t (1 - 1 / a) + 1 / a)`` for the share ``a`` of items that are drawn takes back the
    overconfidence of drawing few; t is the calibration. Petrov and Macdonald 2023,
    arXiv:2308.07192.
    """
    power = share * (calibration * (1 - 1 / share) + 1 / share)
    total = power * F.softplus(-picked) + F.softplus(rivals).sum(1)
    return total / (1 + rivals.shape[1])
