"""The scoring plan: what an ensemble says of a case, in as few products as it takes.

z-scores of factor models follow from the covariance of their item matrices, so all of them
are blended by one product with the matrices side by side. Items stand in an order of the
plan's own while they are scored: those with events, those without, those that came after
training.
"""

from collections.abc import Sequence
from copy import copy
from itertools import count

import numpy as np

from trefoil.data.histories import Cases
from trefoil.data.interactions import Ints
from trefoil.fusion.plan.asked import FEW, Asked, Reals
from trefoil.fusion.plan.contributions import Contributions, Influence
from trefoil.fusion.plan.domains import FAR, asked_domain, outside, without_contexts
from trefoil.fusion.plan.first import FirstItems, Scored
from trefoil.fusion.plan.forms import Form
from trefoil.fusion.plan.groups import standardise
from trefoil.fusion.plan.known import KnownQueries, digests_of, room_for
from trefoil.fusion.plan.of_users import ByAttributes
from trefoil.fusion.plan.parts import Parts
from trefoil.fusion.plan.prepared import Prepared
from trefoil.fusion.plan.ratings import Ratings
from trefoil.fusion.plan.remembered import MOST_BYTES, Remembered, bytes_of
from trefoil.fusion.plan.said import Said, queries_of
from trefoil.fusion.plan.said_of_many import LARGE, SaidOfMany
from trefoil.fusion.plan.said_of_one import SaidOfOne, scales_of_query

_NUMBERS = count()
MOST_CELLS = 16_000_000  # of the tables of one batch


