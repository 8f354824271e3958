"""What is told of users: who is alike in age or occupation met the same (demographics)."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float
from scipy import sparse
from torch import Tensor

from trefoil.data.histories import Cases
from trefoil.fusion.features.training_data import TrainingData
from trefoil.fusion.models.base import ModelState, sparse_of, sparse_tensors
from trefoil.fusion.models.fitting import FitInputs
from trefoil.fusion.plan.attributes import AttributeColumn
from trefoil.fusion.plan.of_users import ByAttributes

RIDGE = 100.0  # people by which an attribute is drawn towards telling nothing


@dataclass(frozen=True)
class Demographics:
    """Scores are what people with the same attributes met: for those of whom no event is known."""

    attributes: sparse.csr_matrix  # users + 1 x attributes
    weights: Float[Tensor, "attributes items"]
    columns: tuple[AttributeColumn, ...] = ()

    def score(self, cases: Cases) -> Float[Tensor, "cases items"]:
        told = self.attributes[cases.user] if cases.attributes is None else cases.attributes
        return torch.from_numpy(np.asarray(told @ self.weights.numpy()))

    @property
    def reads(self) -> frozenset[str]:
        return frozenset({"attributes"})

    def form(self) -> ByAttributes:
        return ByAttributes(self.attributes, self.weights.numpy(), self.columns)

    def state(self) -> ModelState:
        attributes = sparse_tensors(self.attributes, "attributes.")
        columns = [[one.name, one.labels, one.edges] for one in self.columns]
        return ModelState({"columns": columns}, {"weights": self.weights} | attributes)

    @classmethod
    def from_state(cls, state: ModelState, known: TrainingData) -> "Demographics":
        columns = tuple(
            AttributeColumn(name, tuple(labels), None if edges is None else tuple(edges))
            for name, labels, edges in state.values.get("columns", ())
        )
        return cls(sparse_of(state.tensors, "attributes."), state.tensors["weights"], columns)

    def with_items(self, known: TrainingData, before: int) -> "Demographics":
        """Nobody met new items."""
        none = self.weights.new_zeros(len(self.weights), known.matrix.shape[1] - before)
        return replace(self, weights=torch.cat([self.weights, none], dim=1))

    def without_user(self, row: int) -> "Demographics":
        kept = np.delete(np.arange(self.attributes.shape[0]), row)
        return replace(self, attributes=self.attributes[kept])


def fit_demographics(given: FitInputs) -> tuple[Demographics, dict[str, float]] | None:
    """From training events and the attributes of users."""
    known = given.known
    if known.attributes is None:
        return None
    alike = people_alike(known.attributes, known.matrix)
    return replace(alike, columns=known.attribute_columns), {}


def people_alike(attributes: sparse.csr_matrix, events: sparse.csr_matrix) -> Demographics:
    """Ridge regression of events [users, items] on attributes, for all items at once."""
    met = np.diff(events.indptr) > 0
    told = sparse.diags(met.astype(np.float32)) @ attributes[:-1]
    square = (told.T @ told).toarray() + RIDGE * np.eye(told.shape[1])
    weights = np.linalg.solve(square, (told.T @ events).toarray())
    return Demographics(attributes, torch.from_numpy(weights.astype(np.float32)))
