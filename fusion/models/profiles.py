"""Items alike by what describes them: facts of the knowledge graph, and texts."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from torch import Tensor

from trefoil.data.histories import Cases
from trefoil.data.interactions import Ints
from trefoil.fusion.features.idf import idf_rows
from trefoil.fusion.features.training_data import TrainingData
from trefoil.fusion.models.base import ModelState
from trefoil.fusion.models.fitting import FitInputs
from trefoil.fusion.models.neighbours import dense_product
from trefoil.fusion.plan.forms import FactorForm, ProfileForm
from trefoil.fusion.plan.queries import Decayed, Summed


def profile_scores(
    content: sparse.csr_matrix | np.ndarray, cases: Cases, decay: float = 0.0
) -> Tensor:
    """``(x C) C^T``: cosines of an item with the items of a history, added up.

    Content rows C [items, features] are unit vectors or zero. Their sum over a history is
    made first, so the table of all pairs never is. With a ``decay`` the r-th newest event weighs
    ``exp(-r / decay)``.
    """
    weight = cases.history.recency(decay) if decay > 0 else None
    histories = cases.history.matrix(content.shape[0], weight)
    return dense_product(histories @ content, content.T)


@dataclass(frozen=True)
class GraphProfile:
    """Scores are cosines of facts, rare facts weighing more. The facts are in the training data."""

    content: sparse.csr_matrix  # items x facts

    def score(self, cases: Cases) -> Tensor:
        """Scores [cases, items]."""
        return profile_scores(self.content, cases)

    @property
    def reads(self) -> frozenset[str]:
        return frozenset({"events", "graph"})

    def form(self) -> ProfileForm:
        return ProfileForm(self.content)

    def state(self) -> ModelState:
        return ModelState()

    @classmethod
    def from_state(cls, state: ModelState, known: TrainingData) -> "GraphProfile":
        assert known.facts is not None
        return cls(idf_rows(known.facts.matrix, known.learned))

    def with_items(self, known: TrainingData, before: int) -> "GraphProfile":
        return self.from_state(self.state(), known)

    def with_content(self, known: TrainingData, changed: Ints) -> "GraphProfile":
        return self.from_state(self.state(), known)


@dataclass(frozen=True)
class TextProfile:
    """Scores are cosines of text vectors. The vectors are in the training data."""

    content: np.ndarray  # items x directions
    decay: float = 0.0  # of histories, in events; 0: all count alike

    def score(self, cases: Cases) -> Tensor:
        """Scores [cases, items]."""
        return profile_scores(self.content, cases, self.decay)

    @property
    def reads(self) -> frozenset[str]:
        return frozenset({"events", "text", *(["order"] if self.decay > 0 else [])})

    def form(self) -> FactorForm:
        query = Decayed(self.content, self.decay) if self.decay > 0 else Summed(self.content)
        return FactorForm(self.content, query)

    def state(self) -> ModelState:
        return ModelState({"decay": self.decay} if self.decay > 0 else {})

    @classmethod
    def from_state(cls, state: ModelState, known: TrainingData) -> "TextProfile":
        assert known.text is not None
        return cls(known.text.vectors.numpy(), state.values.get("decay", 0.0))

    def with_items(self, known: TrainingData, before: int) -> "TextProfile":
        return self.from_state(self.state(), known)

    def with_content(self, known: TrainingData, changed: Ints) -> "TextProfile":
        return self.from_state(self.state(), known)


def fit_graph_profile(given: FitInputs) -> tuple[GraphProfile, dict[str, float]] | None:
    """None where no fact holds for any item."""
    facts = given.known.facts
    if facts is None or not facts.matrix.nnz:
        return None
    return GraphProfile.from_state(ModelState(), given.known), {}


def fit_text_profile(given: FitInputs) -> tuple[TextProfile, dict[str, float]]:
    """The vectors as they are."""
    return TextProfile.from_state(ModelState(), given.known), {}
