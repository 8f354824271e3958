"""What base models are fitted from, and where their few hyperparameters come from."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from trefoil.evaluation.protocols.pointwise_exam import RowExam
from trefoil.fusion.features.training_data import TrainingData
from trefoil.fusion.features.validation import Validation
from trefoil.fusion.models.base import BaseModel, ModelT, ScoringModel
from trefoil.fusion.settings import Settings


@dataclass(frozen=True)
class Search:
    """Where the few numbers of a base model come from: a validation part, or an earlier fit.

    ``given`` holds what was chosen before, by base model; then nothing is searched.
    ``ratings`` are the validation ratings, where there are any.
    """

    validation: Validation | None
    given: Mapping[str, Mapping[str, float]] | None = None
    ratings: RowExam | None = None

    def takes(self, name: str) -> bool:
        """Whether the earlier fit, if there was one, took this base model in."""
        return self.given is None or name in self.given

    def values(self, name: str, number: str, grid: Sequence[float]) -> Sequence[float]:
        """The values to try for a number of a base model."""
        return grid if self.given is None else (self.given[name][number],)

    def mark(self, base_model: ScoringModel) -> float:
        """NDCG@10 on validation; NaN without it."""
        if self.validation is None:
            return float("nan")
        return self.validation.ndcg(base_model.score(self.validation.cases))

    def best(self, tries: Sequence[ModelT]) -> tuple[ModelT, float]:
        """The base model that serves validation best, and its NDCG@10."""
        marks = [self.mark(one) for one in tries]
        at = int(np.argmax(marks)) if len(tries) > 1 else 0
        return tries[at], marks[at]


@dataclass(frozen=True)
class FitInputs:
    """What a base model may be fitted from; ``earlier`` are those of the lines above its own."""

    known: TrainingData
    search: Search
    settings: Settings
    earlier: Mapping[str, BaseModel] = field(default_factory=dict)

    @property
    def large(self) -> bool:
        """Whether there are so many items that little can be tried."""
        return self.known.matrix.shape[1] > self.settings.large_items


# The fitted model and the numbers chosen for it; None where it cannot serve.
Fit = Callable[[FitInputs], tuple[BaseModel, Mapping[str, float]] | None]


def climb(grid: tuple[float, ...], place: int, mark: Callable[[float], float]) -> float:
    """The best value of a grid, walking uphill from a place: few values are tried."""
    best = mark(grid[place])
    for step in (1, -1):
        moved = False
        while 0 <= place + step < len(grid):
            value = mark(grid[place + step])
            if value <= best:
                break
            place, best, moved = place + step, value, True
        if moved:
            break
    return grid[place]
