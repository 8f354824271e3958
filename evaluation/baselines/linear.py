"""EASE: one closed-form item-item matrix, the reference that is hard to beat."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from trefoil.data.histories import Cases, Histories
from trefoil.data.interactions import Interactions, Ints


class Linear:
    """score = x B with B_ij = -P_ij / P_jj off the diagonal, 0 on it, P = (X'X + reg I)^-1.

    Steck 2019, "Embarrassingly shallow autoencoders" (arXiv:1905.03375). The cost
    is cubic in items, so only the ``most`` most met ones take part; the rest score 0.
    """

    name = "linear"

    def __init__(self, weights: Tensor, kept: Ints, items: int) -> None:
        self.weights, self.kept, self.items = weights, kept, items

    @classmethod
    def fit(
        cls,
        train: Interactions,
        users: int,
        items: int,
        *,
        regularisation: float = 100.0,
        most: int = 20_000,
    ) -> Linear:
        met: Any = Histories.of(train, users).matrix(items)
        counts = np.asarray(met.sum(axis=0)).ravel()
        kept = np.arange(items)
        if items > most:
            best = np.argsort(-counts, kind="stable")[:most]
            kept = np.sort(best[counts[best] > 0])  # nothing follows from what nobody met
            met = met[:, kept]
        gram = (met.T @ met).toarray().astype(np.float64 if len(kept) < 2000 else np.float32)
        weights = closed_form(torch.from_numpy(gram), regularisation).float()
        return cls(weights, kept, items)

    def score(self, cases: Cases) -> Tensor:
        return self.score_matrix(cases.history.matrix(self.items))

    def score_matrix(self, history: Any) -> Tensor:
        """Scores for histories as a sparse matrix [cases, items] of weights."""
        return linear_scores(history, self.weights, self.kept)


def closed_form(gram: Tensor, ridge: float) -> Tensor:
    """``B = I - P / diag(P)`` with ``P = (G + ridge I)^-1``; the diagonal of B is zero.

    The memory of ``gram`` is used: two tables in all, not four.
    """
    return with_diagonal(gram, ridge)[0]


def with_diagonal(gram: Tensor, ridge: float) -> tuple[Tensor, Tensor]:
    """``closed_form``, and the diagonal of P."""
    gram.diagonal().add_(ridge)
    # By columns, as the solver wants them, or it would make a copy; P is symmetric, so that the
    # same table read by rows is P as well, and what multiplies it need not turn it round.
    weights = torch.cholesky_inverse(torch.linalg.cholesky(gram), out=gram.mT).mT
    diagonal = weights.diagonal().clone()
    weights.div_(-diagonal[None, :])
    weights.fill_diagonal_(0.0)
    return weights, diagonal


def linear_scores(histories: Any, weights: Tensor, kept: np.ndarray) -> Tensor:
    """``x B`` for histories x [cases, items]; items beside ``kept``, ascending, score 0."""
    if len(kept) == histories.shape[1]:
        return torch.from_numpy(np.asarray(histories @ weights.numpy()))
    scores = torch.zeros(histories.shape)
    part = histories[:, kept] @ weights.numpy()
    scores[:, torch.from_numpy(kept)] = torch.from_numpy(np.asarray(part))
    return scores
