"""Attributes of users as a sparse matrix: labels, and numbers in bands."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from trefoil.data.interactions import Floats
from trefoil.data.items import Labels, Users
from trefoil.fusion.plan.attributes import AttributeColumn

BANDS = 8  # of a number, with like shares of the people
FEWEST, MOST = 5, 50  # people behind a label that counts, and labels of a column


@dataclass(frozen=True)
class UserAttributes:
    """A table [users + 1, attributes], and what its columns mean."""

    table: sparse.csr_matrix
    columns: tuple[AttributeColumn, ...]


def attributes_of(users: Users) -> UserAttributes | None:
    """Attributes of users: labels, and numbers in bands; None without any.

    Where a column says nothing of someone, the mean over people stands in; the
    last row is that mean in all columns, for people who are in no table.
    """
    parts = [_labels(name, one) for name, one in users.category.items()]
    parts += [_bands(n, one) for n, one in users.score.items() if not np.isnan(one).all()]
    told = [(column, table) for column, table in parts if table.nnz]
    if not told:
        return None
    table = sparse.hstack([_with_means(table) for _, table in told]).tocsr()
    return UserAttributes(table, tuple(column for column, _ in told))


def _labels(name: str, labels: Labels) -> tuple[AttributeColumn, sparse.csr_matrix]:
    """The labels [users, labels] that enough people have, at most ``MOST``."""
    table = labels.sparse_matrix()
    people = np.asarray(table.sum(0)).ravel()
    often = np.argsort(-people, kind="stable")[:MOST]
    kept = np.sort(often[people[often] >= FEWEST])
    return AttributeColumn(name, tuple(labels.names[one] for one in kept.tolist())), table[:, kept]


def _bands(name: str, column: Floats) -> tuple[AttributeColumn, sparse.csr_matrix]:
    """In which band [users, bands] a number lies."""
    there = np.flatnonzero(~np.isnan(column))
    edges = np.unique(np.quantile(column[there], np.linspace(0, 1, BANDS + 1)[1:-1]))
    band = np.searchsorted(edges, column[there], side="right")
    ones = np.ones(len(there), np.float32)
    table = sparse.csr_matrix((ones, (there, band)), shape=(len(column), len(edges) + 1))
    return AttributeColumn(name, edges=tuple(edges.astype(float).tolist())), table


def _with_means(told: sparse.csr_matrix) -> sparse.csr_matrix:
    """The same with the mean row where a row is empty, and once more at the end."""
    said = np.diff(told.indptr) > 0
    mean = sparse.csr_matrix(told[said].mean(0), dtype=np.float32)
    instead = sparse.csr_matrix(~np.append(said, False)[:, None], dtype=np.float32) @ mean
    none = sparse.csr_matrix((1, told.shape[1]), dtype=np.float32)
    return (sparse.vstack([told, none]) + instead).tocsr()
