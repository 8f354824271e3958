"""Which items without an event may be among the first of one person's list.

No table of events names them, so their vectors are read for every list. Most of what a product
with these says lies in few directions: the best by those are read whole.
"""

import numpy as np

from trefoil.data.interactions import Ints
from trefoil.fusion.plan.asked import Reals
from trefoil.fusion.plan.groups import LEAST
from trefoil.fusion.plan.prepared import Prepared

DIRECTIONS = 96
MOST = 1_200  # items that are read whole
WORTH = 4 * MOST  # of fewer items all are read


class WithoutEvents:
    """Vectors of the items without events, seen from the directions in which they differ most.

    A form weighs there as it weighs in the blend.
    """

    def __init__(self, plan: Prepared) -> None:
        self.plan, group = plan, plan.groups[1]
        block = plan._stack[group.span]
        square = np.add.reduceat(np.square(block).sum(0), plan._starts)
        told = np.abs(group.weights[plan._factors]) / np.sqrt(np.maximum(square, LEAST))
        scale = np.maximum(told, LEAST)[plan._owner]
        moments = (block * scale).T.astype(np.float64) @ (block * scale)
        _, found = np.linalg.eigh(moments)  # the widest last
        widest = found[:, -DIRECTIONS:]
        self._short = block @ (scale[:, None] * widest).astype(np.float32)
        self._turn = (widest / scale[:, None]).T.astype(np.float32)

    @classmethod
    def of(cls, plan: Prepared) -> "WithoutEvents | None":
        """None where there are so few, or so short vectors, that all are read."""
        many = len(plan.groups) == 2 and len(plan.groups[1]) > WORTH
        return cls(plan) if many and plan._stack.shape[1] > 2 * DIRECTIONS else None

    def best(self, query: Reals, spread: Reals, told: Reals) -> Ints:
        """Places within the group of the best items, ascending.

        ``query`` and ``spread`` (1 / spread) are of the case, ``told`` what all else says of them.
        """
        plan, group = self.plan, self.plan.groups[1]
        weight = (group.weights * spread[1])[plan._factors][plan._owner]
        score = self._short @ (self._turn @ (query * weight).astype(np.float32))
        score += told
        best = np.argpartition(score, len(score) - MOST)[len(score) - MOST :]
        best.sort()
        return best
