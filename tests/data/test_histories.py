"""Histories as arrays."""

import numpy as np

from trefoil.data.histories import Histories
from trefoil.data.interactions import UNKNOWN_TIME, Categorical, Interactions


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


def test_events_in_order_are_their_histories_and_others_are_sorted_to_the_same():
    user, item = np.array([0, 0, 2, 2, 2]), np.array([4, 3, 1, 5, 1])
    at = np.array([5, 9, 2, 2, 8])
    where = Categorical(np.array([0, 1, -1, 0, 0]), ("a", "b"))
    events = Interactions(user, item, np.ones(5, bool), at=at, scenario={"where": where})
    known = Histories.of(events, 4)
    assert np.shares_memory(known.item, item)
    assert np.shares_memory(known.scenario["where"], where.codes)
    assert known.start.tolist() == [0, 2, 2, 5, 5]
    moved = events.take(np.array([2, 0, 3, 1, 4]))  # ties in time keep their order
    again = Histories.of(moved, 4)
    assert not np.shares_memory(again.item, moved.item)
    for name in ("start", "item", "at"):
        assert getattr(again, name).tolist() == getattr(known, name).tolist()
    some = Interactions(user, item, np.arange(5) != 1, at=at)
    assert Histories.of(some, 4).item.tolist() == [4, 1, 5, 1]
    back = Interactions(user, item, np.ones(5, bool), at=at[::-1].copy())
    assert Histories.of(back, 4).at.tolist() == [2, 8, 2, 5, 9]
