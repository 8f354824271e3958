"""What is asked of a model, and what a model must answer: the border of evaluation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from trefoil.data.histories import Cases
from trefoil.data.interactions import Bools, Ints

if TYPE_CHECKING:
    import torch


@runtime_checkable
class Scorer(Protocol):
    """Anything that can score cases against all items."""

    def score(self, cases: Cases) -> torch.Tensor | NDArray[Any]:
        """Floats [cases, items], a tensor or an array; larger is better; finite everywhere."""
        ...


def plain(scores: torch.Tensor | NDArray[Any]) -> NDArray[Any]:
    """Scores as an array, wherever they were computed; half precision is made whole."""
    if isinstance(scores, np.ndarray):
        return scores
    here = scores.detach().cpu()
    return (here.float() if here.is_floating_point() else here).numpy()


@dataclass(frozen=True)
class Sets:
    """One set of item rows per case: case ``i`` has ``item[start[i]:start[i + 1]]``."""

    start: Ints
    item: Ints

    def __len__(self) -> int:
        return len(self.start) - 1

    @classmethod
    def of(cls, case: Ints, item: Ints, cases: int) -> Sets:
        """From pairs; duplicates are removed and items sorted within a case."""
        if cases == 1:
            item = np.unique(item)
            return cls(np.array([0, len(item)]), item)
        order = np.lexsort((item, case))
        case, item = case[order], item[order]
        if len(case):
            new = np.concatenate([[True], (np.diff(case) != 0) | (np.diff(item) != 0)])
            case, item = case[new], item[new]
        start = np.zeros(cases + 1, np.int64)
        np.cumsum(np.bincount(case, minlength=cases), out=start[1:])
        return cls(start, item)

    def take(self, rows: Ints) -> Sets:
        lengths = np.diff(self.start)[rows]
        start = np.concatenate([[0], np.cumsum(lengths)])
        at = np.repeat(self.start[rows] - start[:-1], lengths) + np.arange(start[-1])
        return Sets(start, self.item[at])


@dataclass(frozen=True)
class Exam:
    """Cases with their held-out items (``relevant``) and the items not asked for (``masked``).

    ``candidates`` [items], where given, limits what is ranked for every case.
    """

    cases: Cases
    relevant: Sets
    masked: Sets
    items: int
    protocol: str
    part: str  # "valid" or "test"
    candidates: Bools | None = None

    def __len__(self) -> int:
        return len(self.cases)
