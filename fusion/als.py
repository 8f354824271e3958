"""Implicit matrix factorisation: a small leaf with a closed-form answer for anyone."""

from dataclasses import dataclass

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from data.histories import Cases


@dataclass(frozen=True)
class Factors:
    """Item factors; a user's are solved from the history.

    Hu et al. 2008, doi:10.1109/ICDM.2008.22.
    """

    items: Tensor  # items x width
    ridge: float
    alpha: float

    def score(self, cases: Cases) -> Tensor:
        histories = cases.history.matrix(len(self.items))
        return solve(histories, self.items, self.ridge, self.alpha) @ self.items.T


def solve(rows: sparse.csr_matrix, other: Tensor, ridge: float, alpha: float) -> Tensor:
    """Factors [rows, width] that minimise the weighted squared error against ``other``.

    Each row solves ``(O^T O + alpha sum o o^T + ridge I) x = (1 + alpha) sum o`` over
    its own entries; rows are padded in chunks so that the sums are batched products.
    """
    width = other.shape[1]
    base = other.T @ other + ridge * torch.eye(width)
    padded = torch.cat([other, other.new_zeros(1, width)])
    lengths = np.diff(rows.indptr)
    order = np.argsort(lengths, kind="stable")
    answer = other.new_zeros(rows.shape[0], width)
    start = 0
    while start < len(order):
        stop = start + 1
        limit = max(1, 2_000_000 // (width * max(int(lengths[order[start]]), 1)))
        while (
            stop < len(order)
            and stop - start < limit
            and lengths[order[stop]] <= 1.5 * max(lengths[order[start]], 8)
        ):
            stop += 1
        chunk = order[start:stop]
        most = int(lengths[chunk].max())
        if most:
            at = rows.indptr[chunk][:, None] + np.arange(most)
            there = np.arange(most) < lengths[chunk][:, None]
            index = np.where(there, rows.indices[np.where(there, at, 0)], len(other))
            vectors = padded[torch.from_numpy(index.astype(np.int64))]  # rows, most, width
            left = base + alpha * vectors.transpose(1, 2) @ vectors
            right = (1 + alpha) * vectors.sum(1)
            answer[torch.from_numpy(chunk)] = torch.linalg.solve(left, right)
        start = stop
    return answer


def factorise(
    events: sparse.csr_matrix,
    *,
    width: int = 64,
    ridge: float = 20.0,
    alpha: float = 10.0,
    rounds: int = 15,
    seed: int = 0,
) -> Factors:
    """Alternate closed-form updates of users and items."""
    generator = torch.Generator().manual_seed(seed)
    items = 0.01 * torch.randn(events.shape[1], width, generator=generator)
    backwards = events.T.tocsr()
    for _ in range(rounds):
        users = solve(events, items, ridge, alpha)
        items = solve(backwards, users, ridge, alpha)
    return Factors(items, ridge, alpha)
