"""Sparse item-item tables side by side: a short history is looked up in all of them at once."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from trefoil.data.interactions import Ints
from trefoil.fusion.plan.asked import Asked, Entries, Reals, entries_of
from trefoil.fusion.plan.forms import SparseRows

MOST_ENTRIES = 8_000_000  # of all tables; beyond, each is looked up by itself


class MergedTables:
    """Row ``item`` holds what each of the tables says of an item, in columns of its own.

    So all that the tables say of one item stands in one span, table by table.
    """

    def __init__(self, tables: Sequence[SparseRows]) -> None:
        self.count, self.items = len(tables), tables[0].table.shape[1]
        self.decays = [one.decay for one in tables]
        self.length = np.stack([np.diff(one.table.indptr) for one in tables], axis=1)
        ends = np.cumsum(self.length.ravel(), dtype=np.int64)
        first = (ends - self.length.ravel()).reshape(-1, self.count)
        column, value = np.empty(ends[-1], np.int32), np.empty(ends[-1], np.float32)
        for number, one in enumerate(tables):
            place = np.arange(len(one.table.data)) + np.repeat(
                first[:, number] - one.table.indptr[:-1], self.length[:, number]
            )
            column[place] = one.table.indices + number * self.items
            value[place] = one.table.data
        start = np.append(first[:, 0], ends[-1])
        shape = len(first), self.count * self.items
        self.table = sparse.csr_matrix((value, column, start), shape=shape)

    def weights(self, asked: Asked) -> Reals:
        """Of each pair of a case and an item, in each table [pairs, tables]."""
        return np.stack([asked.weight(decay) for decay in self.decays], axis=1)

    def fill(self, asked: Asked, out: Reals) -> None:
        """What the tables say of a few cases, written into ``out`` [tables, cases, items]."""
        size = self.count * self.items
        for case in range(len(asked)):
            part = asked.of(case)
            weight = self.weights(asked)[part].ravel()
            found = self._entries(asked, part).summed(weight, size)
            out[:, case] = found.reshape(self.count, self.items)

    def _entries(self, asked: Asked, part: slice) -> Entries:
        """What all tables say of the items of one case; of a single one, gathered once."""

        def made() -> Entries:
            item = asked.item[part]
            return entries_of(self.table, item, self.length[item].ravel())

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
