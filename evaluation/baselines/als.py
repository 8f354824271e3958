"""Weighted matrix factorisation through the library ``implicit`` (extra ``baselines``)."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import torch

from trefoil.data.errors import ConfigError
from trefoil.data.histories import Cases, Histories
from trefoil.data.interactions import Interactions


class ImplicitALS:
    """score_i = x . y_i, with x the exact minimiser for the case's history given item factors.

    Confidence 1 + alpha on met items, 1 on all others. Hu, Koren & Volinsky 2008,
    "Collaborative filtering for implicit feedback datasets"; tuned as Rendle et
    al. 2022 (arXiv:2110.14037) ask for. People never seen are folded in alike.
    """

    name = "ials"

    def __init__(self, item_factors: np.ndarray, alpha: float, regularisation: float) -> None:
        self.y = item_factors.astype(np.float64)
        self.alpha, self.regularisation = alpha, regularisation

    @classmethod
    def fit(
        cls,
        train: Interactions,
        users: int,
        items: int,
        *,
        factors: int = 64,
        regularisation: float = 20.0,
        alpha: float = 10.0,
        iterations: int = 15,
        seed: int = 0,
    ) -> ImplicitALS:
        """Raises ConfigError where ``implicit`` is not installed."""
        met = Histories.of(train, users).matrix(items)
        model = _model(factors, regularisation, alpha, iterations, seed)
        model.fit(met, show_progress=False)
        return cls(np.asarray(model.item_factors), alpha, regularisation)

    def score(self, cases: Cases) -> torch.Tensor:
        history = cases.history
        factors = self.y.shape[1]
        base = self.y.T @ self.y + self.regularisation * np.eye(factors)
        out = np.zeros((len(cases), factors))
        for case in range(len(cases)):
            met = self.y[np.unique(history.item[history.start[case] : history.start[case + 1]])]
            if len(met):
                left = base + self.alpha * met.T @ met
                out[case] = np.linalg.solve(left, (1 + self.alpha) * met.sum(axis=0))
        return torch.from_numpy((out @ self.y.T).astype(np.float32))


def _model(factors: int, regularisation: float, alpha: float, iterations: int, seed: int) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # advice on BLAS threads
            from implicit.cpu.als import AlternatingLeastSquares

            return AlternatingLeastSquares(
                factors=factors,
                regularization=regularisation,
                alpha=1.0 + alpha,
                iterations=iterations,
                random_state=seed,
                num_threads=1,
            )
    except ImportError as error:
        raise ConfigError(
            "the baseline iALS needs the package implicit: pip install 'trefoil[baselines]'"
        ) from error
