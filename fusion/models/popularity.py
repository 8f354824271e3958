"""What many meet, ever or lately: the same answer for everyone."""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from trefoil.data.histories import Cases
from trefoil.data.interactions import UNKNOWN_TIME
from trefoil.evaluation.baselines import popularity as baselines
from trefoil.fusion.features.training_data import TrainingData
from trefoil.fusion.models.base import ModelState
from trefoil.fusion.models.fitting import FitInputs
from trefoil.fusion.plan.forms import SameForAll

HALF_LIVES = (3.0, 7.0, 20.0, 60.0, 180.0)  # days


@dataclass(frozen=True)
class Popularity:
    """log(1 + events) of each item, the same for everyone."""

    events: Float[Tensor, " items"]
    half_life: float = 0.0  # days in which an event loses half its weight; 0: never

    def score(self, cases: Cases) -> Float[Tensor, "cases items"]:
        return torch.log1p(self.events).expand(len(cases), -1)

    @property
    def reads(self) -> frozenset[str]:
        return frozenset()

    def form(self) -> SameForAll:
        return SameForAll(torch.log1p(self.events).numpy())

    def state(self) -> ModelState:
        """The events are in the training data, and counted again."""
        return ModelState({"half_life": self.half_life})

    @classmethod
    def from_state(cls, state: ModelState, known: TrainingData) -> "Popularity":
        return popular(known, state.values.get("half_life", 0.0))

    def with_items(self, known: TrainingData, before: int) -> "Popularity":
        none = self.events.new_zeros(known.matrix.shape[1] - before)
        return replace(self, events=torch.cat([self.events, none]))


def fit_popularity(given: FitInputs) -> tuple[Popularity, dict[str, float]]:
    """What many met, ever."""
    return popular(given.known), {}


def fit_recent_popularity(given: FitInputs) -> tuple[Popularity, dict[str, float]] | None:
    """What many met lately: where validation comes after training, and it serves it better."""
    known, search = given.known, given.search
    asked = None if search.validation is None else search.validation.cases
    if search.given is None and (asked is None or not asked_later(known, asked)):
        return None
    days = search.values("recent-popularity", "half_life", HALF_LIVES)
    base_model, mark = search.best([popular(known, one) for one in days])
    if search.given is None and mark <= search.mark(popular(known)):
        return None
    return base_model, {"half_life": base_model.half_life, "ndcg": mark}


def popular(known: TrainingData, half_life: float = 0.0) -> Popularity:
    """How many met each item; with a half-life, events weigh by age and need a time."""
    users, items = known.matrix.shape
    if not half_life:
        return Popularity(baselines.Popularity.fit(known.events, users, items).weight)
    found = baselines.RecentPopularity.fit(known.events, users, items, half_life_days=half_life)
    return Popularity(found.weight, half_life)


def asked_later(known: TrainingData, cases: Cases) -> bool:
    """Whether all cases are asked after the newest training event, as in a split by time."""
    at = known.history.at
    if at is None or cases.at is None or not len(cases):
        return False
    return int(cases.at.min()) > int(at.max(initial=UNKNOWN_TIME)) > UNKNOWN_TIME
