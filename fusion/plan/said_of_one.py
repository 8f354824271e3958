"""What the base models say of one case, and how it is blended: of all items or of candidates.

Most people ask alone, and of one case what a step costs is to begin it: so each step is taken over
all base models at once. Equal to ``Said`` up to rounding.
"""

from dataclasses import dataclass

import numpy as np

from trefoil.data.interactions import Ints
from trefoil.fusion.plan.asked import Asked, Reals
from trefoil.fusion.plan.groups import centred, inverse_of
from trefoil.fusion.plan.prepared import Prepared
from trefoil.fusion.plan.said import filled, known_row, queries_of


@dataclass(frozen=True)
class SaidOfOne:
    """Scores of base models for one case, with what standardises them by group.

    ``query`` are those of all factor forms side by side. ``tables`` [tables, n] are the scores of
    the other forms; ``mean`` and ``spread`` (1 / spread, 0 for none) are [groups, models].
    ``place`` are the n candidates in the plan's order, ascending; None where all items are scored.
    """

    plan: Prepared
    asked: Asked
    query: Reals
    tables: Reals
    mean: Reals
    spread: Reals
    place: Ints | None = None

    @classmethod
    def of(cls, plan: Prepared, asked: Asked) -> "SaidOfOne":
        """Of all items."""
        query, mean, spread = query_of(plan, asked)
        tables = filled(plan, asked)[:, 0]
        for number, group in enumerate(plan.groups):  # less their mean, which stays zero
            _, spread[number, plan._tables] = centred(tables, group.span)
        return cls(plan, asked, query, tables, mean, spread)

    def inverse(self) -> Reals:
        """``1 / spread`` of the scores, [groups, models]."""
        return self.spread

    def blended(self) -> Reals:
        """The weighted z-scores added up, [1, n]."""
        plan, place = self.plan, self.place
        out = plan._start.copy() if place is None else plan._start[place]
        for group, mean, spread in zip(plan.groups, self.mean, self.spread, strict=True):
            weight, part = group.weights * spread, group.span
            if place is not None:
                part = slice(*np.searchsorted(place, [part.start, part.stop]))
            own = None if place is None or part.stop - part.start == len(group) else place[part]
            if len(self.query):
                query = self.query * weight[plan._factors][plan._owner]
                vectors = plan._stack[group.span] if own is None else plan._stack.take(own, axis=0)
                out[part] += vectors @ query.astype(np.float32)
            out[part] += weight[plan._tables].astype(np.float32) @ self.tables[:, part]
            out[part] -= np.float32(weight @ mean)
        return out[None]

    def z_of(self, rows: Ints) -> Reals:
        """z-scores [models, 1, K] of items [1, K] in training: of these places, or candidates."""
        plan, rows = self.plan, rows[0]
        place = rows if self.place is None else self.place[rows]
        group = np.minimum(place >= plan.groups[0].span.stop, len(plan.groups) - 1).astype(int)
        raw = np.zeros((len(plan._forms), len(rows)))
        if len(self.query):
            apart = np.zeros((len(self.query), len(plan._factors)), np.float32)
            apart[np.arange(len(apart)), plan._owner] = self.query
            raw[plan._factors] = (plan._stack.take(place, axis=0) @ apart).T
        raw[plan._tables] = self.tables[:, rows]
        raw -= self.mean.T[:, group]
        raw *= self.spread.T[:, group]
        raw[plan._fixed] = plan._fixed_z[:, place]
        return raw[:, None].astype(np.float32)


def query_of(plan: Prepared, asked: Asked) -> tuple[Reals, Reals, Reals]:
    """The queries of all factor forms for a single case, side by side [width].

    With mean and ``1 / spread`` [groups, models] of their scores, zero for other models.
    """
    row, known = known_row(plan, asked), plan._known
    if row is None or known is None:
        made = queries_of(plan, asked, None)
        found = np.concatenate([one[0] for one in made]) if made else np.zeros(0)
        query, scales = found.astype(np.float32), None  # as those that a run holds
    else:
        query, scales = known.queries[row], None if known.scales is None else known.scales[row]
    whole = np.zeros((2, len(plan.groups), len(plan._forms)))
    if len(query):
        whole[:, :, plan._factors] = scales_of_query(plan, query) if scales is None else scales
    return query, whole[0], whole[1]


def scales_of_query(plan: Prepared, query: Reals) -> Reals:
    """Mean and ``1 / spread`` of the scores of factor forms [2, groups, forms]."""
    told = query.astype(np.float64)
    product = np.empty_like(plan._means)
    for columns, moments in zip(plan._columns, plan._moments, strict=True):
        product[:, columns] = told[columns] @ moments.covariance
    product *= told
    mean = np.add.reduceat(plan._means * told, plan._starts, axis=1)
    square = np.add.reduceat(product, plan._starts, axis=1)
    return np.stack([mean, inverse_of(np.sqrt(np.maximum(square, 0)))])
