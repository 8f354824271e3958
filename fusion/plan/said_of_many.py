"""What the base models say of cases in a large catalogue: most of it is zero, and stays out.

Tables of pairs know a few hundred or thousand items for a history, of a hundred thousand. Mean
and spread follow from these alone, and so does what they add to the blend. Equal to ``Said`` up
to rounding.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from trefoil.data.interactions import Ints
from trefoil.fusion.plan.asked import FEW, Asked, Reals
from trefoil.fusion.plan.forms import DenseRows, FactorForm, ProfileForm, SparseRows, TableForm
from trefoil.fusion.plan.groups import Scale, inverse_of
from trefoil.fusion.plan.prepared import Prepared
from trefoil.fusion.plan.said import inverse_by_group, known_row, queries_of, scales_of

LARGE = 20_000  # items from which many cases are answered so
TILE = 8_192  # items of a product that is added up while it is near
SPARSE = 0.25  # share of the items that a table may name and still count as sparse


@dataclass(frozen=True)
class Entries:
    """Scores of one table [cases, items], as a sparse matrix in which no pair comes twice."""

    table: sparse.csr_matrix

    @cached_property
    def flat(self) -> Ints:
        """Where each entry stands in scores [cases, items] laid out row by row."""
        n, items = self.table.shape
        first = np.repeat(np.arange(n, dtype=np.int64) * items, np.diff(self.table.indptr))
        return first + self.table.indices

    def sums(self, inside: Reals) -> tuple[Reals, Reals]:
        """Of scores, and of their squares [groups, cases]; ``inside`` [items, groups]."""
        value = self.table.data.astype(np.float64)
        rest = self.table.indices, self.table.indptr
        plain, square = (
            sparse.csr_matrix((one, *rest), shape=self.table.shape) @ inside
            for one in (value, value * value)
        )
        return plain.T, square.T

    def add(self, out: Reals, weight: Reals, warm: int) -> None:
        """Add the scores [cases, items], of each group times its weight [groups, cases]."""
        each, data = np.diff(self.table.indptr), self.table.data
        factor = np.repeat(weight[0], each)
        if len(weight) > 1:
            cold = np.flatnonzero(self.table.indices >= warm)
            if len(cold):
                factor[cold] = np.repeat(weight[1], each)[cold]
        out.reshape(-1)[self.flat] += factor * data

    def at(self, rows: Ints, scratch: Reals) -> Reals:
        """Scores [cases, K] of rows [cases, K]; ``scratch`` [cases, items] is zero again after."""
        scratch.reshape(-1)[self.flat] = self.table.data
        found = np.take_along_axis(scratch, rows, 1)
        scratch.reshape(-1)[self.flat] = 0.0
        return found


@dataclass(frozen=True)
class Columns:
    """Scores of one table [cases, kept] of the items ``columns``; all others are zero."""

    columns: Ints
    value: Reals

    def sums(self, inside: Reals) -> tuple[Reals, Reals]:
        """As ``Entries.sums``."""
        own = inside[self.columns].T
        value = self.value.astype(np.float64)
        return own @ value.T, own @ (value * value).T

    def add(self, out: Reals, weight: Reals, warm: int) -> None:
        """As ``Entries.add``."""
        value = self.value * weight[0][:, None]
        if len(weight) > 1:
            cold = np.flatnonzero(self.columns >= warm)
            if len(cold):
                value[:, cold] = self.value[:, cold] * weight[1][:, None]
        out[:, self.columns] += value

    def at(self, rows: Ints, scratch: Reals) -> Reals:
        """As ``Entries.at``."""
        scratch[:, self.columns] = self.value
        found = np.take_along_axis(scratch, rows, 1)
        scratch[:, self.columns] = 0.0
        return found


class SaidOfMany:
    """What the base models say of one case or many, standardised by group."""

    def __init__(self, plan: Prepared, asked: Asked) -> None:
        self.plan, self.asked = plan, asked
        forms, n = plan._forms, len(asked)
        self.queries = queries_of(plan, asked, known_row(plan, asked))
        self.tables = [
            _told(form, asked)
            for place in plan._tables
            if not isinstance(form := forms[place], FactorForm)
        ]
        inside, sizes = plan.inside, np.array([len(one) for one in plan.groups])
        told = np.array([one.sums(inside) for one in self.tables])
        told = told.reshape(-1, 2, len(sizes), n).transpose(2, 1, 0, 3) / sizes[:, None, None, None]
        self.scales, self.table_scales = scales_of(plan, self.queries, n), []
        for mean, square in told:
            spread = np.sqrt(np.maximum(square - mean**2, 0))
            self.table_scales.append(Scale(mean, inverse_of(spread)))

    def inverse(self, case: int = 0) -> Reals:
        """As ``Said.inverse``, of one of the cases."""
        return inverse_by_group(self.plan, self.scales, self.table_scales, case)

    def blended(self) -> Reals:
        """The weighted z-scores added up, [cases, items in training]."""
        plan, n = self.plan, len(self.asked)
        out = np.empty((n, plan.parts.learned), np.float32)
        weights = []
        for group, scale, own in zip(plan.groups, self.scales, self.table_scales, strict=True):
            weight = group.weights[plan._factors][:, None] * scale.inverse
            pairs = zip(self.queries, weight, strict=True)
            width = [np.zeros((n, 0)), *(q * w[:, None] for q, w in pairs)]
            query = np.concatenate(width, axis=1).astype(np.float32)
            of_tables = group.weights[plan._tables][:, None] * own.inverse
            weights.append(of_tables.astype(np.float32))
            less = (weight * scale.mean).sum(0) + (of_tables * own.mean).sum(0)
            self._fill(out, group.span, query, less.astype(np.float32)[:, None])
        for number, one in enumerate(self.tables):
            own = np.stack([weight[number] for weight in weights])
            one.add(out, own, plan.groups[0].span.stop)
        return out

    def _fill(self, out: Reals, span: slice, query: Reals, less: Reals) -> None:
        """The factor models of one group, and what is the same for all, a tile at a time."""
        plan = self.plan
        for first in range(span.start, span.stop, TILE):
            tile = slice(first, min(first + TILE, span.stop))
            if len(query) > FEW:
                part = query @ plan._stack[tile].T
                part -= less
                np.add(part, plan._start[tile], out=out[:, tile])
            else:  # items x cases: of few cases the faster way round
                part = plan._stack[tile] @ query.T
                part -= less.T
                part += plan._start[tile, None]
                out[:, tile] = part.T

    def z_of(self, rows: Ints) -> Reals:
        """z-scores [models, cases, K] of rows [cases, K] of the plan's order, in training."""
        plan = self.plan
        z = np.empty((len(plan._forms), *rows.shape), np.float32)
        cold = rows >= plan.groups[0].span.stop
        z[plan._fixed] = plan._fixed_z[:, rows]
        block = plan._stack[rows]
        for number, place in enumerate(plan._factors):
            raw = block[:, :, plan._columns[number]] @ self.queries[number][:, :, None]
            z[place] = scaled(raw[..., 0], cold, self.scales, number)
        scratch = np.zeros((len(rows), plan.items), np.float32)
        for number, place in enumerate(plan._tables):
            raw = self.tables[number].at(rows, scratch)
            z[place] = scaled(raw, cold, self.table_scales, number)
        return z


