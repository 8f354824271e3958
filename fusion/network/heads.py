"""Heads: what turns shared vectors into what one task is asked to tell."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn


@dataclass(frozen=True)
class Sizes:
    """What a head is built for: ``outputs`` numbers per row, from vectors of ``width``."""

    users: int
    items: int
    width: int
    outputs: int


@dataclass(frozen=True)
class HeadPlan:
    """How a head is built, and for how many outputs: enough to build it again."""

    build: Callable[[Sizes], nn.Module]
    outputs: int


def linear_head(sizes: Sizes) -> nn.Linear:
    """``W x + b``: the usual head."""
    return nn.Linear(sizes.width, sizes.outputs)


class RatingHead(nn.Module):
    """``mu + b_u + b_i + 10 u^T M i``: ratings on the vectors that rank.

    M starts at zero, so ratings start at their biases (decision 053).
    """

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.mean = nn.Parameter(torch.zeros(()))
        self.user = nn.Parameter(torch.zeros(sizes.users))
        self.item = nn.Parameter(torch.zeros(sizes.items))
        self.map = nn.Parameter(torch.zeros(sizes.width, sizes.width))

    def forward(
        self,
        users: Float[Tensor, "n D"],
        items: Float[Tensor, "n D"],
        user_rows: Int[Tensor, " n"],
        item_rows: Int[Tensor, " n"],
    ) -> Float[Tensor, " n"]:
        match = (users @ self.map * items).sum(1)
        bias = self.user[user_rows] + self.item[item_rows]
        return self.mean + bias + 10 * match

    def of_all(
        self, users: Float[Tensor, "B D"], items: Float[Tensor, "items D"], rows: Int[Tensor, " B"]
    ) -> Float[Tensor, "B items"]:
        """Ratings of every item; a row below zero is of a user of whom nothing was learned."""
        never, rows = rows < 0, rows.clamp(min=0)
        mapped = users.masked_fill(never[:, None], 0.0) @ self.map
        own = self.user[rows].masked_fill(never, 0.0)
        return self.mean + own[:, None] + self.item + 10 * mapped @ items.T


class KeptHead(nn.Module):
    """The weights of a head whose task is not at hand: carried along, and read by nobody."""

    def __init__(self, shapes: Mapping[str, torch.Size]) -> None:
        super().__init__()
        for name, shape in shapes.items():
            *path, last = name.split(".")
            place: nn.Module = self
            for part in path:
                if part not in dict(place.named_children()):
                    place.add_module(part, nn.Module())
                place = place.get_submodule(part)
            place.register_parameter(last, nn.Parameter(torch.zeros(shape), requires_grad=False))
