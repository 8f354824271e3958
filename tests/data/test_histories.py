"""Histories as arrays."""

import numpy as np

from trefoil.data.histories import Histories
from trefoil.data.interactions import UNKNOWN_TIME


def test_items_told_follow_each_history_and_nothing_else_is_known_of_them():
    own = Histories(
        np.array([0, 2, 2, 3]),
        np.array([5, 6, 7]),
        np.array([10, 20, 30]),
        np.array([1.0, 2.0, 3.0]),
        {"device": np.array([0, 1, 0])},
    )
    both = own.followed_by(np.array([8, 9]))
    assert both.start.tolist() == [0, 4, 6, 9]
    assert both.item.tolist() == [5, 6, 8, 9, 8, 9, 7, 8, 9]
    never = UNKNOWN_TIME
    assert both.at is not None
    assert both.stars is not None
    assert both.at.tolist() == [10, 20, never, never, never, never, 30, never, never]
    assert np.isnan(both.stars).tolist() == [False] * 2 + [True] * 4 + [False] + [True] * 2
    assert both.scenario["device"].tolist() == [0, 1, -1, -1, -1, -1, 0, -1, -1]
    same = own.followed_by(np.zeros(0, np.int64))
    assert same.item.tolist() == own.item.tolist()
    assert same.start.tolist() == own.start.tolist()
