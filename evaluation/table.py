"""Results side by side, whole and in slices, and what sets the first model apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from trefoil.data.dataset import Dataset
from trefoil.data.errors import SplitError
from trefoil.data.interactions import Ints
from trefoil.data.split import Split
from trefoil.evaluation.by_group import Told
from trefoil.evaluation.exam import Exam, Scorer
from trefoil.evaluation.metrics.list_metrics import Background, Vectors
from trefoil.evaluation.metrics.pointwise_metrics import Reliability
from trefoil.evaluation.protocols.pointwise_exam import (
    Rater,
    RowExam,
    click_result,
    ctr_exam,
    stars_exam,
    stars_result,
)
from trefoil.evaluation.protocols.protocols import scenario_exams
from trefoil.evaluation.protocols.slices import fairness, slices_of
from trefoil.evaluation.ranking import Ranks, rank
from trefoil.evaluation.result import PLAIN, Result, deepest, summarise
from trefoil.evaluation.significance import Difference, compare, holm

LISTS = ("novelty@10", "arp@10", "gini@10")  # what lists are like, for any data
SMALLEST_SCENARIO, MOST_SCENARIOS = 20, 12  # cases; values
MATCHED = "popularity-matched negatives"

Slices = dict[str, tuple[str, dict[str, Result]]]  # name -> meaning, results by model


@dataclass(frozen=True)
class Knowledge:
    """Item vectors [items, D] by text, and facts [items, facts] of the graph; None without."""

    text: Vectors | None = None
    graph: Vectors | None = None


@dataclass(frozen=True)
class Table:
    """Ranks and results by model, whole and in slices, and tests of the first model.

    ``ranks`` is empty for click prediction, ``reliability`` for ranking.
    ``fairness`` maps a category of users to NDCG@10 by group, of the first model. ``groups``
    and ``debiased`` are those of ``evaluation.by_group``.
    """

    results: Mapping[str, Result]
    slices: Slices = field(default_factory=dict)
    significance: tuple[Difference, ...] = ()
    ranks: Mapping[str, Ranks] = field(default_factory=dict)
    reliability: Mapping[str, Reliability] = field(default_factory=dict)
    fairness: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    groups: Mapping[str, Told] = field(default_factory=dict)
    debiased: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


def compared(
    scorers: Mapping[str, Scorer],
    dataset: Dataset,
    split: Split,
    exam: Exam,
    known: Knowledge | None = None,
    *,
    seed: int = 0,
) -> Table:
    """All models on one exam: same candidates, same masks, same order of equal scores.

    The first model is tested against each other one on NDCG@10, corrected
    together. Lists are described too: novelty, popularity, inequality,
    serendipity against the most popular items, and variety by what is ``known``.
    """
    ranks = {name: rank(one, exam, deepest(PLAIN), seed=seed) for name, one in scorers.items()}
    background, metrics = _background(dataset, split, exam, known or Knowledge(), seed)
    results = {name: summarise(name, one, metrics, 0.0, background) for name, one in ranks.items()}
    cuts = slices_of(dataset, split, exam)
    slices: Slices = {
        label: (
            part.meaning,
            {name: summarise(name, part.cut(one), PLAIN) for name, one in ranks.items()},
        )
        for label, part in cuts.items()
    }
    first, *others = scorers
    fair = groups_of(dataset, exam, results[first])
    return Table(results, slices, differences(results, first, others, exam), ranks, {}, fair)


def differences(
    results: Mapping[str, Result], first: str, others: Sequence[str], exam: Exam
) -> tuple[Difference, ...]:
    """The first model against each other one on NDCG@10, p corrected as one family."""
    family = [
        compare(
            first,
            other,
            "ndcg@10",
            [exam.cases.user],
            [results[first].per_case["ndcg@10"]],
            [results[other].per_case["ndcg@10"]],
        )
        for other in others
    ]
    return tuple(holm(family)) if family else ()


def in_scenarios(scorers: Mapping[str, Scorer], dataset: Dataset, split: Split) -> Slices:
    """Each scenario value with enough cases, the commonest first, as a slice.

    Models are asked anew for every value, since they may answer it differently.
    """
    exams = scenario_exams(dataset, split, "test")
    relevant = sorted(exams, key=lambda name: -len(exams[name]))[:MOST_SCENARIOS]
    return {
        label: (
            "",  # the name says it
            {
                name: summarise(name, rank(one, exams[label], deepest(PLAIN)), PLAIN)
                for name, one in scorers.items()
            },
        )
        for label in relevant
        if len(exams[label]) >= SMALLEST_SCENARIO
    }


def by_context(ranks: Mapping[str, Ranks], dataset: Dataset, exam: Exam) -> Slices:
    """Each scenario value with enough cases, the commonest first, of an exam asked by context."""
    found: dict[str, Ints] = {}
    for column, codes in exam.cases.scenario.items():
        for code, value in enumerate(dataset.interactions.scenario[column].names):
            found[f"{column}={value}"] = np.flatnonzero(codes == code)
    relevant = sorted(found, key=lambda name: -len(found[name]))[:MOST_SCENARIOS]
    return {
        label: (
            "",  # the name says it
            {
                name: summarise(name, one.of_cases(found[label]), PLAIN)
                for name, one in ranks.items()
            },
        )
        for label in relevant
        if len(found[label]) >= SMALLEST_SCENARIO
    }


def clicked(
    scorers: Mapping[str, Scorer], dataset: Dataset, split: Split, negatives: str = "given"
) -> Table:
    """Click prediction: AUC and F1 over the whole test part, threshold from validation.

    As a slice the same against negatives as popular as the positives. Raises
    SplitError where the data holds no negatives and they are to be the given ones.
    """
    try:
        results, reliability = _clicks(scorers, *_row_exams(dataset, split, negatives))
    except ValueError as error:
        raise SplitError(f"protocol ctr: {error}; say so with --negatives") from None
    slices: Slices = {}
    if negatives != "popular":
        meaning = "drawn from what others took, so that popularity alone is worth nothing"
        matched, _ = _clicks(scorers, *_row_exams(dataset, split, "popular"))
        slices[MATCHED] = (meaning, matched)
    return Table(results, slices, reliability=reliability)


def with_stars(table: Table, scorers: Mapping[str, Any], dataset: Dataset, split: Split) -> Table:
    """The table with ``rmse`` and ``mae`` of every model that predicts stars, and of biases.

    ``scorers`` must hold only models that learned ratings, where they have a
    method ``stars``. Unchanged where no rating is held out.
    """
    from trefoil.evaluation.baselines import Biases  # torch takes seconds; --help needs none

    try:
        exam = stars_exam(dataset, split, "test")
        train = dataset.interactions.take(split.train)
        biases = Biases.fit(train, len(dataset.users), len(dataset.items))
    except ValueError:  # no ratings
        return table
    results = dict(table.results)
    for name, one in {**scorers, "biases": biases}.items():
        if isinstance(one, Rater):
            before = results.get(name, Result(name, {}, 0.0))
            both = {**before.overall, **stars_result(one, exam)}
            results[name] = replace(before, overall=both)
    return replace(table, results=results)


def groups_of(dataset: Dataset, exam: Exam, result: Result) -> dict[str, dict[str, float]]:
    """NDCG@10 by groups of users and the gap, for each category column of the users."""
    values = result.per_case["ndcg@10"]
    found = {}
    for column, labels in dataset.users.category.items():
        member = labels.matrix()[exam.cases.user]
        groups = {name: member[:, code] for code, name in enumerate(labels.names)}
        groups = {name: rows for name, rows in groups.items() if rows.sum() >= SMALLEST_SCENARIO}
        if len(groups) > 1:
            found[column] = fairness(values, groups)
    return found


def _background(
    dataset: Dataset, split: Split, exam: Exam, known: Knowledge, seed: int
) -> tuple[Background, list[str]]:
    """What lists are compared with, and the metrics that it allows."""
    from trefoil.evaluation.baselines import Popularity

    train = dataset.interactions.take(split.train)
    users, items = len(dataset.users), len(dataset.items)
    expected = rank(Popularity.fit(train, users, items), exam, 10, seed=seed).top
    found = Background.of(
        train, users, items, text=known.text, graph=known.graph, expected=expected
    )
    metrics = [*PLAIN, *LISTS, "serendipity@10"]
    metrics += ["diversity-text@10"] if known.text is not None else []
    metrics += ["diversity-graph@10"] if known.graph is not None else []
    return found, metrics


def _row_exams(dataset: Dataset, split: Split, negatives: str) -> tuple[RowExam, RowExam]:
    valid, test = (
        ctr_exam(dataset, split, part, negatives=negatives) for part in ("valid", "test")
    )
    return valid, test


def _clicks(
    scorers: Mapping[str, Scorer], valid: RowExam, test: RowExam
) -> tuple[dict[str, Result], dict[str, Reliability]]:
    found = {name: click_result(name, one, valid, test) for name, one in scorers.items()}
    results = {name: Result(name, {}, 0.0, one.values) for name, one in found.items()}
    return results, {name: one.reliability for name, one in found.items()}
