"""The scoring plan: what an ensemble says of a case, in as few products as it takes.

z-scores of factor models follow from the covariance of their item matrices, so all of them
are blended by one product with the matrices side by side. Items stand in an order of the
plan's own while they are scored: those with events, those without, those that came after
training.
"""

from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from trefoil.data.histories import Cases
from trefoil.data.interactions import Ints
from trefoil.fusion.plan.asked import Asked, Reals
from trefoil.fusion.plan.forms import ByAttributes, FactorForm, Form, SameForAll
from trefoil.fusion.plan.groups import Group, Moments, Scale, centred, standardise
from trefoil.fusion.plan.parts import Parts
from trefoil.fusion.plan.ratings import Ratings

MOST_CELLS = 16_000_000  # of the tables of one batch


class Plan:
    """Scores anyone for all items, as the ensemble that it was compiled from."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts = parts.heard()
        self.items, learned = parts.items, parts.learned
        warm, cold = (np.flatnonzero(one) for one in (parts.seen[:learned], ~parts.seen[:learned]))
        order = np.concatenate([warm, cold, np.arange(learned, self.items)])
        self._position = np.empty(self.items, np.int64)
        self._position[order] = np.arange(self.items)
        self._sorted = bool((order == np.arange(self.items)).all())
        forms = [one if self._sorted else one.ordered(order) for one in parts.forms]
        self._reranking = parts.reranking and parts.reranking.ordered(order[:learned])
        ends = (0, len(warm)), (len(warm), learned)
        told = (parts.warm, 0.0), (parts.cold, parts.offset)
        self.groups = [
            Group(slice(*end), np.array(weights), offset)
            for end, (weights, offset) in zip(ends, told, strict=True)
            if end[1] > end[0]
        ]
        self._fixed = [place for place, one in enumerate(forms) if isinstance(one, SameForAll)]
        self._factors = [place for place, one in enumerate(forms) if isinstance(one, FactorForm)]
        self._tables = [
            place for place in range(len(forms)) if place not in {*self._fixed, *self._factors}
        ]
        self._forms = forms
        self._prepare_fixed()
        self._prepare_factors()
        self._cold_users = self._cold_user_forms(order)

    def _prepare_fixed(self) -> None:
        """z-scores that are the same for all, and what they and the offsets add up to."""
        learned = self.parts.learned
        self._fixed_z = np.zeros((len(self._fixed), learned), np.float32)
        for row, place in enumerate(self._fixed):
            form = self._forms[place]
            assert isinstance(form, SameForAll)
            self._fixed_z[row] = form.scores[:learned]
        self._start = np.zeros(learned, np.float32)
        for group in self.groups:
            _, inverse = centred(self._fixed_z, group.span)
            self._fixed_z[:, group.span] *= inverse[:, None].astype(np.float32)
            weights = group.weights[self._fixed].astype(np.float32)
            self._start[group.span] = group.offset + weights @ self._fixed_z[:, group.span]

    def _prepare_factors(self) -> None:
        """The matrices of all factor forms side by side, and the moments of each by group."""
        matrices = [
            form.items
            for place in self._factors
            if isinstance(form := self._forms[place], FactorForm)
        ]
        self._stack = np.concatenate(
            [np.zeros((self.items, 0), np.float32), *matrices], axis=1, dtype=np.float32
        )
        ends = np.cumsum([0, *(one.shape[1] for one in matrices)]).tolist()
        self._columns = [slice(a, b) for a, b in pairwise(ends)]
        self._spread: tuple[Reals, Reals] | None = None
        self._moments = [[Moments.of(one[group.span]) for one in matrices] for group in self.groups]

    def _cold_user_forms(self, order: Ints) -> list[tuple[Form, float]]:
        found = []
        for name, weight in self.parts.cold_users:
            form = self.parts.form(name)
            found.append((form if self._sorted else form.ordered(order), weight))
        return found

    def score(self, cases: Cases) -> Reals:
        """Scores [cases, items]: base models blended, first items reranked."""
        most = max(1, MOST_CELLS // max(1, (len(self._tables) + 1) * self.items))
        if len(cases) <= most:
            return self._score(cases)
        rows = np.arange(len(cases))
        parts = [rows[at : at + most] for at in range(0, len(rows), most)]
        return np.concatenate([self._score(cases.take(part)) for part in parts])

    def _score(self, cases: Cases) -> Reals:
        said = self._said(cases)
        blended = said.blended()
        if self._reranking is not None:
            self._reranking.rerank(blended, said.asked, self._position, said.z_of)
        if self.parts.added is not None:
            blended = said.followed(blended)
        new = said.asked.empty
        if self._cold_users and new.any():
            blended[new] = self._for_cold_users(cases.take(np.flatnonzero(new)))
        return blended if self._sorted else blended[:, self._position]

    def _said(self, cases: Cases) -> "Said":
        if not self.parts.scenarios:
            cases = replace(cases, scenario={})
        return Said(self, Asked(cases, self.items))

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
        said = self._said(cases)
        place = self._position[items]
        late = place >= self.parts.learned
        rows = np.broadcast_to(np.where(late, 0, place), (len(cases), len(items)))
        z, cold = said.z_of(rows), rows >= self.groups[0].span.stop
        found = {}
        for number, name in enumerate(self.parts.names):
            first, last = (group.weights[number] for group in (self.groups[0], self.groups[-1]))
            share = np.where(cold, last, first) * z[number]
            found[name] = np.where(late, np.nan, share).astype(np.float32)
        return found


class Said:
    """What the base models say of some cases, standardised by group."""

    def __init__(self, plan: Plan, asked: Asked) -> None:
        self.plan, self.asked = plan, asked
        forms = plan._forms
        self.queries = [
            form.query.of(asked)
            for place in plan._factors
            if isinstance(form := forms[place], FactorForm)
        ]
        self.tables = np.empty((len(plan._tables), len(asked), plan.items), np.float32)
        for place, out in zip(plan._tables, self.tables, strict=True):
            forms[place].fill(asked, out)
        self.raw = self.tables.copy() if plan.parts.added else None
        self.scales, self.table_scales = [], []
        for group, moments in zip(plan.groups, plan._moments, strict=True):
            pairs = [m.scale(q) for m, q in zip(moments, self.queries, strict=True)]
            means, inverses = np.array(pairs).reshape(-1, 2, len(asked)).transpose(1, 0, 2)
            self.scales.append(Scale(means, inverses))
            mean, inverse = centred(self.tables, group.span)
            self.table_scales.append(Scale(mean, inverse))

    def blended(self) -> Reals:
        """The weighted z-scores added up, [cases, items in training]."""
        plan, learned = self.plan, self.plan.parts.learned
        out = np.empty((len(self.asked), learned), np.float32)
        out[:] = plan._start
        for group, scale, own in zip(plan.groups, self.scales, self.table_scales, strict=True):
            part = out[:, group.span]
            if self.queries:
                weight = group.weights[plan._factors][:, None] * scale.inverse
                pairs = zip(self.queries, weight, strict=True)
                query = np.concatenate([q * w[:, None] for q, w in pairs], axis=1)
                part += query.astype(np.float32) @ plan._stack[group.span].T
                part -= (weight * scale.mean).sum(0)[:, None].astype(np.float32)
            weight = (group.weights[plan._tables][:, None] * own.inverse).astype(np.float32)
            if len(self.asked) == 1:
                part += weight[:, 0] @ self.tables[:, 0, group.span]
            else:
                for one, table in zip(weight, self.tables[:, :, group.span], strict=True):
                    part += one[:, None] * table
        return out

    def z_of(self, rows: Ints) -> Reals:
        """z-scores [models, cases, K] of rows [cases, K] of the plan's order, in training."""
        plan = self.plan
        z = np.empty((len(plan._forms), *rows.shape), np.float32)
        cold = rows >= plan.groups[0].span.stop
        every = np.arange(len(rows))[:, None]
        z[plan._fixed] = plan._fixed_z[:, rows]
        if len(plan._factors):
            block = plan._stack[rows]
            for number, place in enumerate(plan._factors):
                raw = (block[:, :, plan._columns[number]] @ self.queries[number][:, :, None])[
                    ..., 0
                ]
                z[place] = self._scaled(raw, cold, self.scales, number, moved=True)
        for number, place in enumerate(plan._tables):
            raw = self.tables[number][every, rows]
            z[place] = self._scaled(raw, cold, self.table_scales, number, moved=False)
        return z

    def _scaled(
        self, raw: Reals, cold: NDArray[np.bool_], scales: list[Scale], number: int, *, moved: bool
    ) -> NDArray[np.float64]:
        """By the mean (where scores are not ``centred``) and the spread of each item's group."""
        found = []
        for scale in (scales[0], scales[-1]):
            mean = scale.mean[number][:, None] if moved else 0.0
            found.append((raw - mean) * scale.inverse[number][:, None])
        return found[0] if len(scales) == 1 else np.where(cold, found[1], found[0])

    def followed(self, blended: Reals) -> Reals:
        """Scores of all items: ``blended``, then those of items that came after training."""
        plan, added = self.plan, self.plan.parts.added
        assert added is not None
        assert self.raw is not None
        learned = plan.parts.learned
        which = -1 if added.like_cold else 0
        alike = plan.groups[which].span
        content = np.zeros((len(blended), plan.items), np.float32)
        for number, place in enumerate(plan._factors):
            if added.weights[place]:
                scale, columns = self.scales[which], plan._columns[number]
                raw = self.queries[number] @ plan._stack[:, columns].T
                z = (raw - scale.mean[number][:, None]) * scale.inverse[number][:, None]
                content += added.weights[place] * z.astype(np.float32)
        for number, place in enumerate(plan._tables):
            if added.weights[place]:
                own = self.table_scales[which]
                z = (self.raw[number] - own.mean[number][:, None]) * own.inverse[number][:, None]
                content += added.weights[place] * z.astype(np.float32)
        fresh = content[:, learned:]
        if added.like_cold:
            fresh = plan.parts.offset + fresh
        else:
            mean, spread = _moments(content[:, alike])
            scaled = np.where(spread > 1e-6, (fresh - mean) / np.maximum(spread, 1e-6), 0.0)
            mean, spread = _moments(blended[:, alike])
            fresh = mean + spread * scaled
        whole = np.concatenate([blended, fresh.astype(np.float32)], axis=1)
        history = self.asked.cases.history
        case = np.repeat(np.arange(len(whole)), history.lengths)
        met = np.bincount(case[history.item < learned], minlength=len(whole)) > 0
        only_added = ~met & (history.lengths > 0)
        whole[only_added] = content[only_added]
        return whole


def _moments(scores: Reals) -> tuple[Reals, Reals]:
    mean = scores.mean(1, keepdims=True)
    return mean, np.sqrt(np.square(scores - mean).mean(1, keepdims=True))
