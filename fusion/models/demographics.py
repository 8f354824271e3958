"""The leaf of what is told of people: who is alike in age or occupation met the same."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from scipy import sparse
from torch import Tensor

from trefoil.data.histories import Cases

RIDGE = 100.0  # people by which an attribute is drawn towards telling nothing


@dataclass(frozen=True)
class People:
    """Scores are what people with the same attributes met: for those of whom no event is known."""

    attributes: sparse.csr_matrix  # users + 1 x attributes
    weights: Float[Tensor, "attributes items"]

    def score(self, cases: Cases) -> Float[Tensor, "cases items"]:
        return torch.from_numpy(np.asarray(self.attributes[cases.user] @ self.weights.numpy()))


def people_alike(attributes: sparse.csr_matrix, events: sparse.csr_matrix) -> People:
    """Ridge regression of events [users, items] on attributes, for all items at once."""
    met = np.diff(events.indptr) > 0
    told = sparse.diags(met.astype(np.float32)) @ attributes[:-1]
    square = (told.T @ told).toarray() + RIDGE * np.eye(told.shape[1])
    weights = np.linalg.solve(square, (told.T @ events).toarray())
    return People(attributes, torch.from_numpy(weights.astype(np.float32)))
