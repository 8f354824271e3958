"""Exposure and debiased accuracy, worked by hand."""

import numpy as np
import pytest

from trefoil.data.errors import ConfigError
from trefoil.evaluation.exam import Sets
from trefoil.evaluation.metrics.exposure_metrics import debiased, exposure, propensity_weights
from trefoil.evaluation.ranking import Ranks


def ranks(places, top, wanted=(0, 1)):
    """Two cases that want an item each."""
    n = len(places)
    return Ranks(
        np.arange(n),
        Sets(np.arange(n + 1), np.array(wanted, np.int64)),
        np.array(places, np.int64),
        np.array(top, np.int64),
        np.full(n, 4),
        4,
    )


def test_exposure_is_the_share_of_attention_by_place():
    shown = ranks([1, 2], [[0, 1], [2, 0]])
    second = 1 / np.log2(3)
    group = np.array([True, False, False, False])
    assert exposure(shown, 2, group) == pytest.approx((1 + second) / (2 + 2 * second))
    assert exposure(shown, 1, group) == pytest.approx(0.5)
    everything = np.ones(4, bool)
    assert exposure(ranks([1, 2], [[0, -1], [-1, -1]]), 2, everything) == 1.0


def test_what_is_met_rarely_weighs_more():
    weights = propensity_weights(np.array([100, 4, 0, 1]), 0.5)
    assert weights == pytest.approx([0.1, 0.5, 1.0, 1.0])
    assert (propensity_weights(np.array([100, 4]), 0.0) == 1).all()
    with pytest.raises(ConfigError, match=r"power = -1\.0"):
        propensity_weights(np.array([1]), -1.0)


def test_a_hit_of_a_popular_item_alone_is_worth_little():
    weights = np.array([0.1, 0.5, 1, 1])
    told = debiased(ranks([1, 30], [[0], [2]]), 10, weights)
    assert told["plain-recall"] == told["plain-gain"] == 0.5
    assert told["recall"] == told["gain"] == pytest.approx(0.1 / 0.6)
    assert told["effective-pairs"] == pytest.approx(0.36 / 0.26)
    other = debiased(ranks([30, 3], [[2], [2]]), 10, weights)
    assert other["recall"] == pytest.approx(0.5 / 0.6)
    assert other["gain"] == pytest.approx(0.5 / 0.6 / 2)
    assert np.isnan(debiased(ranks([], np.zeros((0, 1), int), ()), 10, weights)["recall"])
