"""Click logs: what another policy would have earned, within its error, where counting is wrong."""

import numpy as np
import pytest

from trefoil.data.errors import DataError
from trefoil.evaluation.metrics.off_policy_metrics import off_policy, shown_again


def logged(rng, lines, policy, rates):
    item = rng.choice(len(policy), lines, p=policy)
    return item, (rng.random(lines) < rates[item]).astype(float)


def test_estimates_by_hand():
    found = off_policy(np.array([1.0, 0.0, 1.0]), np.array([0.5, 0.5, 0.25]), np.array([0.5, 1, 0]))
    assert found.ips == pytest.approx(1 / 3)  # weights 1, 2, 0
    assert found.snips == pytest.approx(1 / 3)
    assert found.logged == pytest.approx(2 / 3)
    assert found.effective == pytest.approx(9 / 5)
    assert not found.reliable


def test_another_policy_is_judged_within_its_error_and_counting_is_not():
    old, new = np.array([0.7, 0.2, 0.1]), np.array([0.1, 0.2, 0.7])
    rates = np.array([0.1, 0.3, 0.6])
    truth = float(new @ rates)
    rng = np.random.default_rng(0)
    off = []
    for _ in range(200):
        item, reward = logged(rng, 2000, old, rates)
        found = off_policy(reward, old[item], new[item])
        off.append(
            [(found.ips - truth) / found.ips_error, (found.snips - truth) / found.snips_error]
        )
        assert abs(found.logged - truth) > 0.2
    z = np.array(off)
    np.testing.assert_allclose(z.mean(0), 0.0, atol=0.25)  # 0.07 is the error of a mean of 200
    np.testing.assert_allclose(z.std(0), 1.0, atol=0.2)
    item, reward = logged(rng, 2000, old, rates)
    cut = off_policy(reward, old[item], new[item], clip=2.0)
    assert cut.clipped > 0.05
    assert cut.ips < off_policy(reward, old[item], new[item]).ips


def test_a_list_without_chance_shows_what_it_holds():
    item, top = np.array([3, 4, 5]), np.array([[3, 1], [1, 2], [9, 5]])
    assert shown_again(item, top).tolist() == [True, False, True]
    assert not shown_again(np.array([-1]), np.array([[2, -1]])).any()  # no item, and no place
    found = off_policy(np.array([1.0, 1.0, 0.0]), np.full(3, 0.5), shown_again(item, top))
    assert (found.ips, found.snips) == (pytest.approx(2 / 3), pytest.approx(0.5))


@pytest.mark.parametrize("propensity", [0.0, -0.1, 1.5, np.nan])
def test_a_propensity_that_cannot_be_is_named(propensity):
    with pytest.raises(DataError, match="line 2 has propensity"):
        off_policy(np.ones(3), np.array([0.5, propensity, 0.5]), np.ones(3))


@pytest.mark.parametrize("clip", [0.0, -1.0, float("nan")])
def test_a_largest_weight_that_cannot_be_is_refused(clip):
    with pytest.raises(DataError, match=r"clip = .*; give a weight above 0"):
        off_policy(np.ones(3), np.full(3, 0.5), np.full(3, 0.5), clip=clip)
