"""Expected ratings by numpy: see ``fusion.ensemble.rating_blend``."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from trefoil.data.histories import Cases
from trefoil.data.interactions import Ints
from trefoil.fusion.plan.asked import Reals
from trefoil.fusion.plan.of_users import RatedKernel


@dataclass(frozen=True)
class Ratings:
    """``mean + sum_k w_k (s_k - mean) + shift`` over networks and a process of ratings.

    Networks expect ``base + b_u + b_i + u^T m_i``, where vectors and biases are already the
    mean over networks. Items that the process does not answer have weights for the networks
    alone.
    """

    users: Reals  # users x width
    items: Reals  # items x width
    base: float
    user_bias: Reals
    item_bias: Reals
    low: float
    high: float
    mean: float
    both: tuple[float, ...]  # weights of the networks and of the process, shift
    alone: tuple[float, ...]  # weight of the networks, shift
    process: RatedKernel | None
    process_mean: float = 0.0
    process_unit: float = 1.0
    process_offset: Reals | None = None  # of the kept items

    @cached_property
    def _place(self) -> Ints:
        """Where the process has each item; -1 where it has none."""
        place = np.full(len(self.items), -1, np.int64)
        if self.process is not None:
            place[self.process.kept] = np.arange(len(self.process.kept))
        return place

    def of(self, cases: Cases, items: Ints | None = None) -> Reals:
        """Expected ratings [cases, items] in data units, of all items or of these rows."""
        rows = np.arange(len(self.items)) if items is None else items
        user, never = np.maximum(cases.user, 0), cases.user < 0
        vectors, own = self.users[user], self.user_bias[user]
        vectors[never], own[never] = 0.0, 0.0
        table = self.items if items is None else self.items[rows]
        learned = self.base + own[:, None] + self.item_bias[rows] + vectors @ table.T - self.mean
        weight, shift = self.alone
        blended = weight * learned + shift
        if self.process is not None and self.process_offset is not None:
            place = self._place[rows]
            kept = place >= 0
            first, second, shift = self.both
            told = self.process_offset[place[kept]] + self.process.own(cases.user, place[kept])
            other = self.process_mean + self.process_unit * told - self.mean
            blended[:, kept] = first * learned[:, kept] + second * other + shift
        return np.clip(self.mean + blended, self.low, self.high).astype(np.float32)
