"""What is asked of a model, and what a model must answer: the border of evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from trefoil.data.histories import Cases, each_once
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
            item = each_once(item)
            return cls(np.array([0, len(item)]), item)
        order = np.lexsort((item, case))
        case, item = case[order], item[order]
        if len(case):
            new = np.concatenate([[True], (np.diff(case) != 0) | (np.diff(item) != 0)])
            case, item = case[new], item[new]
        start = np.zeros(cases + 1, np.int64)
        np.cumsum(np.bincount(case, minlength=cases), out=start[1:])
        return cls(start, item)

    @classmethod
    def together(cls, parts: Sequence[Sets]) -> Sets:
        """The sets of all parts, one after the other."""
        ends = np.cumsum([0, *(len(one.item) for one in parts)])
        start = [one.start[:-1] + end for one, end in zip(parts, ends[:-1], strict=True)]
        item = np.concatenate([one.item for one in parts])
        return cls(np.concatenate([*start, ends[-1:]]), item)

    def take(self, rows: Ints) -> Sets:
        lengths = np.diff(self.start)[rows]
        start = np.concatenate([[0], np.cumsum(lengths)])
        at = np.repeat(self.start[rows] - start[:-1], lengths) + np.arange(start[-1])
        return Sets(start, self.item[at])


@dataclass(frozen=True)
class Within:
    """The domain that each case asks about and each item is of, -1 for none; others are closed.

    A case of no domain asks about all items.
    """

    of_case: Ints
    of_item: Ints

    def take(self, rows: Ints) -> Within:
        return Within(self.of_case[rows], self.of_item)

    def closed(self) -> Bools:
        """Which items [cases, items] are of another domain than the case asks about."""
        asked = self.of_case[:, None]
        return (asked >= 0) & (self.of_item != asked)


@dataclass(frozen=True)
class Exam:
    """Cases with their held-out items (``relevant``) and the items not asked for (``masked``).

    ``candidates`` [items], where given, limits what is ranked for every case, ``within`` what
    is ranked for each by its domain, and ``only`` names the items of each that are ranked.
    """

    cases: Cases
    relevant: Sets
    masked: Sets
    items: int
    protocol: str
    part: str  # "valid" or "test"
    candidates: Bools | None = None
    within: Within | None = None
    only: Sets | None = None

    def __len__(self) -> int:
        return len(self.cases)

    def take(self, rows: Ints) -> Exam:
        """The same questions to some cases."""
        parts = {name: getattr(self, name) for name in ("cases", "relevant", "masked")}
        parts |= {"within": self.within, "only": self.only}
        cut = {name: None if part is None else part.take(rows) for name, part in parts.items()}
        return replace(self, **cut)  # type: ignore[arg-type]

    def closed(self, rows: Ints) -> Bools | None:
        """What of [these cases, items] is not ranked, masks aside; None where nothing is."""
        found = None if self.within is None else self.within.take(rows).closed()
        if self.only is not None:
            listed = self.only.take(rows)
            others = np.ones((len(rows), self.items), bool)
            others[np.repeat(np.arange(len(rows)), np.diff(listed.start)), listed.item] = False
            found = others if found is None else found | others
        return found
