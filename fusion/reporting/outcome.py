"""What an evaluation finds: all models on one exam, what groups get, and marks of reasons."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from trefoil.data.dataset import Dataset
from trefoil.data.split import Split
from trefoil.evaluation.ablation import Verdict, judged
from trefoil.evaluation.by_group import by_group, without_popularity
from trefoil.evaluation.exam import Exam, Scorer
from trefoil.evaluation.protocols.protocols import full_exam
from trefoil.evaluation.reporting.html import Example
from trefoil.evaluation.table import (
    Knowledge,
    Table,
    by_context,
    clicked,
    compared,
    in_scenarios,
    with_stars,
)
from trefoil.fusion.recommender import Recommender
from trefoil.fusion.reporting.explanations import examples, marks, typical_users
from trefoil.fusion.reporting.html_report import OF_REASONS, OURS


@dataclass(frozen=True)
class Outcome:
    """What an evaluation found; ``exam`` is None for click prediction."""

    table: Table
    exam: Exam | None
    verdicts: Sequence[Verdict] = ()
    reasons: Mapping[str, float] = field(default_factory=dict)


def measured(
    protocol: str,
    scorers: Mapping[str, Scorer],
    dataset: Dataset,
    split: Split,
    exam: Exam | None,
    known: Knowledge,
    negatives: str,
) -> Outcome:
    """All models on the exam of a protocol; without one, on clicks among these negatives."""
    if exam is None:
        return Outcome(clicked(scorers, dataset, split, negatives), None)
    table = compared(scorers, dataset, split, exam, known)
    if protocol == "cold":
        whole = compared(scorers, dataset, split, full_exam(dataset, split, "test"))
        among_all = {name: whole.slices[name] for name in ("cold-items",) if name in whole.slices}
        return Outcome(
            replace(table, slices=among_all), exam, judged(table.results, exam.cases.user)
        )
    if protocol == "full":
        if exam.protocol in ("context", "domains"):  # of one user, each in its context
            there = by_context(table.ranks, dataset, exam)
        else:
            there = in_scenarios(scorers, dataset, split)
        table = replace(table, slices=table.slices | there)
        rated = {
            name: one
            for name, one in scorers.items()
            if isinstance(one, Recommender) and one.model.rates is not None
        }
        table = with_stars(table, rated, dataset, split)
    return Outcome(table, exam, judged(table.results, exam.cases.user))


def grouped(
    found: Outcome, dataset: Dataset, split: Split, columns: Sequence[str], power: float
) -> Outcome:
    """The outcome with what groups by these columns get, and with popularity taken out."""
    if found.exam is None:
        return found
    ranks = found.table.ranks
    groups = by_group(ranks, dataset, split, found.exam, columns)
    plain = without_popularity(ranks, dataset, split, power)
    return replace(found, table=replace(found.table, groups=groups, debiased=plain))


def with_reasons(
    outcome: Outcome, recommender: Recommender, dataset: Dataset, split: Split
) -> tuple[Outcome, list[Example]]:
    """The outcome with marks for our reasons, and examples for the page."""
    if outcome.exam is None:
        return outcome, examples(recommender, dataset.users.vocabulary.ids[:2])
    table, exam = outcome.table, outcome.exam
    train = dataset.interactions.take(split.train)
    ours = table.results[OURS]
    reasons = marks(recommender, table.ranks[OURS], exam, train)
    told = {**ours.overall, **{name: reasons[name] for name in OF_REASONS}}
    results = {**table.results, OURS: replace(ours, overall=told)}
    shown = examples(recommender, typical_users(recommender, exam))
    return replace(outcome, table=replace(table, results=results), reasons=reasons), shown
