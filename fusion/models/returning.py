"""Past events again: for data in which people return to items."""

from dataclasses import dataclass, replace

from torch import Tensor

from trefoil.data.histories import Cases
from trefoil.evaluation.baselines.content import history_in_context
from trefoil.fusion.features.training_data import TrainingData
from trefoil.fusion.models.base import ModelState
from trefoil.fusion.models.fitting import FitInputs
from trefoil.fusion.plan.forms import HistoryAgain

PULLS = (0.0, 1.0, 2.0, 4.0)  # of a past event per context equal to now


@dataclass(frozen=True)
class Returning:
    """Scores are the history itself: past events count ``exp(pull m)``, m contexts equal to now.

    ``pull`` 0 is plain frequency.
    """

    items: int
    pull: float

    def score(self, cases: Cases) -> Tensor:
        """Scores [cases, items]."""
        return history_in_context(cases, self.items, self.pull)

    @property
    def reads(self) -> frozenset[str]:
        return frozenset({"events", "context"} if self.pull else {"events"})

    def form(self) -> HistoryAgain:
        return HistoryAgain(self.items, self.pull)

    def state(self) -> ModelState:
        return ModelState({"pull": self.pull})

    @classmethod
    def from_state(cls, state: ModelState, known: TrainingData) -> "Returning":
        return cls(known.matrix.shape[1], state.values["pull"])

    def with_items(self, known: TrainingData, before: int) -> "Returning":
        return replace(self, items=known.matrix.shape[1])


def fit_returning(given: FitInputs) -> tuple[Returning, dict[str, float]]:
    """The pull of equal contexts by validation."""
    search, items = given.search, given.known.matrix.shape[1]
    pulls = search.values("returning", "pull", PULLS)
    base_model, mark = search.best([Returning(items, pull) for pull in pulls])
    return base_model, {"pull": base_model.pull, "ndcg": mark}
