"""Items alike by events: a table of walks, and one of what came soon after."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from trefoil.data.histories import Cases, Histories
from trefoil.fusion.features.training_data import TrainingData
from trefoil.fusion.models.base import ModelState, sparse_of, sparse_tensors
from trefoil.fusion.models.fitting import FitInputs
from trefoil.fusion.plan.forms import SparseRows

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

    @property
    def reads(self) -> frozenset[str]:
        return frozenset({"events", "order"} if self.decay > 0 else {"events"})

    def form(self) -> SparseRows:
        return SparseRows(sparse.csr_matrix(self.table), self.decay)

    def state(self) -> ModelState:
        table = sparse.csr_matrix(self.table)
        return ModelState({"decay": self.decay}, sparse_tensors(table))

    @classmethod
    def from_state(cls, state: ModelState, known: TrainingData) -> "Similar":
        return cls(sparse_of(state.tensors), state.values["decay"])

    def with_items(self, known: TrainingData, before: int) -> "Similar":
        """New items are like no other."""
        table, items = sparse.csr_matrix(self.table), known.matrix.shape[1]
        pointers = np.concatenate([table.indptr, np.full(items - before, table.indptr[-1])])
        parts = (table.data, table.indices, pointers.astype(table.indptr.dtype))
        return replace(self, table=sparse.csr_matrix(parts, shape=(items, items)))


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


def fit_walks(given: FitInputs) -> tuple[Similar, dict[str, float]]:
    """Random walks over training events."""
    return random_walk(given.known.matrix), {}


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
    lengths = np.diff(table.indptr)
    long = np.flatnonzero(lengths > keep)  # the others lose nothing, and need no sorting
    rows = np.repeat(np.arange(table.shape[0]), lengths)
    at = np.flatnonzero(np.repeat(lengths > keep, lengths))
    order = at[np.lexsort((-table.data[at], rows[at]))]
    first = np.concatenate([[0], np.cumsum(lengths[long])])
    place = np.arange(len(order)) - np.repeat(first[:-1], lengths[long])
    kept = np.ones(len(rows), bool)
    kept[order[place >= keep]] = False
    shape = table.shape
    return sparse.csr_matrix((table.data[kept], (rows[kept], table.indices[kept])), shape=shape)


def fit_next_items(given: FitInputs) -> tuple[Similar, dict[str, float]]:
    """What came soon after what, in training histories."""
    return next_items(given.known.history, given.known.matrix.shape[1]), {}


def next_items(history: Histories, items: int, *, ahead: int = 3, decay: float = 2.0) -> Similar:
    """Markov counts: how often j came within ``ahead`` events of i, square-rooted."""
    return Similar(history.followers(items, ahead).sqrt().tocsr(), decay)
