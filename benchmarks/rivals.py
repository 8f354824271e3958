"""The reference models of a comparison, and the settings each may try.

Every baseline tries at most ``evaluation.baselines.BUDGET`` settings, fitted on
training events and chosen by validation ndcg@10 of the same exam (click sets: of
the full ranking). Learned ones stop on it too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

from trefoil.data import Dataset, Split
from trefoil.evaluation.baselines import (
    BPR,
    Candidate,
    ContextHistory,
    DecayedLinear,
    GraphNeighbours,
    ImplicitALS,
    ItemNeighbours,
    LightGCN,
    Linear,
    Markov,
    Popularity,
    RecentPopularity,
    SASRec,
    TextNeighbours,
    UserNeighbours,
    settings_of,
)
from trefoil.evaluation.exam import Exam
from trefoil.evaluation.result import examine

Grid = list[Mapping[str, Any]]
SLOW = ("bpr", "lightgcn", "sasrec")


def rivals(
    dataset: Dataset, split: Split, valid: Exam, seed: int
) -> dict[str, Callable[[], list[Candidate]]]:
    """Candidates by baseline name, made when asked for; only baselines the data allow."""
    watch = watcher(valid)
    learned = {"watch": watch, "seed": seed}
    out: dict[str, Callable[[], list[Candidate]]] = {
        "popularity": lambda: settings_of(Popularity.fit, [{}]),
        "item-neighbours": lambda: settings_of(
            ItemNeighbours.fit, _grid(k=(50, 100, 200), shrink=(0.0, 5.0))
        ),
        "user-neighbours": lambda: settings_of(
            UserNeighbours.fit, _grid(k=(50, 100, 200), shrink=(0.0, 5.0))
        ),
        "linear": lambda: settings_of(
            Linear.fit, _grid(regularisation=(20.0, 50.0, 100.0, 250.0, 500.0, 1000.0))
        ),
        "ials": lambda: settings_of(
            ImplicitALS.fit,
            [
                {"regularisation": ridge, "alpha": alpha, "seed": seed}
                for ridge, alpha in (
                    (10.0, 1.0),
                    (20.0, 1.0),
                    (50.0, 2.0),
                    (20.0, 4.0),
                    (20.0, 9.0),
                    (50.0, 9.0),
                )
            ],
        ),
        "bpr": lambda: settings_of(BPR.fit, _grid(learned, penalty=(3e-3, 1e-2))),
        "lightgcn": lambda: settings_of(LightGCN.fit, _grid(learned, penalty=(1e-3, 3e-3))),
    }
    if any(dataset.items.texts):
        out["text-neighbours"] = lambda: settings_of(
            TextNeighbours.fit, _grid({"vectors": text_vectors(dataset)}, k=(20, 100, 500))
        )
    if dataset.graph is not None or dataset.items.category:
        out["graph-neighbours"] = lambda: settings_of(
            GraphNeighbours.fit,
            _grid({"features": graph_facts(dataset, split)}, k=(50, 500), length=(0.0, 0.5, 1.0)),
        )
    if dataset.interactions.at is not None:
        out["recent-popularity"] = lambda: settings_of(
            RecentPopularity.fit, _grid(half_life_days=(3.0, 10.0, 30.0, 100.0))
        )
        if split.rule.by in ("time", "leave-one-out"):
            out["decayed-linear"] = lambda: settings_of(
                DecayedLinear.fit, _grid(regularisation=(100.0, 500.0), decay=(5.0, 15.0, 50.0))
            )
            out["markov"] = lambda: settings_of(
                Markov.fit, _grid(reach=(1, 3), decay=(1.0, 2.0, 5.0))
            )
            out["sasrec"] = lambda: settings_of(SASRec.fit, [learned | {"epochs": 60}])
    if dataset.interactions.scenario:
        out["context-history"] = lambda: settings_of(
            ContextHistory.fit, _grid(pull=(0.0, 0.5, 1.0, 1.5, 2.0, 3.0))
        )
    return out


def watcher(valid: Exam) -> Callable[..., float]:
    """The validation ndcg@10 of a scorer: what learned baselines stop on."""
    return lambda scorer: examine("", scorer, valid, ["ndcg@10"]).means()["ndcg@10"]


def text_vectors(dataset: Dataset, width: int = 128, seed: int = 0) -> np.ndarray:
    """TF-IDF of words, reduced to ``width`` by SVD; zero rows where there is no text."""
    texts = [text or "" for text in dataset.items.texts]
    words = TfidfVectorizer(sublinear_tf=True, min_df=2, stop_words="english")
    table = words.fit_transform(texts)
    if table.shape[1] <= width:
        return table.toarray()
    return TruncatedSVD(width, random_state=seed).fit_transform(table)


def graph_facts(dataset: Dataset, split: Split) -> Any:
    """Items x (relation, direction, entity), of facts that at least two items share."""
    from trefoil.kg.construction.build import build
    from trefoil.kg.item_facts import item_facts

    return item_facts(build(dataset, split.train)).shared(2).matrix


def printable(settings: Mapping[str, object]) -> dict[str, object]:
    """Settings without what cannot be printed (functions, vectors)."""
    return {name: value for name, value in settings.items() if isinstance(value, (int, float, str))}


def _grid(fixed: Mapping[str, Any] | None = None, **axes: tuple) -> Grid:
    """All combinations of the named values."""
    grid: Grid = [dict(fixed or {})]
    for name, values in axes.items():
        grid = [{**row, name: value} for row in grid for value in values]
    return grid
