"""The linear leaf: a closed-form item-item model over events, facts and texts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from trefoil.data.histories import Cases
from trefoil.fusion.features.training_data import Known

ROWS = 1024  # of a table of pairs, made at once
DROPPED = 0.6  # p / (1 - p): shares p of the events that dense rows are learned to do without


@dataclass(frozen=True)
class Linear:
    """EASE: scores are ``x B`` with the history as row x (Steck 2019, arXiv:1905.03375).

    ``kept`` are the item rows that take part, all or those with most events; the
    rest score zero. ``decay`` > 0 weighs the r-th newest event by ``exp(-r / decay)``:
    the same model asked about the recent past. ``ridge`` and ``rows``, the weights of
    the rows of facts and of texts, are what it was solved with.
    """

    weights: Tensor  # kept x kept, zero diagonal
    kept: np.ndarray
    items: int
    decay: float = 0.0
    ridge: float = 0.0
    rows: Mapping[str, float] = field(default_factory=dict)

    def score(self, cases: Cases) -> Tensor:
        """Scores [cases, items]."""
        weight = cases.history.recency(self.decay) if self.decay > 0 else None
        histories = cases.history.matrix(self.items, weight)
        if len(self.kept) == self.items:
            return torch.from_numpy(np.asarray(histories @ self.weights.numpy()))
        scores = torch.zeros(len(cases), self.items)
        part = histories[:, self.kept] @ self.weights.numpy()
        scores[:, torch.from_numpy(self.kept)] = torch.from_numpy(np.asarray(part))
        return scores


def gram(*rows: sparse.spmatrix | np.ndarray) -> Tensor:
    """``sum X^T X`` over stacked row blocks [any, items], as a dense float32 tensor."""
    if not rows:
        raise ValueError("no rows to learn from")
    total = torch.zeros(rows[0].shape[1], rows[0].shape[1])
    for block in rows:
        add_gram(total, block)
    return total


def add_gram(total: Tensor, block: Any, weight: float = 1.0) -> None:
    """Add ``weight X^T X`` in place, some rows at a time: no second table of all pairs is made."""
    turned: Any = block.T.tocsr() if sparse.issparse(block) else block.T
    for start in range(0, len(total), ROWS):
        part: Any = (turned[start : start + ROWS] @ block).astype(np.float32)
        dense = part.toarray() if sparse.issparse(part) else np.asarray(part)
        total[start : start + ROWS].add_(torch.from_numpy(dense), alpha=weight)


def event_rows(known: Known) -> sparse.csr_matrix:
    """The events [users, items] as the closed form reads them.

    Where people have many, users' rows are scaled by ``n^-1/4`` for n events, so that
    a user's squares weigh ``n^-1/2``; all squares still add up to the events.
    """
    if not known.dense:
        return known.matrix
    counts = np.diff(known.matrix.indptr)
    scale = np.maximum(counts, 1) ** -0.25
    scale *= np.sqrt(counts.sum() / (scale**2 * counts).sum())
    return (sparse.diags(scale) @ known.matrix).tocsr().astype(np.float32)


def event_ridge(known: Known, rows: sparse.csr_matrix) -> np.ndarray:
    """What the diagonal gains for the items of ``rows``, columns of ``event_rows``.

    Where people have many events: what learning with dropout of events comes to
    (EDLAE, Steck 2020, "Autoencoders that don't overfit towards the identity").
    """
    share = DROPPED if known.dense else 0.0
    return share * np.asarray(rows.multiply(rows).sum(0), np.float64).ravel()


def closed_form(gram_matrix: Tensor, ridge: float) -> Tensor:
    """``B = I - P / diag(P)`` with ``P = (G + ridge I)^-1``; the diagonal of B is zero."""
    return closed_form_of_own(gram_matrix.clone(), ridge)


def closed_form_of_own(own: Tensor, ridge: float) -> Tensor:
    """``closed_form`` that uses the memory of its argument: two tables in all, not four."""
    own.diagonal().add_(ridge)
    # By columns, as the solver wants them, or it would make a copy.
    weights = torch.cholesky_inverse(torch.linalg.cholesky(own), out=own.mT)
    weights.div_(-weights.diagonal().clone()[None, :])
    weights.fill_diagonal_(0.0)
    return weights


def rounded_(weights: Tensor) -> Tensor:
    """As a run stores them, in half precision; in place."""
    for part in weights.split(ROWS):
        part.copy_(part.half())
    return weights


def fact_rows(facts: sparse.csr_matrix) -> sparse.csr_matrix:
    """Facts as extra rows [facts, items], weighted by ``fact_scale``."""
    return (facts @ sparse.diags(fact_scale(facts))).T.tocsr().astype(np.float32)


def fact_scale(facts: sparse.csr_matrix) -> np.ndarray:
    """``1 / sqrt(items that share it)`` for each fact."""
    return np.maximum(np.asarray(facts.sum(0)).ravel(), 1) ** -0.5
