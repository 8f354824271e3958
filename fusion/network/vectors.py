"""Vectors of one pass over the graph: of everybody, or of the rows of a step alone."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor


@dataclass(frozen=True)
class Vectors:
    """Of all users and items; items are unit length."""

    users: Float[Tensor, "users D"]
    items: Float[Tensor, "items D"]
    base: Float[Tensor, "items D"]


class SomeRows:
    """Vectors of some rows of a table, asked for by their numbers in the whole table.

    To ask for a row that was not made is an error.
    """

    def __init__(self, made: Float[Tensor, "n D"], rows: Int[Tensor, " n"], size: int) -> None:
        self.made = made
        # Numbers that no row has, so that indexing by them fails.
        self.place = torch.full((size,), size, dtype=torch.int32, device=made.device)
        self.place[rows] = torch.arange(len(rows), dtype=torch.int32, device=made.device)

    def __getitem__(self, rows: Int[Tensor, "..."] | slice) -> Float[Tensor, "... D"]:
        return self.made[self.place[rows]]

    def __len__(self) -> int:
        return len(self.place)

    @property
    def device(self) -> torch.device:
        return self.made.device


Table = Float[Tensor, "items D"] | SomeRows


@dataclass(frozen=True)
class SomeVectors:
    """Of some users and items; whoever asks for rows need not know that there are no others."""

    users: SomeRows
    items: SomeRows
