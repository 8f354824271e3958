"""Accuracy metrics against cases worked on paper."""

import numpy as np
import pytest

from trefoil.evaluation.exam import Sets
from trefoil.evaluation.metrics.ranking_metrics import measure
from trefoil.evaluation.ranking import Ranks


def ranks_at(*places: list[int], candidates: int = 100) -> Ranks:
    """Cases whose wanted items stand at these places; item rows do not matter here."""
    start = np.concatenate([[0], np.cumsum([len(p) for p in places])])
    item = np.concatenate([np.arange(len(p)) for p in places])
    return Ranks(
        np.arange(len(places)),
        Sets(start, item),
        np.concatenate([np.array(p, np.int64) for p in places]),
        np.full((len(places), 1), -1),
        np.full(len(places), candidates),
        candidates,
    )


def value(name: str, *places: list[int], candidates: int = 100) -> list[float]:
    return measure(ranks_at(*places, candidates=candidates), [name])[name].tolist()


def test_recall_divides_by_all_that_was_held_out():
    # 2 of 3 wanted items within the first 5; the other case finds none of 1
    assert value("recall@5", [1, 4, 9], [6]) == pytest.approx([2 / 3, 0.0])


def test_precision_divides_by_the_cut_off_even_if_fewer_candidates_exist():
    assert value("precision@5", [1, 3], candidates=3) == pytest.approx([2 / 5])


def test_hit_is_one_when_any_wanted_item_is_inside():
    assert value("hit@3", [3, 50], [4]) == [1.0, 0.0]


def test_ndcg_of_places_one_and_four_by_hand():
    # DCG = 1/log2(2) + 1/log2(5) = 1 + .430677; ideal of two = 1 + 1/log2(3) = 1.630930
    assert value("ndcg@10", [1, 4]) == pytest.approx([0.877215], abs=1e-6)


def test_ndcg_ideal_counts_wanted_items_that_were_not_retrieved():
    # one hit at place 1, a second wanted item beyond 10: 1 / 1.630930, not 1
    assert value("ndcg@10", [1, 40]) == pytest.approx([0.613147], abs=1e-6)


def test_ndcg_ideal_holds_at_most_k_items():
    # three wanted, k = 2, both places filled: perfect
    assert value("ndcg@2", [1, 2, 3]) == pytest.approx([1.0])


def test_mrr_takes_the_first_hit_and_ignores_hits_after_the_cut():
    assert value("mrr@10", [4, 8], [11]) == pytest.approx([0.25, 0.0])


def test_map_by_hand():
    # precisions at the hits 1, 3: 1/1 and 2/3; min(W, k) = 3: (1 + .666667) / 3
    assert value("map@5", [1, 3, 9]) == pytest.approx([0.555556], abs=1e-6)


def test_auc_by_hand():
    # 5 candidates, wanted at 1 and 3: of 2 x 3 pairs, only (3 above 2) is wrong: 5/6
    assert value("auc", [3, 1], candidates=5) == pytest.approx([5 / 6])


def test_auc_without_unwanted_candidates_is_one_half():
    assert value("auc", [1, 2], candidates=2) == [0.5]


def test_an_empty_exam_gives_empty_arrays():
    none = Ranks(
        np.empty(0, np.int64),
        Sets(np.zeros(1, np.int64), np.empty(0, np.int64)),
        np.empty(0, np.int64),
        np.empty((0, 5), np.int64),
        np.empty(0, np.int64),
        9,
    )
    values = measure(none, ["recall@5", "ndcg@5", "mrr@5", "map@5", "auc"])
    assert all(len(column) == 0 for column in values.values())


@pytest.mark.parametrize("name", ["recal@10", "recall", "ndcg@0", "ndcg@x", "ndcg@-1"])
def test_a_misspelt_metric_is_named(name):
    with pytest.raises(ValueError, match=name):
        measure(ranks_at([1]), [name])
