"""Joins of integer columns, by sorted keys and row pointers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import sparse

from trefoil.data.interactions import Bools, Ints


class Best:
    """Rows by key, the newest first; rows of one key and age are one item, and count once."""

    def __init__(self, key: Ints, age: Ints) -> None:
        order = np.lexsort((age, key))
        fresh = np.ones(len(order), bool)
        fresh[1:] = (np.diff(key[order]) != 0) | (np.diff(age[order]) != 0)
        self.order = order[fresh]
        self.keys, self.start, self.count = np.unique(
            key[self.order], return_index=True, return_counts=True
        )

    def look(
        self, key: Ints, item_of: Callable[[Ints], Ints], item: Ints
    ) -> tuple[Ints, Ints, Bools, Bools]:
        """For each key: the newest row that is not of ``item``, the count of rows without the
        first where that is the item, whether it is, and whether any is left.
        """
        place, hit = found(self.keys, key)
        if not len(self.keys):
            return place, place, hit, hit
        place = np.where(hit, place, 0)
        first, count = self.start[place], self.count[place]
        itself = item_of(self.order[first]) == item
        row = self.order[np.minimum(first + itself, len(self.order) - 1)]
        return row, count - itself, itself & hit, hit & (count > itself)


def expanded(matrix: sparse.csr_matrix, rows: Ints, data: bool = False) -> tuple[Ints, Ints]:
    """For each row asked for, its columns (or values): (position in ``rows``, column)."""
    first = matrix.indptr[rows].astype(np.int64)
    lengths = matrix.indptr[rows + 1] - first
    at = np.repeat(np.arange(len(rows)), lengths)
    inner = np.repeat(first, lengths) + ramp(lengths)
    values = matrix.data if data else matrix.indices
    return at, values[inner].astype(np.int64)


def ramp(lengths: Ints) -> Ints:
    """0..n-1 for each length n, one after another."""
    total = int(lengths.sum())
    return np.arange(total) - np.repeat(np.cumsum(lengths) - lengths, lengths)


def found(keys: Ints, wanted: Ints) -> tuple[Ints, Bools]:
    """Place of each wanted key in sorted keys, and whether it is there."""
    place = np.searchsorted(keys, wanted)
    inside = place < len(keys)
    hit = np.zeros(len(wanted), bool)
    hit[inside] = keys[place[inside]] == wanted[inside]
    return place, hit
