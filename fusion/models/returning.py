"""Past events again: for data in which people return to items."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from trefoil.data.histories import Cases
from trefoil.fusion.features.training_data import TrainingData
from trefoil.fusion.features.validation import Validation
from trefoil.fusion.models.base import ModelState
from trefoil.fusion.models.fitting import FitInputs
from trefoil.fusion.plan.forms import HistoryAgain, weights_in_context

PULLS = (0.0, 1.0, 2.0, 4.0)  # of a past event per context equal to now
OWN = "pull of "  # how the pull of a column is called among the numbers chosen
FEWEST_CASES = 100  # that a pull for each column is learned from
MOST_EVENTS = 2_000_000  # past events of cases that are looked at
RIDGE = 1e-4  # on the distance of a column's pull to that of all


@dataclass(frozen=True)
class Returning:
    """Scores are the history itself: past events count ``exp(sum of pulls)`` of equal contexts.

    ``pulls`` holds the pull of a scenario column where it has one of its own; the
    others have ``pull``. All 0 is plain frequency.
    """

    items: int
    pull: float
    pulls: Mapping[str, float] = field(default_factory=dict)

    def score(self, cases: Cases) -> Tensor:
        """Scores [cases, items]."""
        weights = weights_in_context(cases, self.pull, self.pulls)
        return torch.from_numpy(cases.history.matrix(self.items, weights).toarray())

    @property
    def reads(self) -> frozenset[str]:
        context = self.pull or any(self.pulls.values())
        return frozenset({"events", "context"} if context else {"events"})

    def form(self) -> HistoryAgain:
        return HistoryAgain(self.items, self.pull, self.pulls)

    def state(self) -> ModelState:
        return ModelState({"pull": self.pull, "pulls": dict(self.pulls)})

    @classmethod
    def from_state(cls, state: ModelState, known: TrainingData) -> "Returning":
        return cls(known.matrix.shape[1], state.values["pull"], state.values.get("pulls", {}))

    def with_items(self, known: TrainingData, before: int) -> "Returning":
        return replace(self, items=known.matrix.shape[1])


def fit_returning(given: FitInputs) -> tuple[Returning, dict[str, float]]:
    """The pull of equal contexts by validation, and of each column where that serves better."""
    search, items = given.search, given.known.matrix.shape[1]
    numbers = search.values("returning", "pull", PULLS)
    base_model, mark = search.best([Returning(items, pull) for pull in numbers])
    if search.given is not None:
        chosen = search.given["returning"]
        pulls = {name.removeprefix(OWN): one for name, one in chosen.items() if OWN in name}
        base_model = replace(base_model, pulls=pulls)
    elif search.validation is not None and len(search.validation) >= FEWEST_CASES:
        own = replace(base_model, pulls=pulls_of(search.validation, base_model.pull))
        base_model, mark = search.best([base_model, own])
    told = {f"{OWN}{name}": pull for name, pull in base_model.pulls.items()}
    return base_model, {"pull": base_model.pull, **told, "ndcg": mark}


def pulls_of(validation: Validation, start: float) -> dict[str, float]:
    """The pull of each scenario column under which what was taken is likeliest.

    An item's probability is its share of the weights of the past events that may be asked
    for: ``sum over its events of exp(w . e) / sum over all of exp(w . e)``, e being which
    columns equal now. Cases that took what they never met tell nothing.
    """
    case, equal, names = _met(validation)
    taken, case, equal = _asked_for(validation, case, equal)
    if not names or not bool(taken.any()):
        return {}
    cases = len(validation)
    told = torch.zeros(cases).index_add_(0, case, taken.float()) > 0
    weights = torch.full((len(names),), start).requires_grad_()
    optimiser = torch.optim.LBFGS([weights], max_iter=40, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimiser.zero_grad()
        logit = equal @ weights
        most = torch.full((cases,), -torch.inf).scatter_reduce_(0, case, logit.detach(), "amax")
        weight = torch.exp(logit - most[case])
        of_all = torch.zeros(cases).index_add_(0, case, weight)[told]
        of_taken = torch.zeros(cases).index_add_(0, case, weight * taken)[told]
        surprise = (of_all.log() - of_taken.clamp(min=1e-20).log()).mean()
        value = surprise + RIDGE * (weights - start).square().sum()
        value.backward()
        return value.detach()

    optimiser.step(loss)
    return dict(zip(names, weights.detach().tolist(), strict=True))


def _met(validation: Validation) -> tuple[Int[Tensor, " e"], Float[Tensor, "e C"], list[str]]:
    """Case and equal columns of each past event, and the names of the columns."""
    cases = validation.cases
    history = cases.history
    names = sorted(cases.scenario.keys() & history.scenario.keys())
    case = np.repeat(np.arange(len(cases)), history.lengths)
    found = [(history.scenario[name] == cases.scenario[name][case]) for name in names]
    known = [cases.scenario[name][case] >= 0 for name in names]
    columns = [a & b for a, b in zip(found, known, strict=True)]
    equal = np.stack(columns, 1) if columns else np.zeros((len(case), 0))
    return torch.from_numpy(case), torch.from_numpy(equal.astype(np.float32)), names


def _asked_for(
    validation: Validation, case: Int[Tensor, " e"], equal: Float[Tensor, "e C"]
) -> tuple[Bool[Tensor, " n"], Int[Tensor, " n"], Float[Tensor, "n C"]]:
    """Past events that may be asked for: whether their item was taken, case, equal columns.

    Of very many events those of an even sample of the cases.
    """
    item = torch.from_numpy(validation.cases.history.item)
    kept = ~validation.masked[case, item]
    every = -(-len(case) // MOST_EVENTS)
    kept &= case % max(every, 1) == 0
    case, item, equal = case[kept], item[kept], equal[kept]
    return validation.relevant[case, item], case, equal
