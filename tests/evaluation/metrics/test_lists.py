"""Metrics of whole lists, each against a case worked on paper."""

import numpy as np
import pytest
from scipy import sparse

from trefoil.evaluation.exam import Sets
from trefoil.evaluation.metrics.list_metrics import Background, measure_lists
from trefoil.evaluation.ranking import Ranks


def lists(top: list[list[int]], relevant: list[list[tuple[int, int]]], items: int) -> Ranks:
    """Lists, and per case the wanted (item, place) pairs."""
    start = np.concatenate([[0], np.cumsum([len(row) for row in relevant])])
    flat = [pair for row in relevant for pair in row]
    return Ranks(
        np.arange(len(top)),
        Sets(start, np.array([item for item, _ in flat], np.int64)),
        np.array([place for _, place in flat], np.int64),
        np.array(top),
        np.full(len(top), items),
        items,
    )


TWO = lists([[0, 1], [0, 2]], [[(1, 2)], [(0, 1)]], items=5)
COUNTS = np.array([8, 2, 0, 1, 1])


def one(name: str, ranks: Ranks, known: Background | None = None):
    per_case, overall = measure_lists(ranks, [name], known)
    return per_case[name].tolist() if name in per_case else overall[name]


def test_coverage_is_the_share_of_items_shown_to_anyone():
    assert one("coverage@2", TWO) == pytest.approx(3 / 5)
    assert one("coverage@1", TWO) == pytest.approx(1 / 5)


def test_coverage_does_not_count_empty_places():
    assert one("coverage@2", lists([[3, -1]], [[(3, 1)]], items=4)) == pytest.approx(1 / 4)


def test_gini_by_hand():
    # exposure ascending 0 0 1 1 2, N = 5: (-4*0 - 2*0 + 0*1 + 2*1 + 4*2) / (5 * 4) = .5
    assert one("gini@2", TWO) == pytest.approx(0.5)


def test_gini_is_zero_for_equal_and_for_no_exposure():
    assert one("gini@1", lists([[0], [1]], [[(0, 1)], [(1, 1)]], items=2)) == 0.0
    assert one("gini@1", lists([[-1]], [[(0, 1)]], items=2)) == 0.0


def test_novelty_by_hand_counts_items_nobody_met_as_met_once():
    # 16 users: -log2(8/16) = 1, -log2(2/16) = 3, never met -log2(1/16) = 4
    assert one("novelty@2", TWO, Background(COUNTS, 16)) == pytest.approx([2.0, 2.5])


def test_average_popularity_by_hand():
    assert one("arp@2", TWO, Background(COUNTS, 16)) == pytest.approx([5.0, 4.0])


def test_serendipity_counts_hits_the_primitive_list_lacks():
    known = Background(COUNTS, 16, expected=np.array([[0, 3], [0, 1]]))
    assert one("serendipity@2", TWO, known) == pytest.approx([0.5, 0.0])


@pytest.mark.parametrize("make", [np.asarray, sparse.csr_matrix], ids=["dense", "sparse"])
def test_diversity_is_one_minus_mean_cosine_and_skips_unknown_items(make):
    vectors = make(np.array([[1.0, 0.0], [0.6, 0.8], [0.0, 0.0], [0, 2.0], [3.0, 0]]))
    known = Background(COUNTS, 16, text=vectors, graph=vectors)
    three = lists([[0, 1, 3], [0, 2, -1]], [[(0, 1)], [(0, 1)]], items=5)
    # cosines .6, 0, .8: 1 - 1.4/3; one known item alone has no pair
    value = one("diversity-text@3", three, known)
    assert value == pytest.approx([1 - 1.4 / 3, np.nan], nan_ok=True)
    assert one("diversity-graph@3", three, known) == pytest.approx(value, nan_ok=True)


def test_users_who_repeat_an_event_count_once_in_the_background():
    from trefoil.data import Interactions

    again = Interactions(np.array([0, 0, 1]), np.array([2, 2, 2]), np.array([True, True, True]))
    assert Background.of(again, users=2, items=3).counts.tolist() == [0, 0, 2]


@pytest.mark.parametrize(
    ("name", "known", "words"),
    [
        ("novelty@2", None, "Background"),
        ("diversity-text@2", Background(COUNTS, 16), "text"),
        ("serendipity@2", Background(COUNTS, 16), "expected"),
        ("coverage@3", None, "1..2"),
        ("novelt@2", None, "unknown metric"),
    ],
)
def test_what_is_missing_is_named(name, known, words):
    with pytest.raises(ValueError, match=words):
        measure_lists(TWO, [name], known)
