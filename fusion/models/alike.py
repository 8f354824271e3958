"""Models that know for each item the few most alike, read by histories that fade."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse
from torch import Tensor

from trefoil.data.histories import Cases
from trefoil.data.interactions import Ints
from trefoil.fusion.features.training_data import TrainingData
from trefoil.fusion.models.base import ModelState, sparse_of, sparse_tensors
from trefoil.fusion.models.neighbours import Similar
from trefoil.fusion.plan.forms import SparseRows

KEPT = 200  # most alike items of each
POWER = 2.0  # of a cosine: near items count, a long tail of distant ones does not
DECAYS = (2.0, 5.0)  # of histories; tried
ROWS = 1024  # of the table made at once


@dataclass(frozen=True)
class AlikeItems(ABC):
    """Scores are ``x S``: S [items, items] holds squared cosines of what items are known by."""

    table: sparse.csr_matrix
    decay: float

    @property
    @abstractmethod
    def reads(self) -> frozenset[str]: ...

    @staticmethod
    @abstractmethod
    def rows_of(known: TrainingData, rows: Ints) -> sparse.csr_matrix:
        """For each of these items the ``KEPT`` most alike of all [rows, items], itself left out."""

    def score(self, cases: Cases) -> Tensor:
        """Scores [cases, items]."""
        return Similar(self.table, self.decay).score(cases)

    def form(self) -> SparseRows:
        return SparseRows(self.table, self.decay)

    def state(self) -> ModelState:
        return ModelState({"decay": self.decay}, sparse_tensors(self.table))

    @classmethod
    def from_state(cls, state: ModelState, known: TrainingData) -> "AlikeItems":
        return cls(sparse_of(state.tensors), state.values["decay"])

    def with_items(self, known: TrainingData, before: int) -> "AlikeItems":
        """New items have the most alike of all; to these they are alike as these are to them."""
        new = self.rows_of(known, np.arange(before, known.matrix.shape[1]))
        old = sparse.hstack([self.table, new[:, :before].T])
        return replace(self, table=sparse.vstack([old, new], format="csr"))
