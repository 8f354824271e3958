"""Nearest neighbours among items and among users, from events alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from scipy import sparse

from trefoil.data.histories import Cases, Histories
from trefoil.data.interactions import Interactions

Matrix = Any  # a scipy.sparse.csr_matrix; scipy's own types do not cover its products
BLOCK = 1024  # rows of similarity held dense at a time


class ItemNeighbours:
    """score_i = sum over history j of s_ij, kept for the k items j most similar to i.

    s_ij = |U_i and U_j| / (sqrt(|U_i| |U_j|) + shrink). Sarwar et al. 2001, "Item-based
    collaborative filtering"; shrinkage after Bell & Koren 2007.
    """

    name = "item-neighbours"

    def __init__(self, similar: Matrix) -> None:
        self.similar = similar  # history item x scored item

    @classmethod
    def fit(
        cls, train: Interactions, users: int, items: int, *, k: int = 100, shrink: float = 0.0
    ) -> ItemNeighbours:
        met = Histories.of(train, users).matrix(items)
        return cls(nearest(met.T.tocsr(), met, k, shrink).T.tocsr())

    def score(self, cases: Cases) -> torch.Tensor:
        history = cases.history.matrix(self.similar.shape[0])
        return torch.from_numpy((history @ self.similar).toarray().astype(np.float32))


class UserNeighbours:
    """score_i = sum over the k training users v most similar to the case of s_v r_vi.

    The same cosine as above, between the case's history and each user's events;
    so it answers for people never seen. Herlocker et al. 1999, "An algorithmic framework".
    """

    name = "user-neighbours"

    def __init__(self, met: Matrix, k: int, shrink: float) -> None:
        self.met, self.k, self.shrink = met, k, shrink

    @classmethod
    def fit(
        cls, train: Interactions, users: int, items: int, *, k: int = 100, shrink: float = 0.0
    ) -> UserNeighbours:
        return cls(Histories.of(train, users).matrix(items), k, shrink)

    def score(self, cases: Cases) -> torch.Tensor:
        history = cases.history.matrix(self.met.shape[1])
        near = nearest(history, self.met.T.tocsr(), self.k, self.shrink, itself=True)
        return torch.from_numpy((near @ self.met).toarray().astype(np.float32))


def nearest(
    left: Matrix,
    right: Matrix,
    k: int,
    shrink: float,
    *,
    itself: bool = False,
) -> Matrix:
    """Cosine of 0/1 rows of ``left`` [m, d] and columns of ``right`` [d, n]; k largest per row.

    Ties at the k-th place are cut by numpy's partition. Without ``itself`` the
    diagonal is left out. Rows without entries get no neighbours.
    """
    lengths = np.sqrt(np.asarray(left.sum(axis=1)).ravel())
    heights = np.sqrt(np.asarray(right.sum(axis=0)).ravel())
    blocks = []
    for first in range(0, left.shape[0], BLOCK):
        rows = np.arange(first, min(first + BLOCK, left.shape[0]))
        shared = sparse.csr_matrix(left[rows] @ right, dtype=np.float32)
        shared.sort_indices()
        case = np.repeat(np.arange(len(rows)), np.diff(shared.indptr))
        scale = lengths[rows][case] * heights[shared.indices] + shrink
        shared.data /= np.maximum(scale, 1e-12)
        if not itself:
            shared.data[shared.indices == rows[case]] = 0.0
        blocks.append(keep_largest(shared, k))
    if not blocks:
        return sparse.csr_matrix((left.shape[0], right.shape[1]), dtype=np.float32)
    return sparse.csr_matrix(sparse.vstack(blocks))


def keep_largest(table: Matrix, k: int) -> Matrix:
    """The k largest positive values of each row; all that equal the k-th are kept."""
    bar = np.zeros(table.shape[0], table.dtype)
    for row in np.flatnonzero(np.diff(table.indptr) > k):
        own = table.data[table.indptr[row] : table.indptr[row + 1]]
        bar[row] = np.partition(own, -k)[-k]
    kept = table.data >= np.repeat(bar, np.diff(table.indptr))
    table.data = np.where(kept, np.maximum(table.data, 0), 0)
    table.eliminate_zeros()
    return table
