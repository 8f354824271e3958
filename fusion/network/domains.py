"""Domains in the network: rivals of the same domain alone, and small parts of their own."""

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn


class DomainAdapters(nn.Module):
    """``x + x A_d B_d`` for an item of domain d: a small part of its own on shared vectors.

    B starts at zero, so that a training starts as without. LoRA (Hu et al. 2021,
    arXiv:2106.09685), by domain as in ABXI (Bian et al. 2025, arXiv:2501.15118), there on states.
    """

    domain: Tensor

    def __init__(self, domain: Int[Tensor, " items"], width: int, rank: int) -> None:
        super().__init__()
        domains = int(domain.max()) + 1
        self.register_buffer("domain", domain, persistent=False)
        self.down = nn.Parameter(torch.randn(domains, width, rank) * width**-0.5)
        self.up = nn.Parameter(torch.zeros(domains, rank, width))

    def forward(
        self, x: Float[Tensor, "n D"], items: Int[Tensor, " n"] | slice = slice(None)
    ) -> Float[Tensor, "n D"]:
        """Vectors of these items; those of no domain, -1, stay as they are."""
        domain = self.domain[items]
        for number, (down, up) in enumerate(zip(self.down, self.up, strict=True)):
            rows = (domain == number).nonzero()[:, 0]
            x = x.index_add(0, rows, x[rows] @ down @ up)
        return x


class Rivals(nn.Module):
    """Items by domain: what is compared with what."""

    domain: Tensor
    place: Tensor  # of each item among those of its domain
    order: Tensor  # items by domain

    def __init__(self, domain: Int[Tensor, " items"]) -> None:
        super().__init__()
        order = torch.argsort(domain, stable=True)
        counts = torch.bincount(domain + 1)  # first those of none
        ends = counts.cumsum(0)
        place = torch.empty_like(domain)
        place[order] = torch.arange(len(domain)) - (ends - counts)[domain[order] + 1]
        self.ends = ends.tolist()
        for name, one in (("domain", domain), ("place", place), ("order", order)):
            self.register_buffer(name, one, persistent=False)

    def __len__(self) -> int:
        return len(self.ends) - 1

    def items(self, domain: int) -> Int[Tensor, " n"]:
        """The items of a domain, ascending."""
        return self.order[self.ends[domain] : self.ends[domain + 1]]

    def outside(
        self, asked: Int[Tensor, " n"], rows: Int[Tensor, " m"] | slice = slice(None)
    ) -> Bool[Tensor, "n m"]:
        """Which items are of another domain than is asked; none where none is asked, -1."""
        return (asked[:, None] >= 0) & (self.domain[rows] != asked[:, None])


def domain_parts(
    domain: np.ndarray | None, width: int, rank: int, *, in_order: bool
) -> tuple[Rivals | None, DomainAdapters | None, DomainAdapters | None]:
    """Rivals by domain, and adapters of propagated vectors and of those of next items.

    None where there are no domains, no adapters are asked for, or nothing is read ``in_order``.
    """
    if domain is None:
        return None, None, None
    of_item = torch.from_numpy(domain)
    if not rank:
        return Rivals(of_item), None, None
    first, second = (DomainAdapters(of_item, width, rank) for _ in range(2))
    return Rivals(of_item), first, second if in_order else None
