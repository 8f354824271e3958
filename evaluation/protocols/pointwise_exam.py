"""Exams of single rows: is this item one for this person, and how many stars will it get?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from trefoil.data.dataset import Dataset
from trefoil.data.histories import Cases
from trefoil.data.interactions import Floats, Interactions, Ints
from trefoil.data.split import Split
from trefoil.evaluation.exam import Scorer, plain
from trefoil.evaluation.metrics.pointwise_metrics import (
    Platt,
    Reliability,
    auc,
    best_threshold,
    f1,
    gauc,
    log_loss,
    mae,
    reliability,
    rmse,
)
from trefoil.evaluation.protocols.protocols import earlier_events, held_out, history_before
from trefoil.evaluation.ranking import name_of

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class RowExam:
    """Rows to judge one by one: row ``r`` asks case ``case[r]`` about ``item[r]``.

    ``label`` is 1 or 0; in an exam of ratings it holds the stars instead.
    ``negatives`` says where the rows labelled 0 are from; see ``ctr_exam``.
    """

    cases: Cases
    case: Ints
    item: Ints
    label: Floats
    items: int
    part: str
    negatives: str = "given"

    def __len__(self) -> int:
        return len(self.case)


@runtime_checkable
class Rater(Protocol):
    """Anything that can predict stars for cases and all items."""

    def stars(self, cases: Cases) -> torch.Tensor | NDArray[Any]:
        """Float tensor [cases, items], in the data's own units."""
        ...


@runtime_checkable
class ClickScorer(Protocol):
    """Anything that was taught by negatives of the data to judge pairs one by one."""

    def click_scores(self, cases: Cases) -> torch.Tensor | NDArray[Any]:
        """Float tensor [cases, items]; larger means more likely a positive."""
        ...


@dataclass(frozen=True)
class RowResult:
    """Values of a click exam, and the reliability of the calibrated probabilities."""

    name: str
    values: dict[str, float]
    threshold: float
    reliability: Reliability


def ctr_exam(
    dataset: Dataset, split: Split, part: str, *, negatives: str = "given", seed: int = 0
) -> RowExam:
    """Held-out positive rows, and negatives; a case is a user in one context.

    ``negatives``: "given", the held-out rows that are no positives; "uniform",
    for each positive one item drawn uniformly from those its user has in no
    event of this or an earlier part; "popular", the same drawn from the part's
    own positive rows, so that negatives are as popular as positives and
    popularity alone is worth nothing. Raises ValueError where negatives are
    "given" and there are none, or for another word.
    """
    held = held_out(dataset, split, part)
    if negatives == "given":
        if held.asked.all() or not held.asked.any():
            raise ValueError(
                f"the {part} part has {int(held.asked.sum())} positive rows of {len(held)}; "
                "where the data holds no negatives, draw them: 'uniform' or 'popular'"
            )
        return _rows(dataset, split, part, held, held.item, held.asked)
    if negatives not in ("uniform", "popular"):
        raise ValueError(f"negatives {negatives!r}; say 'given', 'uniform' or 'popular'")
    positives = np.flatnonzero(held.asked)
    users, liked = held.user[positives], held.item[positives]
    items = len(dataset.items)
    pool = np.arange(items) if negatives == "uniform" else liked
    seen = earlier_events(dataset, split, part)
    met = np.concatenate([seen.user * items + seen.item, held.user * items + held.item])
    drawn = draw_unmet(users, pool, np.unique(met), items, np.random.default_rng(seed))
    kept = drawn >= 0
    label = np.concatenate([np.ones(len(users), bool), np.zeros(int(kept.sum()), bool)])
    asked = held.take(np.concatenate([positives, positives[kept]]))
    item = np.concatenate([liked, drawn[kept]])
    return replace(_rows(dataset, split, part, asked, item, label), negatives=negatives)


def draw_unmet(
    users: Ints, pool: Ints, met: Ints, items: int, random: np.random.Generator, tries: int = 100
) -> Ints:
    """For each row one item of the pool whose pair (user * items + item) is not in ``met``.

    -1 where ``tries`` draws found none.
    """
    drawn = np.full(len(users), -1, np.int64)
    for _ in range(tries):
        rows = np.flatnonzero(drawn < 0)
        if not len(rows) or not len(pool):
            break
        item = random.choice(pool, len(rows))
        free = ~np.isin(users[rows] * items + item, met)
        drawn[rows[free]] = item[free]
    return drawn


