"""The scoring plan: what an ensemble says of a case, in as few products as it takes.

z-scores of factor models follow from the covariance of their item matrices, so all of them
are blended by one product with the matrices side by side. Items stand in an order of the
plan's own while they are scored: those with events, those without, those that came after
training.
"""

from dataclasses import replace
from itertools import count

import numpy as np

from trefoil.data.histories import Cases
from trefoil.data.interactions import Ints
from trefoil.fusion.plan.asked import FEW, Asked, Reals
from trefoil.fusion.plan.contributions import Contributions, Influence
from trefoil.fusion.plan.domains import FAR, outside
from trefoil.fusion.plan.forms import ByAttributes, Form
from trefoil.fusion.plan.groups import standardise
from trefoil.fusion.plan.parts import Parts
from trefoil.fusion.plan.prepared import Prepared
from trefoil.fusion.plan.ratings import Ratings
from trefoil.fusion.plan.remembered import MOST_BYTES, Remembered, bytes_of, key_of
from trefoil.fusion.plan.said import Said
from trefoil.fusion.plan.said_of_many import LARGE, SaidOfMany

_NUMBERS = count()
MOST_CELLS = 16_000_000  # of the tables of one batch


class Plan(Prepared):
    """Scores anyone for all items, as the ensemble that it was compiled from."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self.number = next(_NUMBERS)  # no other plan of this process has it
        self._cold_users = self._cold_user_forms(self._order)
        self._scores = Remembered(MOST_BYTES, bytes_of)
        self._influence = Influence(self._forms, self.groups)

    def _cold_user_forms(self, order: Ints) -> list[tuple[Form, float]]:
        found = []
        for name, weight in self.parts.cold_users:
            form = self.parts.form(name)
            found.append((form if self._sorted else form.ordered(order), weight))
        return found

    def score(self, cases: Cases) -> Reals:
        """Scores [cases, items]: base models blended, first items reranked.

        Those of a single case are remembered, and cannot be written to.
        """
        if len(cases) == 1:
            return self._remembered(cases)[0]
        width = 1 if self.items >= LARGE else len(self._tables) + 1
        most = max(1, MOST_CELLS // max(1, width * self.items))
        rows = np.arange(len(cases))
        parts = [cases.take(rows[at : at + most]) for at in range(0, max(len(rows), 1), most)]
        return np.concatenate([self._score(self._said_of(one), one) for one in parts])

    def _remembered(self, cases: Cases) -> tuple[Reals, ...]:
        """Of a single case: scores [1, items], and ``1 / spread`` [groups, models]."""

        def made() -> tuple[Reals, ...]:
            said = self._said(cases)
            scores, inverse = self._score(said, cases), said.inverse()
            scores.flags.writeable = False
            return scores, inverse

        return self._scores.get(key_of(cases), made)

    def _score(self, said: Said | SaidOfMany, cases: Cases) -> Reals:
        blended = said.blended()
        others = outside(said.asked.cases.scenario, self._domain)
        if self._reranking is not None:
            far = np.float32(0)
            if others is not None:
                far = np.float32(FAR) * others[:, : self.parts.learned]
                blended -= far
            self._reranking.rerank(blended, said.asked, self._position, said.z_of)
            if others is not None:
                blended += far
        if isinstance(said, Said) and self.parts.added is not None:
            blended = said.followed(blended)
        new = said.asked.empty
        if self._cold_users and new.any():
            blended[new] = self._for_cold_users(cases.take(np.flatnonzero(new)))
        if others is not None:
            blended[others] -= np.float32(FAR)
        return blended if self._sorted else blended.take(self._position, axis=1)

    def _said(self, cases: Cases) -> Said:
        return Said(self, self._asked(cases))

    def _said_of(self, cases: Cases) -> Said | SaidOfMany:
        """In the way that suits their number."""
        many = len(cases) > FEW and self.items >= LARGE and self.parts.added is None
        return SaidOfMany(self, self._asked(cases)) if many else self._said(cases)

    def _asked(self, cases: Cases) -> Asked:
        if not self.parts.scenarios:
            cases = replace(cases, scenario={})
        return Asked(cases, self.items)

    def _for_cold_users(self, cases: Cases) -> Reals:
        """People without events: see ``fusion.ensemble.cold_start_users``."""
        learned, total = self.parts.learned, np.zeros((len(cases), self.items), np.float32)
        asked, raw = Asked(cases, self.items), np.empty_like(total)
        for form, weight in self._cold_users:
            form.fill(asked, raw)
            total[:, :learned] += np.float32(weight) * standardise(raw[:, :learned])
        total[:, learned:] = total[:, :learned].min(1, keepdims=True)
        return total

    @property
    def attributes(self) -> ByAttributes | None:
        """The base model that reads what is told of people; None where none is heard."""
        forms = [*self._forms, *(form for form, _ in self._cold_users)]
        return next((one for one in forms if isinstance(one, ByAttributes)), None)

    @property
    def vectors_width(self) -> int:
        """How long ``vectors`` are; 0 where no base model has any."""
        return self._stack.shape[1]

    def vectors(self, items: Ints) -> Reals:
        """Vectors of length one [..., width] of item rows: those of all factor models side by
        side, each around its mean and with the same say.
        """
        if self._spread is None:
            mean = self._stack.mean(0)
            scale = np.empty_like(mean)
            for columns in self._columns:
                spread = np.sqrt(np.square(self._stack[:, columns] - mean[columns]).sum(1).mean())
                scale[columns] = 1 / max(float(spread), 1e-6)
            self._spread = mean, scale
        mean, scale = self._spread
        found = (self._stack[self._position[items]] - mean) * scale
        length = np.sqrt(np.square(found).sum(-1, keepdims=True))
        return found / np.maximum(length, 1e-6)

    @property
    def ratings(self) -> Ratings | None:
        return self.parts.ratings

    def stars(self, cases: Cases, items: Ints | None = None) -> Reals | None:
        """Expected ratings [cases, items], of all items or of these; None where none are."""
        return None if self.parts.ratings is None else self.parts.ratings.of(cases, items)

    def shares(self, cases: Cases, items: Ints) -> dict[str, Reals]:
        """What each base model adds to the score of items in training, [cases, items] each.

        Before the first items are reranked. ``items`` [K] are rows; of those that came
        after training nothing is told (NaN).
        """
        said, place = self._said(cases), self._position[items]
        late = place >= self.parts.learned
        rows = np.broadcast_to(np.where(late, 0, place), (len(cases), len(items)))
        z, cold = said.z_of(rows), rows >= self.groups[0].span.stop
        found = {}
        for number, name in enumerate(self.parts.names):
            first, last = (group.weights[number] for group in (self.groups[0], self.groups[-1]))
            share = np.where(cold, last, first) * z[number]
            found[name] = np.where(late, np.nan, share).astype(np.float32)
        return found

    def contributions(self, cases: Cases, items: Ints) -> Contributions:
        """What each event of a single case adds to the score of these items (rows)."""
        inverse = self._remembered(cases)[1]
        return self._influence.of(self._asked(cases), self._position[items], inverse)
