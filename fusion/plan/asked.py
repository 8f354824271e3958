"""What is asked, in the form that arrays are looked up by: each item of a history once."""

from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from trefoil.data.histories import Cases, each_once
from trefoil.data.interactions import Ints
from trefoil.fusion.plan.sums import copied_rows, sum_of_entries, sum_of_rows

Reals = NDArray[np.floating[Any]]  # single precision but for sums

LONG = 100  # entries of a row from which rows are copied one by one
FEW = 16  # cases that are answered one after another; more go through sparse products


class Entries(NamedTuple):
    """Entries of some rows of a sparse table, row by row: ``length`` of each."""

    column: NDArray[Any]
    value: Reals
    length: NDArray[Any]

    def summed(self, weight: Reals, columns: int) -> Reals:
        """Each row times its weight, added up [columns], in the precision of the entries."""
        return sum_of_entries(self.column, self.value, self.length, weight, columns)

    def hits(self, wanted: NDArray[np.bool_]) -> tuple[Ints, Ints]:
        """Row and place of the entries that are ``wanted`` [entries]."""
        hit = np.flatnonzero(wanted)
        return np.searchsorted(np.cumsum(self.length), hit, "right"), hit


def entries_of(table: Any, rows: NDArray[Any]) -> Entries:
    """The entries of some rows of a sparse table, row by row."""
    first = table.indptr[rows]
    length: NDArray[Any] = table.indptr[rows + 1] - first
    ends = np.cumsum(length)
    if len(rows) and ends[-1] > LONG * len(rows):
        return Entries(*copied_rows(table, rows, int(ends[-1])), length)
    at = np.repeat(first - ends + length, length)
    at += np.arange(len(at), dtype=at.dtype)
    return Entries(table.indices.take(at), table.data.take(at), length)


class Asked:
    """Cases, and the pairs (case, item) of their histories without doubles, in order."""

    def __init__(self, cases: Cases, items: int) -> None:
        self.cases, self.items = cases, items
        history = cases.history
        self.few = len(cases) <= FEW
        if len(cases) == 1:
            self.item = each_once(history.item)
            self.case = np.zeros(len(self.item), np.int64)
            self.start = np.array([0, len(self.item)])
        else:
            case = np.repeat(np.arange(len(cases)), history.lengths)
            key = np.unique(case * items + history.item)
            self.case, self.item = np.divmod(key, items)
            self.start = np.searchsorted(self.case, np.arange(len(cases) + 1))
        self._weights: dict[float, Reals] = {}
        self._rows: dict[int, list[Any]] = {}
        self._entries: dict[int, Entries] = {}

    def __len__(self) -> int:
        return len(self.cases)

    @cached_property
    def _pair(self) -> Ints:
        """The pair of each event."""
        history = self.cases.history
        if len(self) == 1:
            return np.searchsorted(self.item, history.item)
        case = np.repeat(np.arange(len(self)), history.lengths)
        key = self.case * self.items + self.item
        return np.searchsorted(key, case * self.items + history.item)

    @cached_property
    def empty(self) -> NDArray[np.bool_]:
        """Cases without a history."""
        return self.cases.history.lengths == 0

    def weight(self, decay: float = 0.0) -> Reals:
        """Per pair: 1, or with a decay the sum of ``exp(-r / decay)`` over its events."""
        if decay not in self._weights:
            found = np.ones(len(self.item), np.float32)
            if decay > 0:
                recency = self.cases.history.recency(decay)
                found = np.bincount(self._pair, recency, len(self.item)).astype(np.float32)
            self._weights[decay] = found
        return self._weights[decay]

    def of(self, case: int) -> slice:
        """The pairs of one case."""
        return slice(int(self.start[case]), int(self.start[case + 1]))

    def matrix(self, weight: Reals) -> Any:
        """Cases x items, as a sparse matrix."""
        shape = len(self), self.items
        return sparse.csr_matrix((weight, self.item, self.start), shape=shape)

    def rows(self, table: Reals, place: Ints | None = None) -> list[Reals]:
        """Per case the rows of a dense table for the items of its history; gathered once.

        ``place`` says which row an item has; an item of place -1 has none.
        """
        if id(table) not in self._rows:
            rows = self.item if place is None else place[self.item]
            found = [rows[self.of(case)] for case in range(len(self))]
            self._rows[id(table)] = [table.take(one[one >= 0], axis=0) for one in found]
        return self._rows[id(table)]

    def entries(self, table: Any) -> Entries:
        """What a sparse table says of the items of a single case; gathered once."""
        if id(table) not in self._entries:
            self._entries[id(table)] = entries_of(table, self.item)
        return self._entries[id(table)]


def summed(table: Any, asked: Asked, weight: Reals) -> NDArray[Any]:
    """``x T`` [cases, columns] for the histories x of ``asked`` and a sparse table T."""
    columns = table.shape[1]
    if not asked.few:
        found = asked.matrix(weight) @ table
        return found.toarray() if sparse.issparse(found) else np.asarray(found)
    out = np.empty((len(asked), columns), np.float32)
    for case, row in enumerate(out):
        part = asked.of(case)
        row[:] = sum_of_rows(table, asked.item[part], weight[part])
    return out


def summed_rows(table: Reals, asked: Asked, weight: Reals) -> Reals:
    """``x T`` [cases, columns] for the histories x of ``asked`` and a dense table T."""
    if not asked.few:
        return np.asarray(asked.matrix(weight) @ table, np.float32)
    parts = (asked.of(case) for case in range(len(asked)))
    return np.stack([weight[one] @ table.take(asked.item[one], axis=0) for one in parts])