class Plan(Prepared):
    """Scores anyone for all items, as the ensemble that it was compiled from."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self.number = next(_NUMBERS)  # no other plan of this process has it
        self._cold_users = self._cold_user_forms(self._order)
        self._scores = Remembered(MOST_BYTES, bytes_of)
        self._last: tuple[bytes, Asked] | None = None
        short = parts.shortlist
        self.first = None if short is None else FirstItems(self, short.size, narrow=short.narrow)
        self._influence = Influence(self._forms, self.groups)
        self._within: list[Plan] = []
        self._within = [self._weighed(warm) for warm in self.parts.within]

    def _weighed(self, warm: Sequence[float]) -> "Plan":
        """This plan for who asks in a domain, whose weights are others; arrays are shared."""
        other = copy(self)
        other._within = []
        other.weigh(warm)
        other._influence = Influence(other._forms, other.groups)
        return other

    def _in_domain(self, code: int) -> "Plan":
        return self._within[code] if 0 <= code < len(self._within) else self

    def _of(self, cases: Cases) -> "Plan":
        """The plan of the domain that the first of these cases asks in."""
        asked = asked_domain(cases.scenario) if self._within else None
        return self if asked is None else self._in_domain(int(asked[0]))

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
            return self._of(cases)._remembered(cases)[0]
        return np.concatenate([self._by_domain(cases.take(rows)) for rows in self._parts(cases)])

    def _parts(self, cases: Cases) -> list[Ints]:
        """Rows of cases whose tables are held together; at least one part."""
        width = 1 if self.items >= LARGE else len(self._tables) + 1
        most = max(1, MOST_CELLS // max(1, width * self.items))
        rows = np.arange(len(cases))
        return [rows[at : at + most] for at in range(0, max(len(rows), 1), most)]

    def _by_domain(self, cases: Cases) -> Reals:
        """Scores of several cases, those who ask in one domain together."""
        asked = asked_domain(cases.scenario) if self._within else None
        if asked is None:
            return self._score(self._said_of(cases), cases)
        found = np.empty((len(cases), self.items), np.float32)
        for code in np.unique(asked):
            rows = np.flatnonzero(asked == code)
            part, plan = cases.take(rows), self._in_domain(int(code))
            found[rows] = plan._score(plan._said_of(part), part)
        return found

    def _remembered(self, cases: Cases) -> tuple[Reals, ...]:
        """Of a single case: scores [1, items], and ``1 / spread`` [groups, models]."""

        def made() -> tuple[Reals, ...]:
            said = self._said_of(cases)
            scores, inverse = self._score(said, cases), said.inverse()
            scores.flags.writeable = False
            return scores, inverse

        return self._scores.get(cases.digest, made)

    def _inverse(self, cases: Cases) -> Reals:
        """``1 / spread`` of the scores of a single case; these need not be blended for it."""
        kept = self._scores.peek(cases.digest)
        return self._said_of(cases).inverse() if kept is None else kept[1]

    def first_items(self, cases: Cases) -> Scored | None:
        """The best items of a single case with their scores as ``score`` gives them.

        From candidates, where that is said to give the same first items; else None.
        """
        return None if self.first is None else self.first.best(cases, self._asked(cases))

    def score_together(self, parts: Sequence[Cases]) -> None:
        """Score single cases of a large catalogue at once, for when each is asked by itself."""
        left = {one.digest: one for one in parts if not self._scores.has(one.digest)}
        alone = self.parts.added is not None or bool(self.first) or bool(self._within)
        if len(left) < 2 or self.items < LARGE or alone:
            return
        cases = Cases.together([*left.values()])
        said = SaidOfMany(self, self._asked(cases))
        scores = self._score(said, cases)
        for row, digest in enumerate(left):
            own, inverse = scores[row : row + 1].copy(), said.inverse(row)
            own.flags.writeable = False
            self._scores.get(digest, lambda made=(own, inverse): made)

    def _score(self, said: Said | SaidOfOne | SaidOfMany, cases: Cases) -> Reals:
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

    def _said_of(self, cases: Cases) -> Said | SaidOfOne | SaidOfMany:
        """In the way that suits their number."""
        if self.parts.added is not None:
            return self._said(cases)
        if self.items >= LARGE and (len(cases) > FEW or len(cases) == 1):
            return SaidOfMany(self, self._asked(cases))
        return SaidOfOne.of(self, self._asked(cases)) if len(cases) == 1 else self._said(cases)

    def _asked(self, cases: Cases) -> Asked:
        """The cases as forms read them; of a single case the last is kept, for its reasons."""
        last, key = self._last, cases.digest if len(cases) == 1 else None
        if last is not None and key is not None and last[0] == key:
            return last[1]
        told = cases if self.parts.scenarios else without_contexts(cases)
        asked = Asked(told, self.items)
        if key is not None:
            self._last = key, asked  # as a whole: threads never meet half of it
        return asked

    def _for_cold_users(self, cases: Cases) -> Reals:
        """People without events: see ``fusion.ensemble.cold_start_users``."""
        learned, total = self.parts.learned, np.zeros((len(cases), self.items), np.float32)
        asked, raw = Asked(cases, self.items), np.empty_like(total)
        for form, weight in self._cold_users:
            form.fill(asked, raw)
            total[:, :learned] += np.float32(weight) * standardise(raw[:, :learned])
        total[:, learned:] = total[:, :learned].min(1, keepdims=True)
        return total

    def known_queries(self, cases: Cases) -> KnownQueries | None:
        """What is known beforehand of everybody, one case for each row of a user; None where
        there are too many people, or no factor form.
        """
        widths = [columns.stop - columns.start for columns in self._columns]
        if not room_for(len(cases), widths):
            return None
        found = np.empty((len(cases), sum(widths)), np.float32)
        for row in range(len(cases)):  # each as when they ask, to the last digit
            queries = queries_of(self, self._asked(cases.take(np.array([row]))), None)
            found[row] = np.concatenate(queries, axis=1)[0]
        names = tuple(self.parts.names[place] for place in self._factors)
        scales = np.stack([scales_of_query(self, query) for query in found])
        return KnownQueries(names, found, digests_of(cases.history), scales)

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

        Before the first items are reranked. ``items`` are rows, [K] for all cases or
        [cases, K]; of those that came after training nothing is told (NaN).
        """
        place = np.broadcast_to(self._position[items], (len(cases), items.shape[-1]))
        told = [self._shares(cases.take(rows), place[rows]) for rows in self._parts(cases)]
        whole = np.concatenate(told, axis=1)
        return dict(zip(self.parts.names, whole, strict=True))

    def _shares(self, cases: Cases, place: Ints) -> Reals:
        """Of items at these places [cases, K], each case by the weights of its domain."""
        late = place >= self.parts.learned
        rows = np.where(late, 0, place)
        z, cold = self._said_of(cases).z_of(rows), rows >= self.groups[0].span.stop
        asked = asked_domain(cases.scenario) if self._within else None
        plans = [self._in_domain(int(code)) for code in asked] if asked is not None else [self]
        ends = ([one.groups[at].weights for one in plans] for at in (0, -1))
        first, last = (np.stack(one, axis=1)[:, :, None] for one in ends)  # models x cases x 1
        return np.where(late, np.nan, np.where(cold, last, first) * z).astype(np.float32)

    def contributions(self, cases: Cases, items: Ints) -> Contributions:
        """What each event of a single case adds to the score of these items (rows)."""
        plan = self._of(cases)
        inverse = None if self.first is None else self.first.inverse(cases)
        inverse = plan._inverse(cases) if inverse is None else inverse
        return plan._influence.of(self._asked(cases), self._position[items], inverse)
