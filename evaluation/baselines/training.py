"""The one training loop of the learned baselines: watch, keep the best, stop."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from trefoil.data.interactions import Ints

Watch = Callable[..., float]  # a scorer to its validation value; larger is better


def train_watched(
    model: nn.Module,
    epoch: Callable[[], None],
    watch: Callable[[], float] | None,
    *,
    epochs: int,
    every: int,
    patience: int,
) -> int:
    """Run epochs; with ``watch``, stop after ``patience`` looks without a better value.

    The model ends with the weights of the best look (without ``watch``: the
    last). Returns the epoch they come from.
    """
    best, best_epoch, kept, idle = float("-inf"), 0, None, 0
    for done in range(1, epochs + 1):
        model.train()
        epoch()
        if watch is None or (done % every and done != epochs):
            continue
        model.eval()
        value = watch()
        if value > best:
            best, best_epoch, idle = value, done, 0
            kept = {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}
        else:
            idle += 1
            if idle >= patience:
                break
    if kept is None:
        best_epoch = epochs
    else:
        model.load_state_dict(kept)
    model.eval()
    return best_epoch


def distinct_pairs(user: Ints, item: Ints, items: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Distinct (user, item) pairs as int64 tensors."""
    pairs = torch.unique(torch.as_tensor(user) * items + torch.as_tensor(item))
    return pairs // items, pairs % items


def pairwise_loss(liked: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """Mean softplus(other - liked): BPR. Rendle et al. 2009, arXiv:1205.2618."""
    return nn.functional.softplus(other - liked).mean()
