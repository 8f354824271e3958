"""Parts of an exam that deserve a table of their own; the ranking is not repeated for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from trefoil.data.dataset import Dataset
from trefoil.data.interactions import DAY_S, UNKNOWN_TIME, Bools
from trefoil.data.split import Split
from trefoil.evaluation.exam import Exam
from trefoil.evaluation.metrics.ranking_metrics import PerCase
from trefoil.evaluation.ranking import Ranks

FEW = 0.25  # share of cases in the slice of few events


@dataclass(frozen=True)
class Slice:
    """How to cut the ranks of an exam, and what the cut means."""

    meaning: str
    cut: Callable[[Ranks], Ranks]


def slices_of(dataset: Dataset, split: Split, exam: Exam) -> dict[str, Slice]:
    """The slices of an exam; those that hold no case are left out.

    Item slices keep all candidates and only restrict what is relevant:
    "cold-items" have no training event, "warm-items" have one; "popular-items"
    are the most met warm items that together hold half of the positive training
    events, "rare-items" the other warm ones. Case slices: "few-events" are the
    cases with the shortest histories, "many-events" the rest, cut at the first
    quartile (cases as long as the border go to the first).
    """
    train = dataset.interactions.take(split.train)
    items = len(dataset.items)
    cold = np.bincount(train.item, minlength=items) == 0
    popular = _head(np.bincount(train.item[train.positive], minlength=items))
    border = _border(exam)
    few = exam.cases.history.lengths <= border
    slices = {
        "cold-items": _of_items(cold, "items without a training event"),
        "warm-items": _of_items(~cold, "items with a training event"),
        "popular-items": _of_items(popular, "most met items, half of the training events"),
        "rare-items": _of_items(~popular & ~cold, "the other items with a training event"),
        "few-events": _asked(few, f"users with at most {border} events of history"),
        "many-events": _asked(~few, f"users with more than {border} events of history"),
    }
    held = np.bincount(exam.relevant.item, minlength=items) > 0
    filled = {
        "cold-items": (cold & held).any(),
        "warm-items": (~cold & held).any(),
        "popular-items": (popular & held).any(),
        "rare-items": (~popular & ~cold & held).any(),
        "few-events": few.any(),
        "many-events": (~few).any(),
    }
    later = _later_day(exam)
    if later is not None and 0 < later.sum() < len(later):
        slices["same-day"] = _asked(~later, "users whose event is of the day of the one before")
        slices["later-day"] = _asked(later, "users whose event is of a later day")
        filled |= {"same-day": True, "later-day": True}
    return {name: part for name, part in slices.items() if filled[name]}


def fairness(values: PerCase, groups: Mapping[str, Bools]) -> dict[str, float]:
    """Mean of each group of cases, and "gap": the largest minus the smallest of them.

    Groups may overlap; a group without a value is NaN and takes no part in the
    gap, which is 0 for fewer than two groups. Li et al. 2021, "User-oriented fairness in
    recommendation" (arXiv:2104.10671), for the difference of group means.
    """
    means = {}
    for name, rows in groups.items():
        inside = values[rows & np.isfinite(values)]
        means[name] = float(inside.mean()) if len(inside) else float("nan")
    known = [mean for mean in means.values() if np.isfinite(mean)]
    return means | {"gap": max(known) - min(known) if len(known) > 1 else 0.0}


def _head(counts: np.ndarray) -> np.ndarray:
    """The most met items that together hold half of all events."""
    order = np.argsort(-counts, kind="stable")
    before = np.cumsum(counts[order]) - counts[order]
    head = np.zeros(len(counts), bool)
    head[order[before < counts.sum() / 2]] = True
    return head


def _later_day(exam: Exam) -> Bools | None:
    """Whether each case asks for an event of a later day than its newest; None where unknown."""
    history, asked = exam.cases.history, exam.cases.at
    if asked is None or history.at is None or (history.lengths == 0).any():
        return None
    newest = history.at[history.start[1:] - 1]
    one_each = (np.diff(exam.relevant.start) == 1).all()
    if not one_each or (newest == UNKNOWN_TIME).any() or (asked == UNKNOWN_TIME).any():
        return None
    return asked // DAY_S > newest // DAY_S


def _border(exam: Exam) -> int:
    lengths = exam.cases.history.lengths
    return int(np.quantile(lengths, FEW, method="lower")) if len(lengths) else 0


def _of_items(items: np.ndarray, meaning: str) -> Slice:
    return Slice(meaning, lambda ranks: ranks.of_items(items))


def _asked(cases: np.ndarray, meaning: str) -> Slice:
    return Slice(meaning, lambda ranks: ranks.of_cases(np.flatnonzero(cases)))
