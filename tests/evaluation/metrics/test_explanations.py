"""Reasons must exist in the training graph, and verdicts must say what the tests say."""

import numpy as np
import pytest

from trefoil.evaluation.ablation import verdicts
from trefoil.evaluation.metrics.explanation_metrics import diversity, leaking, validity
from trefoil.evaluation.protocols.slices import fairness

GRAPH = {("u1", "met", "i1"), ("i1", "by", "p1"), ("i2", "by", "p1")}
GOOD = [("u1", "met", "i1"), ("i1", "by", "p1"), ("i2", "by", "p1")]


def test_validity_is_the_share_of_paths_whose_edges_exist_and_join():
    invented = [("u1", "met", "i1"), ("i1", "by", "p9")]
    apart = [("u1", "met", "i1"), ("i2", "by", "p1")]
    assert validity([GOOD, invented, apart, []], GRAPH.__contains__) == pytest.approx(1 / 4)
    assert np.isnan(validity([], GRAPH.__contains__))


def test_a_held_out_edge_is_found_in_either_direction():
    hidden = [("u1", "met", "i2")]
    assert leaking([GOOD], hidden) == 0
    assert leaking([GOOD, [("i2", "met", "u1")], [("u1", "met", "i2")]], hidden) == 2


def test_diversity_by_hand():
    # three of one type, one of another: 1 - (9 + 1)/16
    assert diversity([GOOD, GOOD, GOOD, GOOD[:1]]) == pytest.approx(6 / 16)
    assert diversity([GOOD, GOOD]) == 0.0


def test_fairness_gap_is_between_the_best_and_the_worst_group():
    values = np.array([0.2, 0.4, 0.9, np.nan])
    groups = {
        "a": np.array([True, True, False, False]),
        "b": np.array([False, False, True, True]),
        "none": np.zeros(4, bool),
    }
    found = fairness(values, groups)
    assert found["a"] == pytest.approx(0.3)
    assert found["b"] == pytest.approx(0.9)
    assert found["gap"] == pytest.approx(0.6)
    assert np.isnan(found["none"])


def words_for(gain_absent: float, gain_shuffled: float) -> str:
    random = np.random.default_rng(0)
    base, users = random.random(400), [np.arange(400)]

    def worse_by(gain: float) -> list[np.ndarray]:
        return [base - gain + random.normal(0, 0.05, 400)]

    (found,) = verdicts(
        "ndcg@10",
        users,
        [base],
        {"graph": worse_by(gain_absent)},
        {"graph": worse_by(gain_shuffled)},
        resamples=1000,
    )
    assert found.earned == found.words.startswith("The graph earned its place (")
    return found.words


def test_a_source_that_beats_both_arms_earned_its_place():
    assert words_for(0.05, 0.05).startswith("The graph earned its place (")


def test_a_source_no_better_than_its_shuffle_is_said_to_be_mere_capacity():
    assert "shuffled one helps about as much" in words_for(0.05, 0.0)


def test_a_source_without_effect_did_not_earn_its_place():
    said = words_for(0.0, 0.0)
    assert "did not earn its place" in said
    assert "not significant" in said


def test_a_harmful_source_is_called_harmful():
    assert "did harm" in words_for(-0.05, 0.0)


@pytest.mark.parametrize(("gain", "said"), [(0.05, "earned its place ("), (0.0, "did not earn")])
def test_a_part_that_cannot_be_shuffled_is_judged_by_leaving_it_out(gain, said):
    random = np.random.default_rng(0)
    base, users = random.random(400), [np.arange(400)]
    worse = [base - gain + random.normal(0, 0.05, 400)]
    (found,) = verdicts("ndcg@10", users, [base], {"network": worse}, {}, resamples=1000)
    assert found.earned == (gain > 0)
    assert said in found.words
    (source,) = verdicts("ndcg@10", users, [base], {"graph": worse}, {}, resamples=1000)
    assert not source.earned
    assert ("the other is missing" in source.words) == (gain > 0)
