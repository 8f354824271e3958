"""Cheap references for ordered histories: what comes after what, and what was just met."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from trefoil.data.histories import Cases, Histories
from trefoil.data.interactions import Interactions
from trefoil.evaluation.baselines.linear import Linear


class DecayedLinear:
    """EASE weights, with each history event weighted exp(-r / decay), r events ago.

    score = sum_j exp(-r_j / decay) B_j. Weights after Steck 2019 (arXiv:1905.03375).
    """

    name = "decayed-linear"

    def __init__(self, linear: Linear, decay: float) -> None:
        self.linear, self.decay = linear, decay

    @classmethod
    def fit(
        cls,
        train: Interactions,
        users: int,
        items: int,
        *,
        regularisation: float = 100.0,
        decay: float = 15.0,
    ) -> DecayedLinear:
        return cls(Linear.fit(train, users, items, regularisation=regularisation), decay)

    def score(self, cases: Cases) -> torch.Tensor:
        weight = cases.history.recency(self.decay)
        return self.linear.score_matrix(cases.history.matrix(self.linear.items, weight))


class Markov:
    """score_i = sum_j exp(-r_j / decay) sqrt(n_ji), n_ji = how often i came within reach after j.

    A first-order chain that skips: pairs at most ``reach`` events apart count
    once. After the Markov baseline of Rendle et al. 2010, "Factorizing
    personalized Markov chains", with square-rooted counts.
    """

    name = "markov"

    def __init__(self, follows: Any, decay: float) -> None:
        self.follows, self.decay = follows, decay

    @classmethod
    def fit(
        cls, train: Interactions, users: int, items: int, *, reach: int = 3, decay: float = 2.0
    ) -> Markov:
        return cls(Histories.of(train, users).followers(items, reach).sqrt(), decay)

    def score(self, cases: Cases) -> torch.Tensor:
        weight = cases.history.recency(self.decay)
        history: Any = cases.history.matrix(self.follows.shape[0], weight)
        return torch.from_numpy((history @ self.follows).toarray().astype(np.float32))
