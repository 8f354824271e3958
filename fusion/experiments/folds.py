"""Several folds instead of one split: what a choice is worth, with less chance in it."""

from collections.abc import Sequence
from typing import Literal

import polars as pl

from trefoil.data.dataset import Dataset
from trefoil.data.errors import ConfigError
from trefoil.data.progress import Progress
from trefoil.evaluation.judging import judge
from trefoil.fusion.features.preparation import split_of
from trefoil.fusion.recommender import Recommender
from trefoil.fusion.settings import Settings


def over_folds(
    dataset: Dataset,
    settings: Settings,
    folds: int = 5,
    *,
    metrics: Sequence[str] = ("ndcg", "recall"),
    k: int = 10,
    part: Literal["valid", "test"] = "valid",
    progress: Progress | None = None,
) -> pl.DataFrame:
    """A table fold, then a column for each metric: one training for each of the folds.

    Validation and test get a share of 1 / folds each, and every event is in each of them
    once, but for what people with few events have. To choose settings look at "valid": the
    numbers of a training that were chosen on its validation flatter it a little, all
    settings alike. Raises ConfigError for fewer than three folds, and for rules without any.
    """
    if folds < 3:
        raise ConfigError(f"folds = {folds}: give 3 or more, one to choose by and one to judge")
    rows = []
    for fold in range(folds):
        share = {"valid": 1 / folds, "test": 1 / folds, "fold": fold}
        own = settings.model_copy(update={"split": settings.split.model_copy(update=share)})
        split = split_of(dataset, own)
        model = Recommender(own).fit(dataset, split=split, progress=progress)
        means = judge(model, dataset, split, metrics=metrics, k=k, part=part).means
        rows.append({"fold": fold, **means})
    return pl.DataFrame(rows)
