"""Rows of tables added up, by the routines that scipy's own matrices call.

A matrix checks, counts and copies its parts when it is made. Of a few rows that costs more than
to add them up where they lie. Index arrays of one call are of one kind, and so are values.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import _sparsetools as routines

Reals = NDArray[np.floating[Any]]


def sum_of_rows(table: Any, row: NDArray[Any], weight: Reals) -> Reals:
    """``sum_h weight[h] T[row[h]]`` [columns] of a sparse table T; rows are not repeated."""
    columns, kind = table.shape[1], table.indices.dtype
    ends, end = np.array([0, len(row)], kind), np.zeros(2, kind)
    column: NDArray[Any] = np.empty(columns, kind)
    value = np.empty(columns, table.data.dtype)
    routines.csr_matmat(
        *(1, columns, ends, row.astype(kind), weight.astype(value.dtype, copy=False)),
        *(table.indptr, table.indices, table.data, end, column, value),
    )
    found, count = np.zeros_like(value), int(end[1])
    found[column[:count]] = value[:count]
    return found


def sum_of_dense_rows(table: Reals, row: NDArray[Any], weight: Reals) -> Reals:
    """The same of a table whose cells are all there."""
    rows, columns = table.shape
    ends, row = np.array([0, len(row)]), row.astype(np.int64, copy=False)
    found = np.zeros(columns, table.dtype)
    weight = weight.astype(table.dtype, copy=False)
    routines.csr_matvecs(1, rows, columns, ends, row, weight, table.reshape(-1), found)
    return found


def sum_of_columns(table: Any, vector: Reals) -> Reals:
    """``T v`` [rows] of a sparse table T and a vector of all its columns."""
    found = np.zeros(table.shape[0], table.data.dtype)
    vector = vector.astype(found.dtype, copy=False)
    routines.csr_matvec(*table.shape, table.indptr, table.indices, table.data, vector, found)
    return found


def sum_of_entries(
    column: NDArray[Any], value: Reals, length: NDArray[Any], weight: Reals, columns: int
) -> Reals:
    """Rows of so many entries each, side by side, times their weights [columns]."""
    start = np.zeros(len(length) + 1, column.dtype)
    np.cumsum(length, out=start[1:])
    found = np.zeros(columns, value.dtype)
    weight = weight.astype(value.dtype, copy=False)
    routines.csc_matvec(columns, len(length), start, column, value, weight, found)
    return found


def copied_rows(table: Any, row: NDArray[Any], many: int) -> tuple[NDArray[Any], Reals]:
    """Columns and values of all ``many`` entries of some rows of a sparse table, row by row."""
    column = np.empty(many, table.indices.dtype)
    value = np.empty(many, table.data.dtype)
    row = row.astype(column.dtype)
    routines.csr_row_index(len(row), row, table.indptr, table.indices, table.data, column, value)
    return column, value
