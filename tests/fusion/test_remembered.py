"""Scores that are remembered: the same as made anew, within bounds, and for equal cases alone."""

from dataclasses import fields, replace

import numpy as np

from trefoil.data.histories import Cases, Histories
from trefoil.fusion.plan.remembered import Remembered, bytes_of


def one(items=(1, 2), at=(10, 20), user=3, told=0, **more):
    """A case of one user with two events and a context."""
    history = Histories(
        np.array([0, 2]), np.array(items), np.array(at), scenario={"device": np.array([0, 1])}
    )
    return Cases(np.array([user]), history, None, {"device": np.array([told])}, **more)


def test_what_a_score_may_depend_on_tells_cases_apart():
    base = one()
    assert {field.name for field in fields(Cases)} == {
        *("user", "history", "at", "scenario", "attributes")
    }  # a field more is one more to put into the digest
    assert {field.name for field in fields(Histories)} == {
        *("start", "item", "at", "stars", "scenario")
    }
    others = [
        *(one(items=(2, 1)), one(at=(10, 21)), one(user=-1), one(told=1)),
        replace(base, scenario={}),
        replace(base, at=np.array([30])),
        replace(base, attributes=np.ones((1, 3), np.float32)),
        replace(base, history=replace(base.history, at=None)),
        replace(base, history=replace(base.history, stars=np.array([1.0, 2.0]))),
        replace(base, history=replace(base.history, scenario={"device": np.array([1, 0])})),
    ]
    assert base.digest == one().digest
    assert len({case.digest for case in [base, *others]}) == 1 + len(others)


def test_the_least_used_go_first_and_the_bound_holds():
    made = []

    def row(number):
        def make():
            made.append(number)
            return (np.full(10, number, np.float32),)  # 40 bytes

        return make

    kept = Remembered(100, bytes_of)
    for number in (1, 2, 1, 3, 1, 2):  # 3 drives out 2, which was not used since
        assert kept.get(number, row(number))[0][0] == number
        assert kept.held <= 100
    assert made == [1, 2, 3, 2]
    assert len(kept) == 2
    large = kept.get(9, lambda: (np.zeros(1000, np.float32),))  # more than there is room for
    assert len(large[0]) == 1000
    assert len(kept) == 2


def test_an_event_changes_what_is_answered_at_once(recommender):
    user = recommender.catalogue.users[0]
    before = recommender.recommend(user, 5, reasons=0)
    assert recommender.recommend(user, 5, reasons=0) == before
    recommender.add_events([{"user": user, "item": before[0].item}])
    after = recommender.recommend(user, 5, reasons=0, seen="hide")
    assert before[0].item not in {one.item for one in after}
    assert [one.score for one in after] != [one.score for one in before]
