"""Results side by side, with the references every table carries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from data.dataset import Dataset
from data.split import Split
from evaluation.baselines import ItemNeighbours, Linear, Popularity, settings_of, tune
from evaluation.exam import Exam, Scorer
from evaluation.protocol import full_exam
from evaluation.ranking import Ranks, rank
from evaluation.result import PLAIN, Result, deepest, summarise
from evaluation.significance import Difference, compare, holm
from evaluation.slices import slices_of

LINEAR_GRID = (30.0, 60.0, 120.0, 250.0, 500.0, 1000.0)
NEIGHBOUR_GRID = (20, 100, 400)
SEARCH_ITEMS = 3000


@dataclass(frozen=True)
class Table:
    """Ranks and results by model, whole and in slices, and tests of the first model."""

    exam: Exam
    ranks: Mapping[str, Ranks]
    results: Mapping[str, Result]
    slices: Mapping[str, Mapping[str, Result]]
    significance: tuple[Difference, ...]


def references(dataset: Dataset, split: Split) -> dict[str, Scorer]:
    """Popularity, item-neighbours and EASE, each tuned on validation by the same budget."""
    train = dataset.interactions.take(split.train)
    users, items = len(dataset.users), len(dataset.items)
    exam = full_exam(dataset, split, "valid")
    neighbours = settings_of(ItemNeighbours.fit, [{"k": k} for k in NEIGHBOUR_GRID])
    # A solution costs the cube of the items: the search looks at the most met ones.
    grid = [{"regularisation": ridge, "most": SEARCH_ITEMS} for ridge in LINEAR_GRID]
    linear = tune(settings_of(Linear.fit, grid), train, users, exam)
    if items > SEARCH_ITEMS:
        ridge = float(str(linear.settings["regularisation"]))
        linear = replace(linear, scorer=Linear.fit(train, users, items, regularisation=ridge))
    return {
        "popularity": Popularity.fit(train, users, items),
        "item-neighbours": tune(neighbours, train, users, exam).scorer,
        "linear": linear.scorer,
    }


def compared(
    scorers: Mapping[str, Scorer], dataset: Dataset, split: Split, exam: Exam, *, seed: int = 0
) -> Table:
    """All models on one exam: same candidates, same masks, same order of equal scores.

    The first model is tested against each other one on NDCG@10, corrected together.
    """
    ranks = {name: rank(one, exam, deepest(PLAIN), seed=seed) for name, one in scorers.items()}
    results = {name: summarise(name, one, PLAIN) for name, one in ranks.items()}
    cuts = slices_of(dataset, split, exam)
    slices = {
        label: {name: summarise(name, cut.cut(one), PLAIN) for name, one in ranks.items()}
        for label, cut in cuts.items()
    }
    first, *others = scorers
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
    return Table(exam, ranks, results, slices, tuple(holm(family)) if family else ())
