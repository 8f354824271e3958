"""Days are cut in order of time, and what updates lose is told with its standard error."""

import numpy as np
import pytest

from benchmarks.updating import Compared, days
from trefoil.data.interactions import Interactions


def test_days_follow_one_another_and_leave_nothing_out():
    at = np.random.default_rng(0).permutation(100)
    rows = np.arange(100)
    parts = days(Interactions(rows, rows, np.ones(100, bool), at=at), steps=3, share=0.1)
    assert [len(part) for part in parts] == [60, 10, 10, 10, 10]
    assert at[np.concatenate(parts)].tolist() == list(range(100))


def test_a_share_of_the_refit_has_the_error_of_differences_between_people():
    found = Compared()
    row = {"day": 1, "update_s": 1.0, "refit_s": 8.0, "overlap": 0.5}
    found.told(row, {"refit": np.array([0.5, 1.0]), "update": np.array([0.4, 0.8])})
    row = {"day": 2, "update_s": 3.0, "refit_s": 8.0, "overlap": 0.7}
    found.told(row, {"refit": np.array([0.0, 0.5]), "update": np.array([0.0, 0.6])})
    told = found.summary()
    assert (told["people"], told["time_of_refit"]) == (4, 0.25)
    assert told["overlap"] == pytest.approx(0.6)
    share = 1.8 / 2.0
    left = np.array([0.4, 0.8, 0.0, 0.6]) - share * np.array([0.5, 1.0, 0.0, 0.5])
    error = left.std() / 0.5 / 2
    assert told["update_of_refit"] == pytest.approx(share)
    assert told["update_error"] == pytest.approx(error, abs=1e-4)
