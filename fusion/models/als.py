"""Implicit matrix factorisation, with a closed-form answer for anyone."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float
from scipy import sparse
from torch import Tensor

from trefoil.data.histories import Cases
from trefoil.data.interactions import Ints
from trefoil.evaluation.baselines.als import item_factors, solve
from trefoil.fusion.features.content import Carrier, carried
from trefoil.fusion.features.training_data import TrainingData
from trefoil.fusion.models.base import ModelState
from trefoil.fusion.models.fitting import FitInputs
from trefoil.fusion.plan.forms import FactorForm
from trefoil.fusion.plan.queries import Solved

GRID = ((20.0, 10.0), (20.0, 2.0), (30.0, 3.0))  # ridge, alpha


@dataclass(frozen=True)
class Factors:
    """Item factors; a user's are solved from the history.

    Hu et al. 2008, doi:10.1109/ICDM.2008.22. Items without events, whose factors
    are zero, score by what their content says these would be; ``content`` says which it is.
    """

    items: Float[Tensor, "items D"]
    ridge: float
    alpha: float
    carried: Float[Tensor, "items D"] | None = None  # of items without events, from content
    content: frozenset[str] = frozenset()  # "graph", "text", "numbers"
    carrier: Carrier | None = None  # kept from one new item to the next; a run does not hold it

    def score(self, cases: Cases) -> Tensor:
        histories = cases.history.matrix(len(self.items))
        users = solve(histories, self.items, self.ridge, self.alpha)
        told = self.items if self.carried is None else self.items + self.carried
        return users @ told.T

    @property
    def reads(self) -> frozenset[str]:
        return self.content | {"events"}

    def form(self) -> FactorForm:
        told = self.items if self.carried is None else self.items + self.carried
        query = Solved(self.items.numpy(), self.ridge, self.alpha)
        return FactorForm(told.numpy(), query)

    def state(self) -> ModelState:
        tensors = {"items": self.items}
        if self.carried is not None:
            tensors["carried"] = self.carried
        return ModelState({"ridge": self.ridge, "alpha": self.alpha}, tensors)

    @classmethod
    def from_state(cls, state: ModelState, known: TrainingData) -> "Factors":
        told, values = state.tensors.get("carried"), state.values
        content = frozenset() if told is None else known.describes
        return cls(state.tensors["items"], values["ridge"], values["alpha"], told, content)

    def with_items(self, known: TrainingData, before: int) -> "Factors":
        fresh = np.arange(before, known.matrix.shape[1])
        none = self.items.new_zeros(len(fresh), self.items.shape[1])
        items = torch.cat([self.items, none])
        if not known.describes:
            return replace(self, items=items, carried=None)
        carrier = self.carrier or Carrier.of(items, known)
        before_them = torch.zeros_like(self.items) if self.carried is None else self.carried
        told = torch.cat([before_them, carrier.told(known, fresh)])
        content = known.describes
        return replace(self, items=items, carried=told, content=content, carrier=carrier)

    def with_content(self, known: TrainingData, changed: Ints) -> "Factors":
        """Items without events have other vectors, where one of them changed."""
        cold = changed[np.asarray(known.matrix.sum(0)).ravel()[changed] == 0]
        carrier = self.carrier if len(cold) == len(changed) else None  # others may have taught
        if not len(cold) or self.carried is None:
            return replace(self, carrier=carrier)
        carrier = carrier or Carrier.of(self.items, known)
        told = self.carried.clone()
        told[torch.from_numpy(cold)] = carrier.told(known, cold)
        return replace(self, carried=told, carrier=carrier)

    def told(self, known: TrainingData) -> "Factors":
        """With vectors from content for items without events."""
        found = carried(self.items, known)
        content = frozenset() if found is None else known.describes
        return replace(self, carried=found, content=content)


def fit_factors(given: FitInputs) -> tuple[Factors, dict[str, float]]:
    """Ridge and weight of an event by validation."""
    known, search, grid = given.known, given.search, GRID
    if search.given is not None:
        chosen = search.given["factors"]
        grid = ((chosen["ridge"], chosen["alpha"]),)
    tries = [
        factorise(known.matrix, ridge=ridge, alpha=alpha, seed=given.settings.seed)
        for ridge, alpha in grid
    ]
    base_model, mark = search.best(tries)
    return base_model.told(known), {
        "ridge": base_model.ridge,
        "alpha": base_model.alpha,
        "ndcg": mark,
    }


def factorise(
    events: sparse.csr_matrix, *, ridge: float = 20.0, alpha: float = 10.0, **how: int
) -> Factors:
    """Factors of the items; ``how`` goes to ``item_factors``."""
    return Factors(item_factors(events, ridge=ridge, alpha=alpha, **how), ridge, alpha)
