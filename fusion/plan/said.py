"""What the base models say of some cases, and how it is blended."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from trefoil.data.interactions import Ints
from trefoil.fusion.plan.asked import Asked, Reals
from trefoil.fusion.plan.forms import FactorForm
from trefoil.fusion.plan.groups import Scale, centred, inverse_of
from trefoil.fusion.plan.prepared import Prepared


class Said:
    """What the base models say of some cases, standardised by group."""

    def __init__(self, plan: Prepared, asked: Asked) -> None:
        self.plan, self.asked = plan, asked
        self.queries = queries_of(plan, asked, known_row(plan, asked))
        self.tables = filled(plan, asked)
        self.raw = self.tables.copy() if plan.parts.added else None
        self.scales = scales_of(plan, self.queries, len(asked))
        self.table_scales = [Scale(*centred(self.tables, group.span)) for group in plan.groups]

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
            for one, table in zip(weight, self.tables[:, :, group.span], strict=True):
                part += one[:, None] * table
        return out

    def inverse(self) -> Reals:
        """``1 / spread`` of the scores of a single case, [groups, models]."""
        return inverse_by_group(self.plan, self.scales, self.table_scales)

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


def filled(plan: Prepared, asked: Asked) -> Reals:
    """The scores of all forms that fill tables, [tables, cases, items]."""
    out = np.empty((len(plan._tables), len(asked), plan.items), np.float32)
    for place, own in zip(plan._tables, out, strict=True):
        plan._forms[place].fill(asked, own)
    return out


def known_row(plan: Prepared, asked: Asked) -> int | None:
    """The row of what is known beforehand of a single case; None where nothing is."""
    return plan._known.of(asked.cases) if plan._known is not None and len(asked) == 1 else None


def queries_of(plan: Prepared, asked: Asked, known: int | None) -> list[Reals]:
    """The query of each factor form, [cases, width]; known beforehand, or made now."""
    if known is not None and plan._known is not None:
        row = plan._known.queries[known : known + 1]
        return [row[:, columns] for columns in plan._columns]
    forms = (plan._forms[place] for place in plan._factors)
    return [form.query.of(asked) for form in forms if isinstance(form, FactorForm)]


def inverse_by_group(
    plan: Prepared, scales: list[Scale], of_tables: list[Scale], case: int = 0
) -> Reals:
    """``1 / spread`` of the scores of one case, [groups, models]."""
    found = np.zeros((len(plan.groups), len(plan._forms)))
    for row, scale, own in zip(found, scales, of_tables, strict=True):
        row[plan._factors], row[plan._tables] = scale.inverse[:, case], own.inverse[:, case]
    return found


def scales_of(plan: Prepared, queries: Sequence[Reals], cases: int) -> list[Scale]:
    """Mean and spread of the scores of each factor form [forms, cases], by group."""
    shape = len(queries), len(plan.groups), cases
    mean, square = np.empty(shape), np.empty(shape)
    for number, (moments, query) in enumerate(zip(plan._moments, queries, strict=True)):
        mean[number], square[number] = moments.scale(query)
    inverse = inverse_of(np.sqrt(np.maximum(square, 0)))
    return [Scale(mean[:, group], inverse[:, group]) for group in range(len(plan.groups))]


def _moments(scores: Reals) -> tuple[Reals, Reals]:
    mean = scores.mean(1, keepdims=True)
    return mean, np.sqrt(np.square(scores - mean).mean(1, keepdims=True))
