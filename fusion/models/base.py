"""The contract of a base model: what the ensemble, a run and added items ask of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar, runtime_checkable

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from trefoil.data.histories import Cases
from trefoil.data.interactions import Ints
from trefoil.fusion.features.training_data import TrainingData
from trefoil.fusion.plan.forms import Form

OF_THE_PAST = frozenset({"events", "order", "context", "stars"})
OF_AN_ITEM = frozenset({"text", "graph", "numbers"})
READABLE = OF_THE_PAST | OF_AN_ITEM | {"attributes"}


@dataclass(frozen=True)
class ModelState:
    """What a run holds of a base model: plain values for JSON, and tensors by name."""

    values: Mapping[str, Any] = field(default_factory=dict)
    tensors: Mapping[str, Tensor] = field(default_factory=dict)


@runtime_checkable
class ScoringModel(Protocol):
    """A base model as the ensemble asks it: one voice of the blend."""

    def score(self, cases: Cases) -> Tensor:
        """Scores [cases, items]; any scale, finite."""
        ...

    @property
    def reads(self) -> frozenset[str]:
        """What answers depend on, once fitted; some of ``READABLE``.

        Of a user: "events", their "order", the "context" of events, "stars" given,
        "attributes". Of an item: "text", "graph", "numbers"; these say whether the model
        can tell apart items that came after training.
        """
        ...


@runtime_checkable
class Compilable(Protocol):
    """A base model that a scoring plan holds as arrays; others are asked as they are."""

    def form(self) -> Form:
        """What it says of every item, for numpy alone; equal to ``score`` up to rounding."""
        ...


@runtime_checkable
class Redescribable(Protocol):
    """A base model that reads at once what describes items; others do when they are fitted."""

    def with_content(self, known: TrainingData, changed: Ints) -> "BaseModel":
        """The model where what describes the items ``changed`` (rows) is as ``known`` says now.

        Nothing is learned again.
        """
        ...


@runtime_checkable
class HoldsUsers(Protocol):
    """A base model with a row for each user of training."""

    def without_user(self, row: int) -> "BaseModel":
        """The model without this row; the rows behind it move up."""
        ...


@runtime_checkable
class BaseModel(ScoringModel, Protocol):
    """A fitted base model that a run can hold, and that takes new items."""

    def state(self) -> ModelState:
        """What it takes to make it again, beside the training data."""
        ...

    @classmethod
    def from_state(cls, state: ModelState, known: TrainingData) -> "BaseModel":
        """The model of a state; values that earlier runs lack have a default."""
        ...

    def with_items(self, known: TrainingData, before: int) -> "BaseModel":
        """The model for the items of ``known``, of which those from row ``before`` on are new.

        Nothing is learned again. Scores of the other items stay as they are.
        """
        ...


ModelT = TypeVar("ModelT", bound=ScoringModel)


def needs_no_history(base_model: ScoringModel) -> bool:
    """Whether it can answer cold-start users: it reads nothing of a past."""
    return not base_model.reads & OF_THE_PAST


def tells_new_items_apart(base_model: ScoringModel) -> bool:
    """Whether it can answer for cold-start items: it reads what describes an item."""
    return bool(base_model.reads & OF_AN_ITEM)


def sparse_tensors(matrix: sparse.csr_matrix, prefix: str = "") -> dict[str, Tensor]:
    """A sparse matrix as four tensors; column numbers of a row in order."""
    matrix.sort_indices()
    return {
        f"{prefix}indptr": torch.from_numpy(matrix.indptr.astype(np.int64)),
        f"{prefix}indices": torch.from_numpy(matrix.indices.astype(np.int32)),
        f"{prefix}data": torch.from_numpy(matrix.data.astype(np.float32)),
        f"{prefix}shape": torch.tensor(matrix.shape),
    }


def sparse_of(tensors: Mapping[str, Tensor], prefix: str = "") -> sparse.csr_matrix:
    """The matrix of ``sparse_tensors``."""
    parts = (tensors[prefix + piece].numpy() for piece in ("data", "indices", "indptr"))
    return sparse.csr_matrix(tuple(parts), shape=tuple(tensors[f"{prefix}shape"].tolist()))
