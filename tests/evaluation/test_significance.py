"""Paired tests over users: size under no difference, power, correction, words."""

import itertools

import numpy as np
import pytest

from trefoil.evaluation.significance import (
    Difference,
    as_json,
    by_user,
    compare,
    holm,
    interval,
    randomisation,
)


def test_p_of_four_equal_signs_is_near_one_eighth():
    # all 16 sign patterns are equally likely, 2 are as extreme: p = 2/16
    p = randomisation(np.ones(4), 40_000, np.random.default_rng(0))
    assert p == pytest.approx(0.125, abs=0.008)


def test_p_equals_full_enumeration_on_small_unequal_gaps():
    gap = np.array([0.5, -0.1, 0.3, 0.2, 0.4])
    sums = [abs(np.dot(signs, gap)) for signs in itertools.product([-1, 1], repeat=5)]
    exact = np.mean(np.array(sums) >= abs(gap.sum()) - 1e-12)
    assert randomisation(gap, 40_000, np.random.default_rng(1)) == pytest.approx(exact, abs=0.01)


def test_no_difference_is_found_significant_in_about_one_case_of_twenty():
    random = np.random.default_rng(2)
    found = [randomisation(random.normal(size=40), 400, random) < 0.05 for _ in range(400)]
    assert np.mean(found) < 0.05 + 4 * np.sqrt(0.05 * 0.95 / 400)


def test_a_planted_difference_is_found_and_its_interval_holds_it():
    random = np.random.default_rng(3)
    base = random.random(500)
    users = np.arange(500)
    better = base + 0.05 + random.normal(0, 0.1, 500)
    found = compare("a", "b", "ndcg@10", [users], [better], [base])
    assert found.significant()
    assert found.low < 0.05 < found.high


def test_users_of_several_seeds_are_one_unit_each():
    users, values = by_user(
        [np.array([0, 1]), np.array([1, 2])], [np.array([1.0, 2.0]), np.array([4.0, np.nan])]
    )
    assert users.tolist() == [0, 1]
    assert values.tolist() == [1.0, 3.0]


def test_repeating_one_seed_does_not_make_a_difference_more_certain():
    random = np.random.default_rng(4)
    gap = random.normal(0.02, 0.2, 100)
    users, nil = np.arange(100), np.zeros(100)
    once = compare("a", "b", "m", [users], [gap], [nil])
    often = compare("a", "b", "m", [users] * 5, [gap] * 5, [nil] * 5)
    assert often.p == once.p


def test_models_that_answered_different_cases_are_refused():
    with pytest.raises(ValueError, match="different cases"):
        compare("a", "b", "m", [np.arange(3)], [np.zeros(3)], [np.zeros(2)])


def difference(p: float) -> Difference:
    return Difference("a", "b", "m", 0.1, 0.0, 0.2, p, 10, 1)


def test_holm_by_hand():
    # sorted .01 .02 .04: 3*.01 = .03, max(.03, 2*.02) = .04, max(.04, .04) = .04
    corrected = holm([difference(0.04), difference(0.01), difference(0.02)])
    assert [test.p for test in corrected] == pytest.approx([0.04, 0.03, 0.04])
    assert all(test.corrected for test in corrected)


def test_holm_never_exceeds_one():
    assert [test.p for test in holm([difference(0.9), difference(0.8)])] == [1.0, 1.0]


def test_what_is_not_significant_is_printed_as_such():
    assert "not significant" in str(difference(0.2))
    assert "not significant" not in str(difference(0.001))
    assert as_json([difference(0.2)])["a vs b"]["significant"] is False


def test_equal_models_have_p_one():
    assert randomisation(np.zeros(9), 100, np.random.default_rng(0)) == 1.0


def test_interval_of_a_mean_is_close_to_the_normal_one():
    values = np.random.default_rng(5).normal(1.0, 2.0, 4000)
    low, high = interval(values)
    half = 1.96 * values.std() / np.sqrt(4000)
    assert low == pytest.approx(values.mean() - half, abs=0.01)
    assert high == pytest.approx(values.mean() + half, abs=0.01)
