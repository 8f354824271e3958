"""Implicit matrix factorisation, with a closed-form answer for anyone."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float
from scipy import sparse
from torch import Tensor

from trefoil.data.histories import Cases
from trefoil.fusion.features.content import carried
from trefoil.fusion.features.training_data import TrainingData
from trefoil.fusion.models.base import ModelState
from trefoil.fusion.models.fitting import FitInputs

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

    def score(self, cases: Cases) -> Tensor:
        histories = cases.history.matrix(len(self.items))
        users = solve(histories, self.items, self.ridge, self.alpha)
        told = self.items if self.carried is None else self.items + self.carried
        return users @ told.T

    @property
    def reads(self) -> frozenset[str]:
        return self.content | {"events"}

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
        none = self.items.new_zeros(known.matrix.shape[1] - before, self.items.shape[1])
        return replace(self, items=torch.cat([self.items, none]), carried=None).told(known)

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


def solve(rows: sparse.csr_matrix, other: Tensor, ridge: float, alpha: float) -> Tensor:
    """Factors [rows, width] that minimise the weighted squared error against ``other``.

    Each row solves ``(O^T O + ridge I + alpha V^T V) x = (1 + alpha) V^T 1`` over the
    vectors V of its own entries. With fewer entries than the width, Woodbury's
    identity leaves a system of that many unknowns. Rows of like length share a
    batch, padded with zero vectors.
    """
    width = other.shape[1]
    base = other.T @ other + ridge * torch.eye(width)
    inverse = torch.linalg.inv(base)
    padded = torch.cat([other, other.new_zeros(1, width)])
    lengths = np.diff(rows.indptr)
    order = np.argsort(lengths, kind="stable")
    answer = other.new_zeros(rows.shape[0], width)
    start = int(np.searchsorted(lengths[order], 1))
    while start < len(order):
        longest = max(int(1.3 * lengths[order[start]]), 4)
        most = max(1, 4_000_000 // (width * longest))
        stop = int(np.searchsorted(lengths[order], longest, side="right"))
        chunk = order[start : min(stop, start + most)]
        start += len(chunk)
        vectors = padded[_entries(rows, chunk, len(other))]  # n, entries, width
        answer[torch.from_numpy(chunk)] = (1 + alpha) * _solved(vectors, base, inverse, alpha)
    return answer


def _entries(rows: sparse.csr_matrix, chunk: np.ndarray, empty: int) -> Tensor:
    lengths = np.diff(rows.indptr)[chunk]
    place = np.arange(int(lengths.max()))
    there = place < lengths[:, None]
    at = np.where(there, rows.indptr[chunk][:, None] + place, 0)
    return torch.from_numpy(np.where(there, rows.indices[at], empty).astype(np.int64))


def _solved(vectors: Tensor, base: Tensor, inverse: Tensor, alpha: float) -> Tensor:
    entries, width = vectors.shape[1:]
    if entries >= width:
        left = base + alpha * vectors.transpose(1, 2) @ vectors
        return torch.cholesky_solve(vectors.sum(1)[:, :, None], torch.linalg.cholesky(left))[..., 0]
    turned = vectors @ inverse
    plain = turned.sum(1)
    small = vectors @ turned.transpose(1, 2) + torch.eye(entries) / alpha
    inner = (vectors @ plain[:, :, None]).contiguous()
    rest = torch.cholesky_solve(inner, torch.linalg.cholesky(small))
    return plain - (turned.transpose(1, 2) @ rest)[..., 0]


def factorise(
    events: sparse.csr_matrix,
    *,
    width: int = 64,
    ridge: float = 20.0,
    alpha: float = 10.0,
    rounds: int = 10,
    seed: int = 0,
) -> Factors:
    """Alternate closed-form updates of users and items."""
    generator = torch.Generator().manual_seed(seed)
    items = 0.01 * torch.randn(events.shape[1], width, generator=generator)
    backwards = events.T.tocsr()
    for _ in range(rounds):
        users = solve(events, items, ridge, alpha)
        items = solve(backwards, users, ridge, alpha)
    return Factors(items, ridge, alpha)
