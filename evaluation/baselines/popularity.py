"""What is liked by many, and what is liked by many just now."""

from __future__ import annotations

import numpy as np
import torch

from trefoil.data.histories import Cases
from trefoil.data.interactions import UNKNOWN_TIME, Interactions, faded


class Popularity:
    """score_i = number of training users of item i; the same for everybody."""

    name = "popularity"

    def __init__(self, weight: np.ndarray) -> None:
        self.weight = torch.from_numpy(weight.astype(np.float32))

    @classmethod
    def fit(cls, train: Interactions, users: int, items: int) -> Popularity:
        """Count each positive user-item pair once."""
        del users
        pairs = np.unique(train.user[train.positive] * items + train.item[train.positive])
        return cls(np.bincount(pairs % items, minlength=items))

    def score(self, cases: Cases) -> torch.Tensor:
        return self.weight.expand(len(cases), -1)


class RecentPopularity(Popularity):
    """score_i = sum over positive events of 2^(-age / half-life), age before the newest event."""

    name = "recent-popularity"

    @classmethod
    def fit(
        cls, train: Interactions, users: int, items: int, *, half_life_days: float = 30.0
    ) -> RecentPopularity:
        """Raises ValueError where the events carry no times; rows without one are left out."""
        del users
        if train.at is None or not (train.at != UNKNOWN_TIME).any():
            raise ValueError("recent popularity needs times; name a time column in dataset.toml")
        weight = faded(train.at[train.positive], half_life_days)
        return cls(np.bincount(train.item[train.positive], weight, items))
