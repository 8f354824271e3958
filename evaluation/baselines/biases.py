"""Stars from a mean and two biases: the reference for predicted ratings."""

from __future__ import annotations

import numpy as np
import torch

from trefoil.data.histories import Cases
from trefoil.data.interactions import Interactions


class Biases:
    """stars = mu + b_u + b_i, by alternating ridge means over the ratings.

    b_i = sum_u (s - mu - b_u) / (n_i + shrink), and b_u alike. Koren 2008,
    "Factorization meets the neighborhood", eq. 1. Users never seen have b_u = 0.
    """

    name = "biases"

    def __init__(self, mean: float, user: np.ndarray, item: np.ndarray) -> None:
        self.mean, self.user, self.item = mean, user, item

    @classmethod
    def fit(cls, train: Interactions, users: int, items: int, *, shrink: float = 5.0) -> Biases:
        """Raises ValueError where no event carries stars."""
        rated = np.zeros(len(train), bool) if train.stars is None else np.isfinite(train.stars)
        if train.stars is None or not rated.any():
            raise ValueError("biases need ratings; name a rating column in dataset.toml")
        user, item = train.user[rated], train.item[rated]
        stars = train.stars[rated].astype(np.float64)
        mean, b_user, b_item = stars.mean(), np.zeros(users), np.zeros(items)
        for _ in range(10):
            rest = stars - mean - b_user[user]
            b_item = np.bincount(item, rest, items) / (np.bincount(item, minlength=items) + shrink)
            rest = stars - mean - b_item[item]
            b_user = np.bincount(user, rest, users) / (np.bincount(user, minlength=users) + shrink)
        return cls(float(mean), b_user, b_item)

    def stars(self, cases: Cases) -> torch.Tensor:
        """Predicted stars [cases, items]."""
        own = np.where(cases.user >= 0, self.user[np.maximum(cases.user, 0)], 0.0)
        return torch.from_numpy(self.mean + own[:, None] + self.item[None, :])
