"""EASE: one closed-form item-item matrix, the reference that is hard to beat."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from scipy import linalg

from trefoil.data.histories import Cases, Histories
from trefoil.data.interactions import Interactions, Ints


class Linear:
    """score = x B with B_ij = -P_ij / P_jj off the diagonal, 0 on it, P = (X'X + reg I)^-1.

    Steck 2019, "Embarrassingly shallow autoencoders" (arXiv:1905.03375). The cost
    is cubic in items, so only the ``most`` most met ones take part; the rest score 0.
    """

    name = "linear"

    def __init__(self, weights: np.ndarray, kept: Ints, items: int) -> None:
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
            kept = np.sort(np.argsort(-counts, kind="stable")[:most])
            met = met[:, kept]
        gram = (met.T @ met).toarray().astype(np.float64 if len(kept) < 2000 else np.float32)
        return cls(closed_form(gram, regularisation), kept, items)

    def score(self, cases: Cases) -> torch.Tensor:
        return self.score_matrix(cases.history.matrix(self.items))

    def score_matrix(self, history: Any) -> torch.Tensor:
        """Scores for histories as a sparse matrix [cases, items] of weights."""
        if len(self.kept) == self.items:
            return torch.from_numpy(np.asarray(history @ self.weights, np.float32))
        scores = np.zeros((history.shape[0], self.items), np.float32)
        scores[:, self.kept] = history[:, self.kept] @ self.weights
        return torch.from_numpy(scores)


def closed_form(gram: np.ndarray, regularisation: float) -> np.ndarray:
    """B of EASE from X'X, float32. The Gram matrix is overwritten."""
    gram[np.diag_indices_from(gram)] += regularisation
    chol, _ = linalg.cho_factor(gram, lower=True, overwrite_a=True, check_finite=False)
    (invert,) = linalg.get_lapack_funcs(("potri",), (chol,))
    inverse, _ = invert(chol, lower=True, overwrite_c=True)
    inverse = np.tril(inverse) + np.tril(inverse, -1).T
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0.0)
    return np.ascontiguousarray(weights, np.float32)
