"""The references that every table carries, tuned on validation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from trefoil.data.dataset import Dataset
from trefoil.data.split import Split
from trefoil.evaluation.baselines import (
    GraphNeighbours,
    ItemNeighbours,
    Linear,
    Popularity,
    TextNeighbours,
    settings_of,
    tune,
)
from trefoil.evaluation.exam import Scorer
from trefoil.evaluation.protocols.protocols import exam_for
from trefoil.evaluation.table import Knowledge

LINEAR_GRID = (30.0, 60.0, 120.0, 250.0, 500.0, 1000.0)
NEIGHBOUR_GRID = (20, 100, 400)
CONTENT_GRID = (50, 500)
SEARCH_ITEMS = 3000


def references(dataset: Dataset, split: Split, known: Knowledge | None = None) -> dict[str, Scorer]:
    """Popularity, item-neighbours and EASE, each tuned on validation by the same budget.

    With ``known`` also the nearest items by text and by graph, which can rank
    items that nobody has met.
    """
    train = dataset.interactions.take(split.train)
    users, items = len(dataset.users), len(dataset.items)
    exam = exam_for(dataset, split, "valid")
    neighbours = settings_of(ItemNeighbours.fit, [{"k": k} for k in NEIGHBOUR_GRID])
    # A solution costs the cube of the items: the search looks at the most met ones.
    grid = [{"regularisation": ridge, "most": SEARCH_ITEMS} for ridge in LINEAR_GRID]
    linear = tune(settings_of(Linear.fit, grid), train, users, exam)
    if items > SEARCH_ITEMS:
        ridge = float(str(linear.settings["regularisation"]))
        linear = replace(linear, scorer=Linear.fit(train, users, items, regularisation=ridge))
    found: dict[str, Scorer] = {
        "popularity": Popularity.fit(train, users, items),
        "item-neighbours": tune(neighbours, train, users, exam).scorer,
        "linear": linear.scorer,
    }
    if known is not None and known.text is not None:
        tried = [{"vectors": np.asarray(known.text), "k": k} for k in CONTENT_GRID]
        candidates = settings_of(TextNeighbours.fit, tried)
        found["text-neighbours"] = tune(candidates, train, users, exam).scorer
    if known is not None and known.graph is not None:
        tried = [{"features": known.graph, "k": k} for k in CONTENT_GRID]
        candidates = settings_of(GraphNeighbours.fit, tried)
        found["graph-neighbours"] = tune(candidates, train, users, exam).scorer
    return found
