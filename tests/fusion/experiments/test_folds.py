"""Folds: as many trainings, each judged by events of its own."""

import pytest
from planted_shop import TINY

from trefoil.data import ConfigError
from trefoil.fusion.experiments.folds import over_folds
from trefoil.fusion.settings import load_settings

OFF = ("network.on", "text.on", "graph.on", "factors", "random_walks", "next_item", "reranker")
QUICK = (*TINY, "rating_process=false", *(f"{one}=false" for one in OFF))


def test_each_fold_is_a_training_of_its_own_and_taste_is_found_in_all(shop):
    settings = load_settings(None, [*QUICK, "split.by=ratio"])
    table = over_folds(shop, settings, 3, metrics=["ndcg"])
    assert table["fold"].to_list() == [0, 1, 2]
    assert table["ndcg@10"].n_unique() == 3
    assert table["ndcg@10"].min() > 0.3
    with pytest.raises(ConfigError, match="folds = 2"):
        over_folds(shop, settings, 2)
    with pytest.raises(ConfigError, match=r"split\.fold = 1 by 'time'"):
        over_folds(shop, load_settings(None, [*QUICK, "split.by=time"]), 3)
