"""Neighbour leaves: cheap experts that need no training, each with its own view."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from trefoil.data.histories import Cases, Histories

ROWS = 1024  # of a product made at once


@dataclass(frozen=True)
class Similar:
    """Scores are ``x S`` for a sparse or dense item-item table S of similarities."""

    table: sparse.csr_matrix | np.ndarray  # items x items
    decay: float = 0.0

    def score(self, cases: Cases) -> Tensor:
        """Scores [cases, items]."""
        weight = cases.history.recency(self.decay) if self.decay > 0 else None
        return dense_product(cases.history.matrix(self.table.shape[0], weight), self.table)


@dataclass(frozen=True)
class Profile:
    """Scores are ``(x C) C^T``: cosines of an item with the items of a history, added up.

    Content rows C are unit vectors. Their sum over a history is made first, so the
    table of all pairs never is.
    """

    content: sparse.csr_matrix | np.ndarray  # items x features, rows of length one or zero

    def score(self, cases: Cases) -> Tensor:
        histories = cases.history.matrix(self.content.shape[0])
        return dense_product(histories @ self.content, self.content.T)


@dataclass(frozen=True)
class Returning:
    """Scores are the history itself: past events count ``exp(pull m)``, m contexts equal to now.

    For data in which people return to items; ``pull`` 0 is plain frequency.
    """

    items: int
    pull: float

    def score(self, cases: Cases) -> Tensor:
        """Scores [cases, items]."""
        history = cases.history
        equal = np.zeros(len(history.item), np.float32)
        for name in cases.scenario.keys() & history.scenario.keys():
            now = np.repeat(cases.scenario[name], history.lengths)
            equal += (history.scenario[name] == now) & (now >= 0)
        met = history.matrix(self.items, np.exp(self.pull * equal))
        return torch.from_numpy(met.toarray())


Table = sparse.spmatrix | np.ndarray


def dense_product(left: Table, right: Table) -> Tensor:
    """``left @ right`` as a dense float32 tensor, some rows at a time.

    A sparse product that is nearly full takes three times the memory of a dense one.
    """
    found = torch.empty(left.shape[0], right.shape[1])
    for start in range(0, left.shape[0], ROWS):
        part: Any = left[start : start + ROWS] @ right  # type: ignore[index]
        dense = part.toarray() if sparse.issparse(part) else np.asarray(part)
        found[start : start + ROWS] = torch.from_numpy(dense)
    return found


def random_walk(events: sparse.csr_matrix, *, keep: int = 200) -> Similar:
    """Walks item-user-item, damped at both ends: ``d_i^-.5 sum_u 1/d_u d_j^-.3``.

    After RP3beta (Paudel et al. 2017, doi:10.1145/2955101), whose 1 / d_i lets rare
    items of a history speak too loud; the ``keep`` largest per item.
    """
    degree = np.maximum(np.asarray(events.sum(0)).ravel(), 1)
    per_user = sparse.diags(1 / np.maximum(np.asarray(events.sum(1)).ravel(), 1))
    left = (sparse.diags(degree**-0.5) @ events.T @ per_user).tocsr()
    parts = []
    for start in range(0, left.shape[0], ROWS):
        walks = (left[start : start + ROWS] @ events @ sparse.diags(degree**-0.3)).tocoo()
        others = walks.row + start != walks.col
        entries = walks.data[others].astype(np.float32), (walks.row[others], walks.col[others])
        parts.append(strongest(sparse.csr_matrix(entries, walks.shape), keep))
    return Similar(sparse.vstack(parts, format="csr"))


def strongest(table: sparse.csr_matrix, keep: int) -> sparse.csr_matrix:
    """Only the ``keep`` largest entries of each row."""
    table.eliminate_zeros()
    rows = np.repeat(np.arange(table.shape[0]), np.diff(table.indptr))
    order = np.lexsort((-table.data, rows))
    place = np.arange(len(order)) - table.indptr[rows[order]]
    kept = order[place < keep]
    kept.sort()
    shape = table.shape
    return sparse.csr_matrix((table.data[kept], (rows[kept], table.indices[kept])), shape=shape)


def next_items(history: Histories, items: int, *, ahead: int = 3, decay: float = 2.0) -> Similar:
    """Markov counts: how often j came within ``ahead`` events of i, square-rooted."""
    return Similar(history.followers(items, ahead).sqrt().tocsr(), decay)
