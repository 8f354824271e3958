"""The first items of one person's list in a large catalogue, in two stages.

To read the vectors of all items is most of what a list costs. What no table names for a history
is seldom among the first items of its list. So scores are made of candidates alone, and are those
of the plan up to rounding: base models, blend and reranker. How often that gives the same first
items is measured when a run is written.
"""

from typing import NamedTuple

import numpy as np

from trefoil.data.histories import Cases
from trefoil.fusion.plan.asked import Asked, Reals
from trefoil.fusion.plan.candidates import Candidates
from trefoil.fusion.plan.domains import outside
from trefoil.fusion.plan.known import Codes
from trefoil.fusion.plan.prepared import Prepared
from trefoil.fusion.plan.remembered import MOST_BYTES, Remembered

FIRST = 20  # items of a list that may come from candidates
CANDIDATES = 2_000
KEPT = 500  # the best candidates, which are kept for a while


class Scored(NamedTuple):
    """Item rows of one case, their scores, and ``1 / spread`` [groups, models].

    Items that are left out score no more than ``least``.
    """

    item: Codes
    score: Reals
    inverse: Reals
    least: float


class FirstItems:
    """The best candidates with their scores."""

    def __init__(self, plan: Prepared, size: int = CANDIDATES, *, narrow: bool = False) -> None:
        """``size`` and ``narrow`` are as in ``Shortlist``."""
        self.plan, self.size = plan, size
        self._candidates = Candidates(plan, size, narrow=narrow)
        self.narrow = self._candidates.narrow
        self.possible = self._candidates.possible
        self._kept: Remembered[Scored] = Remembered(MOST_BYTES, _bytes)

    def of(self, cases: Cases, asked: Asked) -> Scored | None:
        """All candidates of a single case; None where they cannot be told."""
        elsewhere = outside(cases.scenario, self.plan._domain) is not None
        if not self.possible or asked.empty[0] or elsewhere:
            return None
        plan, said = self.plan, self._candidates.of(asked)
        if said is None or said.place is None:
            return None
        blended = said.blended()
        if plan._reranking is not None:
            plan._reranking.rerank(blended, asked, plan._position, said.z_of, said.place)
        item = plan._order[said.place].astype(np.int32)
        return Scored(item, blended[0], said.inverse(), -np.inf)

    def best(self, cases: Cases, asked: Asked) -> Scored | None:
        """The best of them, for as long as they are remembered."""

        def made() -> Scored:
            found = self.of(cases, asked)
            return NONE if found is None else _best(found)

        kept = self._kept.get(cases.digest, made)
        return kept if len(kept.item) else None

    def inverse(self, cases: Cases) -> Reals | None:
        """``1 / spread`` [groups, models] of a case that was scored here lately."""
        kept = self._kept.peek(cases.digest)
        return None if kept is None or not len(kept.item) else kept.inverse


NONE = Scored(np.zeros(0, np.int32), np.zeros(0, np.float32), np.zeros((0, 0)), np.inf)


def _best(found: Scored) -> Scored:
    """The best candidates; copies, so that nothing else is held."""
    size = len(found.item)
    if size <= KEPT:
        return found
    best = np.argpartition(found.score, size - KEPT)[size - KEPT :]
    score = found.score[best]
    return Scored(found.item[best], score, found.inverse, float(score.min()))


def _bytes(kept: Scored) -> int:
    return kept.item.nbytes + kept.score.nbytes + kept.inverse.nbytes
