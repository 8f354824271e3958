"""Histories and cases written out as lists."""

import numpy as np
from scipy import sparse

from trefoil.data.histories import Cases, Histories


def histories(*items):
    """One history per list of items, oldest first."""
    start = np.cumsum([0, *map(len, items)])
    return Histories(start.astype(np.int64), np.array([i for one in items for i in one], np.int64))


def cases(*items):
    """One case per list; case ``i`` is user row ``i``."""
    return Cases(np.arange(len(items)), histories(*items))


def table(*rows):
    """A sparse float32 matrix from rows of numbers."""
    return sparse.csr_matrix(np.array(rows, np.float32))


def random_events(users, items, density=0.3, seed=0):
    """A sparse 0/1 matrix [users, items]."""
    held = np.random.default_rng(seed).random((users, items)) < density
    return sparse.csr_matrix(held.astype(np.float32))
