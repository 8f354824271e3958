"""Items nearest by their text vectors, read by histories that fade."""

import numpy as np
import torch
from jaxtyping import Float
from scipy import sparse
from torch import Tensor

from trefoil.data.interactions import Ints
from trefoil.fusion.features.training_data import TrainingData
from trefoil.fusion.models.alike import DECAYS, KEPT, POWER, ROWS, AlikeItems
from trefoil.fusion.models.fitting import FitInputs


class NearestTexts(AlikeItems):
    """Items nearest by text vectors.

    ``text-neighbours`` adds up all cosines with all of a history; here only the nearest
    count, and what was met last counts most.
    """

    @property
    def reads(self) -> frozenset[str]:
        return frozenset({"events", "order", "text"})

    @staticmethod
    def rows_of(known: TrainingData, rows: Ints) -> sparse.csr_matrix:
        assert known.text is not None
        return nearest(known.text.vectors, rows)


def nearest(vectors: Float[Tensor, "items T"], rows: np.ndarray) -> sparse.csr_matrix:
    """For each of these items the ``KEPT`` nearest of all [rows, items], itself left out."""
    items, kept = len(vectors), min(KEPT, len(vectors))
    parts = [sparse.csr_matrix((0, items), dtype=np.float32)]
    for start in range(0, len(rows), ROWS):
        at = torch.from_numpy(rows[start : start + ROWS])
        cosine = vectors[at] @ vectors.T
        cosine[torch.arange(len(at)), at] = 0.0
        value, column = cosine.topk(kept, dim=1)
        ends = np.repeat(np.arange(len(at)), kept), column.numpy().ravel()
        near = value.clamp(min=0).pow(POWER).numpy().ravel()
        part = sparse.csr_matrix((near, ends), shape=(len(at), items))
        part.eliminate_zeros()
        parts.append(part)
    return sparse.vstack(parts, format="csr")


def fit_nearest_texts(given: FitInputs) -> tuple[NearestTexts, dict[str, float]] | None:
    """The decay of histories is chosen on validation; None where no text is near another."""
    known = given.known
    assert known.text is not None
    table = nearest(known.text.vectors, np.arange(known.matrix.shape[1]))
    if not table.nnz:
        return None
    decays = given.search.values("nearest-texts", "decay", DECAYS)
    best, mark = given.search.best([NearestTexts(table, decay) for decay in decays])
    return best, {"decay": best.decay, "ndcg": mark}
