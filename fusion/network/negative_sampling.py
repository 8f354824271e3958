"""A sample of the catalogue for the softmax, where all of it would cost too much."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor


@runtime_checkable
class Draws(Protocol):
    """Gives a sample of the items for the softmax of a step."""

    def draw(self, rng: np.random.Generator) -> tuple[Int[Tensor, " size"], Float[Tensor, " size"]]:
        """Item rows, and what to subtract from their scores (the log-q correction)."""
        ...


@dataclass(frozen=True)
class Sampler:
    """Items drawn with repetition: half evenly, half by their training events."""

    cumulative: np.ndarray  # probability of each item and all before it
    log_expected: Float[Tensor, " items"]  # log of how often an item is in a sample, on average
    size: int

    @classmethod
    def of(cls, counts: np.ndarray, size: int) -> "Sampler":
        """From the training events of each item."""
        share = 0.5 / len(counts) + 0.5 * counts / max(counts.sum(), 1)
        share = share / share.sum()
        return cls(share.cumsum(), torch.from_numpy(np.log(size * share)).float(), size)

    def draw(self, rng: np.random.Generator) -> tuple[Int[Tensor, " size"], Float[Tensor, " size"]]:
        """Item rows, and what to subtract from their scores (the log-q correction)."""
        found = np.searchsorted(self.cumulative, rng.random(self.size), side="right")
        rows = torch.from_numpy(np.minimum(found, len(self.cumulative) - 1))
        return rows, self.log_expected[rows]


def drawn_pairs(
    event: Int[Tensor, " n"], item: Int[Tensor, " n"], drawn: Int[Tensor, " size"]
) -> tuple[Int[Tensor, " m"], Int[Tensor, " m"]]:
    """Where the items of pairs (event, item) are in a sample: (event, place), once a draw."""
    order = drawn.argsort()
    ascending = drawn[order]
    first = torch.searchsorted(ascending, item)
    times = torch.searchsorted(ascending, item, right=True) - first
    begin = (first - (times.cumsum(0) - times)).repeat_interleave(times)
    place = begin + torch.arange(len(begin), device=drawn.device)
    return event.repeat_interleave(times), order[place]
