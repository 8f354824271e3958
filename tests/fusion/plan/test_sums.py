"""Sums by scipy's own routines are those of its matrices, whatever a release calls them."""

import numpy as np
import pytest
from scipy import sparse

from trefoil.fusion.plan.asked import entries_of
from trefoil.fusion.plan.sums import sum_of_columns, sum_of_dense_rows, sum_of_rows

ROWS = np.array([7, 2, 5])
WEIGHT = np.array([0.5, -2.0, 3.0], np.float32)


@pytest.fixture(scope="module", params=[np.int32, np.int64], ids=["int32", "int64"])
def table(request):
    """9 rows, of which one is empty, and 250 columns, more than half of them filled."""
    random = np.random.default_rng(0)
    cells = random.random((9, 250)).astype(np.float32) * (random.random((9, 250)) < 0.6)
    cells[5] = 0
    made = sparse.csr_matrix(cells)
    made.indices, made.indptr = (one.astype(request.param) for one in (made.indices, made.indptr))
    return made


@pytest.mark.parametrize("rows", [ROWS, ROWS[:0]], ids=["some", "none"])
def test_rows_add_up_as_by_a_product(table, rows):
    weight = WEIGHT[: len(rows)]
    expected = weight @ table.toarray()[rows]
    dense = np.ascontiguousarray(table.toarray())
    for found in (sum_of_rows(table, rows, weight), sum_of_dense_rows(dense, rows, weight)):
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_columns_add_up_as_by_a_product(table):
    vector = np.linspace(-1, 1, 250)  # in double precision: the table's is what counts
    np.testing.assert_allclose(sum_of_columns(table, vector), table @ vector, atol=1e-5)


@pytest.mark.parametrize("narrow", [False, True], ids=["long rows", "short rows"])
def test_entries_of_rows_are_theirs(table, narrow):
    table = table[:, :40] if narrow else table
    found = entries_of(table, ROWS)
    assert found.length.tolist() == np.diff(table.indptr)[ROWS].tolist()
    expected = WEIGHT @ table.toarray()[ROWS]
    np.testing.assert_allclose(found.summed(WEIGHT, table.shape[1]), expected, rtol=1e-6)
    row, hit = found.hits(found.column == 11)
    there = np.zeros(len(ROWS), np.float32)
    there[row] = found.value[hit]
    np.testing.assert_array_equal(there, table.toarray()[ROWS, 11])
