"""Base models as arrays: what each says of every item, computed by numpy and scipy alone.

Two kinds. A ``FactorForm`` is a product of a query, made from a case, with a matrix of items:
its mean and spread over a group of items follow from the query and the covariance of the
matrix, so that many of them are blended by one product. A ``TableForm`` fills in a row of
scores for each case.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Protocol, runtime_checkable

import numpy as np
from scipy import sparse

from trefoil.data.histories import Cases
from trefoil.data.interactions import Ints
from trefoil.fusion.plan.asked import Asked, Reals, summed
from trefoil.fusion.plan.queries import Query
from trefoil.fusion.plan.sums import sum_of_columns, sum_of_dense_rows


@dataclass(frozen=True)
class FactorForm:
    """Scores are ``q M^T``, up to a constant of the case; q is what the query makes of it."""

    items: Reals  # items x width
    query: Query

    def fill(self, asked: Asked, out: Reals) -> None:
        """Scores [cases, items], written into ``out``."""
        np.matmul(self.query.of(asked), self.items.T, out=out)

    def ordered(self, order: Ints) -> "FactorForm":
        """The same with the scored items in another order."""
        return replace(self, items=np.ascontiguousarray(self.items[order]))


@runtime_checkable
class TableForm(Protocol):
    """Scores that are no product of one query: filled in, a row for each case."""

    def fill(self, asked: Asked, out: Reals) -> None:
        """Scores [cases, items], written into ``out``."""
        ...

    def ordered(self, order: Ints) -> "TableForm":
        """The same with the scored items in another order."""
        ...


Form = FactorForm | TableForm


@dataclass(frozen=True)
class SameForAll:
    """The same scores for everyone."""

    scores: Reals  # items

    def fill(self, asked: Asked, out: Reals) -> None:
        del asked
        out[:] = self.scores

    def ordered(self, order: Ints) -> "SameForAll":
        return SameForAll(self.scores[order])


@dataclass(frozen=True)
class DenseRows:
    """The rows of a dense item-item table for the items of a history, weighted and added up.

    ``kept`` are the items that the table has rows and columns for; the others score zero.
    """

    weights: Reals  # kept x kept; columns in the order of ``columns``
    kept: Ints
    items: int
    decay: float = 0.0
    columns: Ints | None = None  # where the scored items of the table stand; None: as ``kept``

    @cached_property
    def _place(self) -> Ints | None:
        """The row of each item in the table, -1 where it has none; None where all have theirs."""
        if len(self.kept) == self.items:
            return None
        place = np.full(self.items, -1, np.int64)
        place[self.kept] = np.arange(len(self.kept))
        return place

    @cached_property
    def _column(self) -> Ints | None:
        """The column of the table for each scored item, -1 where it has none; None as above."""
        if self.columns is None:
            return self._place
        place = np.full(self.items, -1, np.int64)
        place[self.columns] = np.arange(len(self.columns))
        return place

    def cells_of(self, item: Ints, place: Ints) -> tuple[Ints | None, Ints | None]:
        """Rows and columns of the table for items and for places of scored items, -1 where it
        has none; None where they are the items and places.
        """
        row, column = self._place, self._column
        return None if row is None else row[item], None if column is None else column[place]

    def fill(self, asked: Asked, out: Reals) -> None:
        found = self.of_kept(asked)
        if self._place is not None:
            out[:] = 0.0
        out[:, self.kept if self.columns is None else self.columns] = found

    def of_kept(self, asked: Asked) -> Reals:
        """Scores [cases, kept] of the items that the table has columns for."""
        weight, place = asked.weight(self.decay), self._place
        if not asked.few:
            history = asked.matrix(weight)
            history = history if place is None else history[:, self.kept]
            return np.asarray(history @ self.weights, np.float32)
        if len(asked) == 1:
            return self._of_one(asked.item, weight)
        found = np.empty((len(asked), len(self.kept)), np.float32)
        for case, part in enumerate(asked.rows(self.weights, place)):
            own = weight[asked.of(case)]
            if place is not None:
                own = own[place[asked.item[asked.of(case)]] >= 0]
            np.matmul(own, part, out=found[case])
        return found

    def _of_one(self, item: Ints, weight: Reals) -> Reals:
        """The same of a single case."""
        if self._place is not None:
            there = self._place[item]
            own = there >= 0
            item, weight = there[own], weight[own]
        return sum_of_dense_rows(self.weights, item, weight)[None]

    def ordered(self, order: Ints) -> "DenseRows":
        position = np.empty(len(order), np.int64)
        position[order] = np.arange(len(order))
        # Sums are put in order, not the table, which is large and may be a file's that all share.
        # One that lies the other way round would be turned anew for each block of cases.
        table = np.ascontiguousarray(self.weights)
        return replace(self, weights=table, columns=position[self.kept])


@dataclass(frozen=True)
class SparseRows:
    """The rows of a sparse item-item table for the items of a history, weighted and added up."""

    table: sparse.csr_matrix  # items x items
    decay: float = 0.0

    def fill(self, asked: Asked, out: Reals) -> None:
        out[:] = summed(self.table, asked, asked.weight(self.decay))

    def ordered(self, order: Ints) -> "SparseRows":
        return replace(self, table=_columns(self.table, order))


@dataclass(frozen=True)
class ProfileForm:
    """``(x C) C^T`` for sparse features C of the items: what a history has, found again."""

    content: sparse.csr_matrix  # items x features
    scored: sparse.csr_matrix | None = None  # the same in the order of scored items

    @cached_property
    def turned(self) -> sparse.csr_matrix:
        """Features x scored items."""
        return (self.content if self.scored is None else self.scored).T.tocsr()

    def fill(self, asked: Asked, out: Reals) -> None:
        profile = summed(self.content, asked, asked.weight()).astype(np.float32)
        scored = self.content if self.scored is None else self.scored
        alone = len(profile) == 1
        out[:] = sum_of_columns(scored, profile[0]) if alone else (scored @ profile.T).T

    def ordered(self, order: Ints) -> "ProfileForm":
        return replace(self, scored=self.content[order])


@dataclass(frozen=True)
class HistoryAgain:
    """The history itself: past events weigh as ``weights_in_context`` says."""

    items: int
    pull: float
    pulls: Mapping[str, float] = field(default_factory=dict)
    position: Ints | None = None  # where each item stands among the scored ones

    def fill(self, asked: Asked, out: Reals) -> None:
        history = asked.cases.history
        case = np.repeat(np.arange(len(asked)), history.lengths)
        item = history.item if self.position is None else self.position[history.item]
        cell = case * self.items + item
        weights = weights_in_context(asked.cases, self.pull, self.pulls)
        out[:] = np.bincount(cell, weights, out.size).reshape(out.shape)

    def ordered(self, order: Ints) -> "HistoryAgain":
        position = np.empty(len(order), np.int64)
        position[order] = np.arange(len(order))
        return replace(self, position=position)


def weights_in_context(cases: Cases, pull: float, pulls: Mapping[str, float]) -> Reals:
    """``exp(sum of pulls)`` of each past event [events], over the scenario columns equal to now.

    A column has its own pull in ``pulls``, else ``pull``. A value that is not known now
    equals none.
    """
    history = cases.history
    total = np.zeros(len(history.item), np.float32)
    for name in sorted(cases.scenario.keys() & history.scenario.keys()):
        now = np.repeat(cases.scenario[name], history.lengths)
        equal = (history.scenario[name] == now) & (now >= 0)
        total += np.float32(pulls.get(name, pull)) * equal
    return np.exp(total)


def _columns(table: sparse.csr_matrix, order: Ints) -> sparse.csr_matrix:
    """The columns of a table in another order; entries stay where they are."""
    position = np.empty(len(order), table.indices.dtype)
    position[order] = np.arange(len(order))
    parts = (table.data, position[table.indices], table.indptr)
    return sparse.csr_matrix(parts, shape=table.shape)
