"""The linear model: a closed-form item-item table over events, facts and texts."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from trefoil.data.histories import Cases
from trefoil.data.interactions import Ints
from trefoil.evaluation.baselines.linear import linear_scores
from trefoil.fusion.features.training_data import TrainingData
from trefoil.fusion.models.base import ModelState
from trefoil.fusion.models.linear_new_items import (
    grown_weights,
    inverse_diagonal,
    without,
)
from trefoil.fusion.plan.forms import DenseRows

READS = {"facts": "graph", "text": "text"}  # what the rows of that name come from


@dataclass(frozen=True)
class Linear:
    """EASE: scores are ``x B`` with the history as row x (Steck 2019, arXiv:1905.03375).

    ``kept`` are the item rows that take part, all or those with most events; the
    rest score zero. ``decay`` > 0 weighs the r-th newest event by ``exp(-r / decay)``:
    the same model asked about the recent past. ``ridge`` and ``rows``, the weights of
    the rows of facts and of texts, are what it was solved with; ``diagonal`` [kept] is that
    of the inverse, which new items are solved by, and None of runs that did not keep it.
    """

    weights: Tensor  # kept x kept, zero diagonal
    kept: np.ndarray
    items: int
    decay: float = 0.0
    ridge: float = 0.0
    rows: Mapping[str, float] = field(default_factory=dict)
    diagonal: Tensor | None = None

    def score(self, cases: Cases) -> Tensor:
        """Scores [cases, items]."""
        weight = cases.history.recency(self.decay) if self.decay > 0 else None
        histories = cases.history.matrix(self.items, weight)
        return linear_scores(histories, self.weights, self.kept)

    @property
    def reads(self) -> frozenset[str]:
        content = {READS[name] for name in self.rows}
        return frozenset({"events", *content, *(["order"] if self.decay > 0 else [])})

    def form(self) -> DenseRows:
        return DenseRows(self.weights.numpy(), self.kept, self.items, self.decay)

    def state(self) -> ModelState:
        values = {"decay": self.decay, "ridge": self.ridge, "rows": dict(self.rows)}
        tensors = {"weights": self.weights.half(), "kept": torch.from_numpy(self.kept)}
        if self.diagonal is not None:
            tensors["diagonal"] = self.diagonal
        return ModelState(values, tensors)

    @classmethod
    def from_state(cls, state: ModelState, known: TrainingData) -> "Linear":
        values, tensors = state.values, state.tensors
        weights, kept = tensors["weights"].float(), tensors["kept"].numpy()
        ridge, rows = values.get("ridge", 0.0), values.get("rows", {})
        items, diagonal = known.matrix.shape[1], tensors.get("diagonal")
        return cls(weights, kept, items, values["decay"], ridge, rows, diagonal)

    def with_items(self, known: TrainingData, before: int) -> "Linear":
        """Solved one block larger; see ``grown_weights``."""
        fresh = np.arange(before, known.matrix.shape[1])
        weights, diagonal = self._grown(self.weights, self._inverse(known), self.kept, known, fresh)
        kept, items = np.concatenate([self.kept, fresh]), known.matrix.shape[1]
        return replace(self, weights=weights, kept=kept, items=items, diagonal=diagonal)

    def with_content(self, known: TrainingData, changed: Ints) -> "Linear":
        """Items that came after training are solved anew; the others keep what was learned."""
        fresh = changed[(changed >= known.learned) & np.isin(changed, self.kept)]
        if not len(fresh):
            return self
        goes = np.isin(self.kept, fresh)
        stay = np.flatnonzero(~goes)
        inverse = without(self.weights, self._inverse(known), stay, np.flatnonzero(goes))
        weights, kept = self.weights[stay][:, stay], self.kept[stay]
        weights, diagonal = self._grown(weights, inverse, kept, known, fresh)
        both = np.concatenate([kept, fresh])
        order = np.argsort(both)
        weights = weights[order][:, order]
        return replace(self, weights=weights, kept=both[order], diagonal=diagonal[order])

    def _inverse(self, known: TrainingData) -> Tensor:
        if self.diagonal is not None:
            return self.diagonal
        return inverse_diagonal(self.weights, self.kept, self.ridge, self.rows, known)

    def _grown(
        self, weights: Tensor, inverse: Tensor, kept: np.ndarray, known: TrainingData, fresh: Ints
    ) -> tuple[Tensor, Tensor]:
        return grown_weights(weights, inverse, kept, self.ridge, self.rows, known, fresh)
