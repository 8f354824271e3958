"""Sparse item-item tables side by side: a short history is looked up in all of them at once."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trefoil.data.interactions import Ints
from trefoil.fusion.plan.asked import Asked, Entries, Reals, entries_of
from trefoil.fusion.plan.forms import SparseRows

MOST_ENTRIES = 8_000_000  # of all tables; beyond, each is looked up by itself


class MergedTables:
    """Row ``item * T + t`` holds what table t of T says of an item, in columns of its own.

    So all that the tables say of one item stands in one span.
    """

    def __init__(self, tables: Sequence[SparseRows]) -> None:
        self.count, self.items = len(tables), tables[0].table.shape[1]
        self.decays = [one.decay for one in tables]
        lengths = np.stack([np.diff(one.table.indptr) for one in tables], axis=1)
        self.start = np.concatenate([[0], np.cumsum(lengths.ravel(), dtype=np.int64)])
        total = int(self.start[-1])
        self.column, self.value = np.empty(total, np.int32), np.empty(total, np.float32)
        for number, one in enumerate(tables):
            first = self.start[:-1].reshape(-1, self.count)[:, number]
            place = np.arange(len(one.table.data)) + np.repeat(
                first - one.table.indptr[:-1], lengths[:, number]
            )
            self.column[place] = one.table.indices + number * self.items
            self.value[place] = one.table.data

    def _spans(self, item: Ints) -> tuple[list[slice], Ints]:
        """Where each of these items stands, and how many entries each table has of it."""
        row = item * self.count
        ends = zip(self.start[row].tolist(), self.start[row + self.count].tolist(), strict=True)
        rows = row[:, None] + np.arange(self.count)
        return [slice(a, b) for a, b in ends], self.start[rows + 1] - self.start[rows]

    def weights(self, asked: Asked) -> Reals:
        """Of each pair of a case and an item, in each table [pairs, tables]."""
        return np.stack([asked.weight(decay) for decay in self.decays], axis=1)

    def fill(self, asked: Asked, out: Reals) -> None:
        """What the tables say of a few cases, written into ``out`` [tables, cases, items]."""
        size = self.count * self.items
        for case in range(len(asked)):
            part = asked.of(case)
            column, value, lengths = self._entries(asked, part)
            weight = self.weights(asked)[part].ravel()
            found = np.bincount(column, value * np.repeat(weight, lengths), size)
            out[:, case] = found.reshape(self.count, self.items)

    def _entries(self, asked: Asked, part: slice) -> Entries:
        """What all tables say of the items of one case; of a single one, gathered once."""

        def made() -> Entries:
            spans, lengths = self._spans(asked.item[part])
            return entries_of(self.column, self.value, spans, lengths.ravel())

        return asked.kept_entries(self, made) if len(asked) == 1 else made()

    def cells(self, asked: Asked, place: Ints) -> NDArray[Any]:
        """Entries [items of the history, tables, place] of a single case, at some columns."""
        many = self.count * len(place)
        where = np.full(self.count * self.items, -1, np.int32)
        at = (np.arange(self.count)[:, None] * self.items + place).ravel()
        where[at] = np.arange(many)
        found = self._entries(asked, slice(None))
        slot = where[found.column]
        row, hit = found.hits(slot >= 0)
        out = np.zeros((len(asked.item), many), np.float32)
        out[row // self.count, slot[hit]] = found.value[hit]
        return out.reshape(-1, self.count, len(place))


def merged(tables: Sequence[SparseRows]) -> MergedTables | None:
    """The tables side by side; None where there are none, or where that would be large."""
    if not tables or sum(len(one.table.data) for one in tables) > MOST_ENTRIES:
        return None
    return MergedTables(tables)