def stars_exam(dataset: Dataset, split: Split, part: str) -> RowExam:
    """Held-out rows with a rating. Raises ValueError where there are none."""
    held = held_out(dataset, split, part)
    rated = np.zeros(len(held), bool) if held.stars is None else np.isfinite(held.stars)
    if held.stars is None or not rated.any():
        raise ValueError(f"the {part} part of {dataset.name!r} has no ratings")
    held = replace(held.take(np.flatnonzero(rated)), scenario={})
    assert held.stars is not None
    return _rows(dataset, split, part, held, held.item, held.stars)


def click_result(name: str, scorer: Scorer, valid: RowExam, test: RowExam) -> RowResult:
    """AUC and F1 over the whole test part; the threshold and the calibration from validation.

    Values: auc, gauc (by user), f1, log-loss, calibration-error. Scores are
    turned into probabilities by Platt's logistic curve. Where negatives are those
    of the data, a ``ClickScorer`` answers by its ``click_scores``.
    """
    if valid.part != "valid":
        raise ValueError(f"threshold and calibration come from validation, not {valid.part!r}")
    on_valid, on_test = row_scores(scorer, valid), row_scores(scorer, test)
    threshold = best_threshold(valid.label, on_valid)
    probability = Platt.fit(valid.label, on_valid)(on_test)
    bins = reliability(test.label, probability)
    values = {
        "auc": auc(test.label, on_test),
        "gauc": gauc(test.label, on_test, test.cases.user[test.case]),
        "f1": f1(test.label, on_test, threshold),
        "log-loss": log_loss(test.label, probability),
        "calibration-error": bins.error,
    }
    return RowResult(name, values, threshold, bins)


def stars_result(rater: Rater, exam: RowExam) -> dict[str, float]:
    """``rmse`` and ``mae`` of predicted stars."""
    predicted = row_answers(rater.stars, name_of(rater), exam)
    return {"rmse": rmse(exam.label, predicted), "mae": mae(exam.label, predicted)}


def row_scores(scorer: Scorer, exam: RowExam) -> NDArray[np.float64]:
    """The score of every row [n]. Raises ValueError for scores that are not finite."""
    answer = scorer.score
    if exam.negatives == "given" and isinstance(scorer, ClickScorer):
        answer = scorer.click_scores
    return row_answers(answer, name_of(scorer), exam)


def row_answers(
    answer: Callable[[Cases], torch.Tensor | NDArray[Any]],
    name: str,
    exam: RowExam,
    batch: int = 256,
) -> NDArray[np.float64]:
    """What ``answer(cases)`` [cases, items] says of every row [n], asked in batches of cases.

    Raises ValueError for answers of another shape, or not finite; ``name`` says whose.
    """
    out = np.empty(len(exam))
    order = np.argsort(exam.case, kind="stable")
    case = exam.case[order]
    for first in range(0, len(exam.cases), batch):
        last = min(first + batch, len(exam.cases))
        table = plain(answer(exam.cases.take(np.arange(first, last))))
        if table.shape != (last - first, exam.items):
            raise ValueError(f"{name} answered {list(table.shape)}, not [{last - first}, items]")
        start, end = np.searchsorted(case, [first, last])
        rows = order[start:end]
        out[rows] = table[exam.case[rows] - first, exam.item[rows]]
    bad = np.flatnonzero(~np.isfinite(out))
    if len(bad):
        raise ValueError(
            f"{name} gave {out[bad[0]]} for user row {exam.cases.user[exam.case[bad[0]]]}, item "
            f"row {exam.item[bad[0]]}; {len(bad)} values are not finite"
        )
    return out


def _rows(
    dataset: Dataset,
    split: Split,
    part: str,
    asked: Interactions,
    item: Ints,
    label: NDArray[np.generic],
) -> RowExam:
    """Rows of who asks in which context (users and scenarios of ``asked``), for these items."""
    keys = np.stack([asked.user, *(one.codes for one in asked.scenario.values())], 1)
    found, case = np.unique(keys, axis=0, return_inverse=True)
    scenario = {name: found[:, at] for at, name in enumerate(asked.scenario, 1)}
    user = found[:, 0]
    cases = Cases(user, history_before(dataset, split, part).take(user), None, scenario)
    return RowExam(
        cases,
        case.ravel().astype(np.int64),
        item,
        np.asarray(label, np.float32),
        len(dataset.items),
        part,
    )
