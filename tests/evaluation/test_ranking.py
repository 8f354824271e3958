"""Scores to places: the tie rule, masks, batches, and scores that are no numbers."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from trefoil.data import Cases, Histories
from trefoil.evaluation import ranking
from trefoil.evaluation.exam import Exam, Sets
from trefoil.evaluation.ranking import rank


class Fixed:
    """Answers rows of a table by user row."""

    name = "fixed"

    def __init__(self, table: NDArray) -> None:
        self.table = torch.from_numpy(table)

    def score(self, cases: Cases) -> torch.Tensor:
        return self.table[cases.user]


def exam_of(relevant: list[list[int]], masked: list[list[int]], items: int, **more) -> Exam:
    n = len(relevant)
    cases = Cases(np.arange(n), Histories(np.zeros(n + 1, np.int64), np.empty(0, np.int64)))

    def sets(rows: list[list[int]]) -> Sets:
        case = np.repeat(np.arange(n), [len(row) for row in rows])
        return Sets.of(case, np.array([i for row in rows for i in row], np.int64), n)

    return Exam(cases, sets(relevant), sets(masked), items, "full", "test", **more)


def test_places_count_from_one_and_skip_masked_items():
    table = np.array([[0.9, 0.8, 0.7, 0.6]])
    ranks = rank(Fixed(table), exam_of([[2]], [[0]], 4), k_max=3)
    assert ranks.place.tolist() == [2]
    assert ranks.top.tolist() == [[1, 2, 3]]
    assert ranks.candidates.tolist() == [3]


def test_lists_end_with_minus_one_where_candidates_run_out():
    ranks = rank(Fixed(np.array([[1.0, 2.0, 3.0]])), exam_of([[0]], [[2]], 3), k_max=5)
    assert ranks.top.tolist() == [[1, 0, -1, -1, -1]]


def test_only_candidates_are_ranked():
    only = np.array([True, False, True, False])
    exam = exam_of([[0]], [[]], 4, candidates=only)
    ranks = rank(Fixed(np.array([[1.0, 9.0, 2.0, 9.0]])), exam, k_max=4)
    assert ranks.place.tolist() == [2]
    assert ranks.top.tolist() == [[2, 0, -1, -1]]


def test_equal_scores_put_every_item_first_equally_often():
    """Constant scores, one wanted item: over shuffles its place is uniform, hit@1 = 1/5."""
    exam = exam_of([[3]], [[]], 5)
    places = [rank(Fixed(np.ones((1, 5))), exam, seed=seed).place[0] for seed in range(500)]
    shares = np.bincount(places, minlength=6)[1:] / 500
    assert np.abs(shares - 0.2).max() < 0.072  # four standard errors of .018


def test_ties_are_ordered_alike_for_all_cases_and_models():
    exam = exam_of([[0], [1]], [[], []], 6)
    one = rank(Fixed(np.ones((2, 6))), exam, k_max=6, seed=3).top
    two = rank(Fixed(np.full((2, 6), -7.0)), exam, k_max=6, seed=3).top
    assert (one[0] == one[1]).all()
    assert (one == two).all()


tables = st.integers(1, 5).flatmap(
    lambda cases: st.integers(2, 12).flatmap(
        lambda items: st.tuples(
            st.lists(
                st.lists(st.integers(0, 3), min_size=items, max_size=items),
                min_size=cases,
                max_size=cases,
            ),
            st.integers(0, 2**32 - 1),
        )
    )
)


@settings(deadline=None, max_examples=50)
@given(tables)
def test_places_and_lists_equal_a_plain_sort(drawn):
    """Many ties on purpose: four score values over up to twelve items."""
    rows, seed = drawn
    table = np.array(rows, np.float64)
    cases, items = table.shape
    rng = np.random.default_rng(seed)
    role = rng.integers(0, 3, (cases, items))  # 0 candidate, 1 wanted, 2 masked
    role[:, 0] = 1
    relevant = [np.flatnonzero(row == 1).tolist() for row in role]
    masked = [np.flatnonzero(row == 2).tolist() for row in role]
    ranks = rank(Fixed(table), exam_of(relevant, masked, items), k_max=4, seed=5, batch=2)
    shuffle = np.argsort(np.random.default_rng(5).permutation(items))
    for case in range(cases):
        order = sorted(
            (i for i in range(items) if role[case, i] != 2),
            key=lambda i, case=case: (-table[case, i], shuffle[i]),
        )
        part = slice(ranks.relevant.start[case], ranks.relevant.start[case + 1])
        assert ranks.place[part].tolist() == [order.index(i) + 1 for i in relevant[case]]
        assert [i for i in ranks.top[case] if i >= 0] == order[:4]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_scores_that_are_not_finite_are_an_error_that_names_model_and_case(bad):
    table = np.zeros((3, 4))
    table[2, 1] = bad
    with pytest.raises(ValueError, match=r"fixed scored .* case 2 .* item row 1"):
        rank(Fixed(table), exam_of([[0], [1], [2]], [[], [], []], 4))


def test_huge_finite_scores_are_not_taken_for_infinite():
    table = np.full((1, 4), 3e38)
    assert rank(Fixed(table), exam_of([[0]], [[]], 4)).place.tolist()[0] in range(1, 5)


def test_a_wrong_shape_is_an_error_that_names_both_shapes():
    with pytest.raises(ValueError, match=r"fixed answered .*\[1, 3\].*\[1, 4\]"):
        rank(Fixed(np.zeros((1, 3))), exam_of([[0]], [[]], 4))


def test_batches_do_not_change_the_answer():
    rng = np.random.default_rng(0)
    table = rng.integers(0, 5, (17, 30)).astype(np.float64)
    exam = exam_of([[int(i)] for i in rng.integers(0, 30, 17)], [[]] * 17, 30)
    whole, parts = (rank(Fixed(table), exam, batch=size) for size in (100, 3))
    assert (whole.place == parts.place).all()
    assert (whole.top == parts.top).all()


def test_restricting_wanted_items_keeps_all_candidates_and_drops_empty_cases():
    table = np.array([[3.0, 2.0, 1.0], [1.0, 2.0, 3.0]])
    ranks = rank(Fixed(table), exam_of([[0, 2], [1]], [[], []], 3))
    cold = ranks.of_items(np.array([False, False, True]))
    assert len(cold) == 1
    assert cold.place.tolist() == [3]
    assert cold.candidates.tolist() == [3]


@pytest.mark.parametrize("few_candidates", [False, True])
def test_a_list_by_blocks_is_the_list_by_all_keys(few_candidates):
    """Ties, minus zero, masks and candidates included."""
    rng = np.random.default_rng(5)
    cases, items, k = 6, 1_300, 7
    scores = rng.integers(-3, 4, (cases, items)).astype(np.float32)
    scores[scores == 0] *= -1.0
    scores[3] = 0.0
    allowed = np.ones(items, bool)
    if few_candidates:
        allowed = np.isin(np.arange(items), rng.integers(0, items, 5))
    masked = rng.integers(0, items, (cases, 40)).tolist()
    exam = exam_of([[]] * cases, masked, items, candidates=allowed)
    rows = np.arange(cases)
    position = rng.permutation(items)
    keys = ranking._keys(ranking.bits_of(scores), exam, rows, position)
    found = ranking._leading(scores, exam, rows, position, k)
    assert (found == ranking._largest(keys, k)).all()
    assert (ranking._asked(exam, rows) == (keys != ranking.NOT_ASKED).sum(1)).all()


@pytest.mark.parametrize("few_candidates", [False, True])
@pytest.mark.parametrize("k", [0, 4, 60])
def test_the_list_of_one_case_is_that_among_others(few_candidates, k):
    """Ties, minus zero, masks, candidates that run out, and lists longer than the catalogue."""
    rng = np.random.default_rng(6)
    cases, items = 5, 50
    scores = rng.integers(-2, 3, (cases, items)).astype(np.float32)
    scores[scores == 0] *= -1.0
    scores[3] = 0.0
    allowed = np.isin(np.arange(items), [3, 8, 9, 41]) if few_candidates else None
    masked = rng.integers(0, items, (cases, 7)).tolist()
    exam = exam_of([[]] * cases, masked, items, candidates=allowed)
    together = rank(Fixed(scores), exam, k)
    for row in range(cases):
        one = exam_of([[]], [masked[row]], items, candidates=allowed)
        alone = rank(Fixed(scores[[row]]), one, k)
        assert (alone.top[0] == together.top[row]).all()
        assert np.array_equal(alone.score[0], together.score[row], equal_nan=True)
        assert alone.candidates[0] == together.candidates[row]


@pytest.mark.parametrize("items", [999, 1_000])
def test_a_list_of_no_items_is_empty_however_many_there_are(items):
    exam = exam_of([[], []], [[], [3]], items)
    ranks = rank(Fixed(np.zeros((2, items), np.float32)), exam, 0)
    assert ranks.top.shape == (2, 0)
    assert ranks.candidates.tolist() == [items, items - 1]
