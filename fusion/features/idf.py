"""Sparse features weighted by how rare they are (inverse document frequency)."""

import numpy as np
from scipy import sparse

from trefoil.evaluation.baselines.content import idf


def idf_rows(facts: sparse.csr_matrix, learned: int | None = None) -> sparse.csr_matrix:
    """Facts weighted by ``log(items / items that share it)``, rows scaled to length one.

    Only the first ``learned`` items are counted.
    """
    counted = facts if learned is None else facts[:learned]
    weighted = facts @ sparse.diags(idf(counted))
    length = np.sqrt(np.asarray(weighted.multiply(weighted).sum(1)).ravel())
    return (sparse.diags(1 / np.maximum(length, 1e-12)) @ weighted).tocsr().astype(np.float32)