def scaled(raw: Reals, cold: NDArray[np.bool_], scales: list[Scale], number: int) -> Reals:
    """By the mean and the spread of each item's group."""
    first, last = (
        (raw - one.mean[number][:, None]) * one.inverse[number][:, None]
        for one in (scales[0], scales[-1])
    )
    return np.where(cold, last, first)


def _told(form: TableForm, asked: Asked) -> Entries | Columns:
    """What a form says of some cases, by the few items that it names where they are few."""
    if isinstance(form, DenseRows) and len(form.kept) <= SPARSE * form.items:
        columns = form.kept if form.columns is None else form.columns
        return Columns(columns, form.of_kept(asked))
    found = None
    if isinstance(form, SparseRows):
        found = _product(asked.matrix(asked.weight(form.decay)), form.table)
    elif isinstance(form, ProfileForm):
        profile = asked.matrix(asked.weight()) @ form.content
        found = _product(profile.astype(np.float32), form.turned)
    if found is not None:
        return Entries(found)
    out = np.empty((len(asked), asked.items), np.float32)
    form.fill(asked, out)
    return Columns(np.arange(asked.items), out)


def _product(left: Any, right: sparse.csr_matrix) -> Any:
    """``left @ right``; None where it is not sparse, or may not be."""
    named = np.diff(right.indptr)[left.indices].sum()
    return left @ right if named <= SPARSE * left.shape[0] * right.shape[1] else None
