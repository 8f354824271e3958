"""Items alike by words of their texts and by their categories, rare ones weighing more."""

from collections.abc import Mapping

import numpy as np
from scipy import sparse

from trefoil.data.interactions import Ints
from trefoil.fusion.features.idf import idf_rows
from trefoil.fusion.features.training_data import TrainingData
from trefoil.fusion.models.alike import DECAYS, KEPT, POWER, ROWS, AlikeItems
from trefoil.fusion.models.fitting import FitInputs
from trefoil.fusion.models.neighbours import strongest

FEWEST, MOST = 2, 1000  # items behind a feature that counts; a commoner one tells little, slowly
LONGEST = 40  # features of an item that count, the rarest: long descriptions repeat themselves


class FieldNeighbours(AlikeItems):
    """Items alike by their TF-IDF features."""

    @property
    def reads(self) -> frozenset[str]:
        return frozenset({"events", "order", "fields"})

    @staticmethod
    def rows_of(known: TrainingData, rows: Ints) -> sparse.csr_matrix:
        return neighbours(content_of(known.fields, known.learned), rows)


def content_of(fields: Mapping[str, sparse.csr_matrix], learned: int) -> sparse.csr_matrix:
    """TF-IDF features of all fields side by side, rows of length one [items, features].

    Features that too few or too many of the first ``learned`` items have are left out, and of
    an item with many all but the rarest.
    """
    whole = sparse.hstack([fields[name] for name in sorted(fields)]).tocsc()
    shared = np.asarray(whole[:learned].sum(0)).ravel()
    counted = whole[:, (shared >= FEWEST) & (shared <= MOST)].tocsr()
    rarest = strongest(idf_rows(counted, learned), LONGEST)
    length = np.sqrt(np.asarray(rarest.multiply(rarest).sum(1)).ravel())
    return (sparse.diags(1 / np.maximum(length, 1e-12)) @ rarest).tocsr().astype(np.float32)


def neighbours(content: sparse.csr_matrix, rows: np.ndarray) -> sparse.csr_matrix:
    """For each of these items the ``KEPT`` most alike of all [rows, items], itself left out."""
    columns = content.T.tocsr()
    parts = [sparse.csr_matrix((0, content.shape[0]), dtype=np.float32)]
    for start in range(0, len(rows), ROWS):
        at = rows[start : start + ROWS]
        cosine = (content[at] @ columns).tocoo()
        other = at[cosine.row] != cosine.col
        ends = cosine.row[other], cosine.col[other]
        near = cosine.data[other].astype(np.float32) ** POWER
        parts.append(strongest(sparse.csr_matrix((near, ends), shape=cosine.shape), KEPT))
    return sparse.vstack(parts, format="csr")


def fit_fields(given: FitInputs) -> tuple[FieldNeighbours, dict[str, float]] | None:
    """The decay of histories is chosen on validation; None where no feature joins items."""
    known = given.known
    content = content_of(known.fields, known.learned)
    if not content.nnz:
        return None
    table = neighbours(content, np.arange(content.shape[0]))
    decays = given.search.values("field-neighbours", "decay", DECAYS)
    best, mark = given.search.best([FieldNeighbours(table, decay) for decay in decays])
    return best, {"decay": best.decay, "ndcg": mark}
