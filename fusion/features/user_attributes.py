"""Attributes of users as a sparse matrix: labels, and numbers in bands."""

import numpy as np
from scipy import sparse

from trefoil.data.interactions import Floats
from trefoil.data.items import Labels, Users

BANDS = 8  # of a number, with like shares of the people
FEWEST, MOST = 5, 50  # people behind a label that counts, and labels of a column


def attributes_of(users: Users) -> sparse.csr_matrix | None:
    """Attributes [users + 1, attributes]: labels, and numbers in bands; None without any.

    Where a column says nothing of someone, the mean over people stands in; the
    last row is that mean in all columns, for people who are in no table.
    """
    columns = [_labels(one) for one in users.category.values()]
    columns += [_bands(one) for one in users.score.values() if not np.isnan(one).all()]
    told = [_with_means(one) for one in columns if one.nnz]
    return sparse.hstack(told).tocsr() if told else None


def _labels(labels: Labels) -> sparse.csr_matrix:
    """The labels [users, labels] that enough people have, at most ``MOST``."""
    shape = len(labels.start) - 1, len(labels.names)
    ones = np.ones(len(labels.codes), np.float32)
    table = sparse.csr_matrix((ones, labels.codes, labels.start), shape=shape)
    people = np.asarray(table.sum(0)).ravel()
    often = np.argsort(-people, kind="stable")[:MOST]
    return table[:, np.sort(often[people[often] >= FEWEST])]


def _bands(column: Floats) -> sparse.csr_matrix:
    """In which band [users, bands] a number lies."""
    there = np.flatnonzero(~np.isnan(column))
    edges = np.unique(np.quantile(column[there], np.linspace(0, 1, BANDS + 1)[1:-1]))
    band = np.searchsorted(edges, column[there], side="right")
    ones = np.ones(len(there), np.float32)
    return sparse.csr_matrix((ones, (there, band)), shape=(len(column), len(edges) + 1))


def _with_means(told: sparse.csr_matrix) -> sparse.csr_matrix:
    """The same with the mean row where a row is empty, and once more at the end."""
    said = np.diff(told.indptr) > 0
    mean = sparse.csr_matrix(told[said].mean(0), dtype=np.float32)
    instead = sparse.csr_matrix(~np.append(said, False)[:, None], dtype=np.float32) @ mean
    none = sparse.csr_matrix((1, told.shape[1]), dtype=np.float32)
    return (sparse.vstack([told, none]) + instead).tocsr()
