"""Row metrics: by hand, against scikit-learn, and on the edge cases."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as peer

from trefoil.evaluation.metrics.pointwise_metrics import (
    Platt,
    auc,
    best_threshold,
    f1,
    gauc,
    log_loss,
    mae,
    reliability,
    rmse,
)

LABEL = np.array([1, 0, 1, 0, 0])
SCORE = np.array([0.9, 0.8, 0.8, 0.3, 0.1])


def test_auc_by_hand_counts_a_tie_as_one_half():
    # pairs: .9 beats 3; .8 ties one and beats two: 5.5 of 6
    assert auc(LABEL, SCORE) == pytest.approx(5.5 / 6)


def test_gauc_weighs_groups_by_rows_and_leaves_out_those_of_one_class():
    group = np.array([0, 0, 1, 1, 1, 2])
    label = np.array([1, 0, 0, 1, 0, 1])
    score = np.array([0.2, 0.9, 0.1, 0.5, 0.3, 0.9])
    assert gauc(label, score, group) == pytest.approx((0.0 * 2 + 1.0 * 3) / 5)


def test_f1_by_hand():
    # at .8: TP 2, FP 1, FN 0
    assert f1(LABEL, SCORE, 0.8) == pytest.approx(4 / 5)
    assert f1(LABEL, SCORE, 2.0) == 0.0


def test_threshold_maximises_f1_and_never_divides_equal_scores():
    assert best_threshold(LABEL, SCORE) == 0.8
    assert best_threshold(np.zeros(3), np.arange(3.0)) == np.inf


def test_errors_of_stars_by_hand():
    stars, predicted = np.array([4.0, 1.0]), np.array([3.0, 4.0])
    assert rmse(stars, predicted) == pytest.approx(np.sqrt(5.0))
    assert mae(stars, predicted) == pytest.approx(2.0)


def test_log_loss_by_hand_and_finite_at_the_ends():
    assert log_loss(np.array([1, 0]), np.array([0.8, 0.4])) == pytest.approx(0.366985, abs=1e-6)
    assert log_loss(np.array([1]), np.array([0.0])) == pytest.approx(34.538776, abs=1e-6)


def test_calibration_error_by_hand():
    # bin [.2,.3): p .25, observed .5; bin [.9,1]: p .95, observed 1: (2*.25 + 2*.05) / 4
    label = np.array([0, 1, 1, 1])
    bins = reliability(label, np.array([0.25, 0.25, 0.9, 1.0]))
    assert bins.error == pytest.approx(0.15)
    assert bins.count[9] == 2


def expected_error(label, probability):
    return reliability(label, probability).error


@pytest.mark.parametrize("metric", [rmse, mae, log_loss, expected_error, auc])
def test_no_rows_have_no_value(metric):
    assert np.isnan(metric(np.empty(0), np.empty(0)))


@pytest.mark.parametrize("metric", [rmse, mae, log_loss, expected_error, auc])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused_with_their_row(metric, bad):
    with pytest.raises(ValueError, match="row 1"):
        metric(np.array([1.0, 0.0]), np.array([0.5, bad]))


@pytest.mark.parametrize("metric", [log_loss, expected_error])
def test_what_is_no_probability_is_refused(metric):
    with pytest.raises(ValueError, match=r"0\.\.1"):
        metric(np.array([1.0, 0.0]), np.array([0.5, 1.5]))


rows = st.integers(2, 60).flatmap(
    lambda n: st.tuples(
        st.lists(st.integers(0, 1), min_size=n, max_size=n),
        st.lists(st.integers(0, 8).map(lambda x: x / 8), min_size=n, max_size=n),
    )
)


@settings(deadline=None, max_examples=50)
@given(rows)
def test_agrees_with_scikit_learn_with_ties(drawn):
    label, score = (np.array(column, float) for column in drawn)
    if 0 < label.sum() < len(label):
        assert auc(label, score) == pytest.approx(peer.roc_auc_score(label, score), abs=1e-9)
    called = f1(label, score, 0.5)
    assert called == pytest.approx(peer.f1_score(label, score >= 0.5, zero_division=0), abs=1e-9)
    loss = peer.log_loss(label, np.clip(score, 1e-15, 1 - 1e-15), labels=[0, 1])
    assert log_loss(label, score) == pytest.approx(loss, abs=1e-9)
    assert rmse(label, score) == pytest.approx(peer.root_mean_squared_error(label, score), abs=1e-9)


@settings(deadline=None, max_examples=50)
@given(rows)
def test_no_threshold_beats_the_chosen_one(drawn):
    label, score = (np.array(column, float) for column in drawn)
    best = f1(label, score, best_threshold(label, score))
    assert all(f1(label, score, cut) <= best + 1e-12 for cut in score)


def test_platt_recovers_a_planted_curve_and_never_turns_the_order_round():
    random = np.random.default_rng(0)
    score = random.normal(3.0, 50.0, 20_000)
    truth = 1 / (1 + np.exp(-(0.04 * score - 0.5)))
    fitted = Platt.fit((random.random(20_000) < truth).astype(float), score)
    assert fitted.slope == pytest.approx(0.04, rel=0.1)
    assert np.abs(fitted(score) - truth).mean() < 0.01
    assert Platt.fit(np.array([1.0, 0, 1, 0]), np.array([0.0, 1, 0, 1])).slope == 0.0
