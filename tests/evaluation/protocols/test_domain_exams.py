"""Exams by domain, and exams among drawn items."""

import numpy as np
from planted_events import dataset_of

from trefoil.data import Interactions, SplitRule, split_events
from trefoil.data.domains import alone
from trefoil.data.joining import joined
from trefoil.evaluation.protocols.drawn import among_drawn
from trefoil.evaluation.protocols.protocols import domain_exam, exam_for
from trefoil.evaluation.ranking import rank

USERS, ITEMS = 30, 40


class ByRow:
    """Later rows score higher, for everyone."""

    def score(self, cases):
        return np.tile(np.arange(2 * ITEMS, dtype=np.float32), (len(cases), 1))


def two_shops(rule=None):
    rng = np.random.default_rng(0)
    parts = {}
    for shift, name in enumerate(("a", "b")):
        user = np.repeat(np.arange(USERS), 6)
        item = np.concatenate([rng.permutation(ITEMS)[:6] for _ in range(USERS)])
        at = 1000 + 2 * np.tile(np.arange(6), USERS) + shift
        log = Interactions(user, item, np.ones(len(user), bool), at=at)
        parts[name] = dataset_of(log, USERS, ITEMS, SplitRule("ratio"))
    return joined("both", parts, rule or SplitRule("ratio", 0.2, 0.2))


def test_a_case_ranks_the_items_of_its_domain_alone():
    dataset = two_shops()
    split = split_events(dataset, 0)
    exam = domain_exam(dataset, split, "test")
    assert len(exam) == len({*zip(exam.cases.user, exam.cases.scenario["domain"], strict=True)})
    ranks = rank(ByRow(), exam, 10)
    assert exam.within is not None
    of_top = exam.within.of_item[ranks.top]
    assert (of_top == exam.within.of_case[:, None]).all()
    assert set(exam.within.of_case) == {0, 1}
    masked = np.diff(exam.masked.start)
    inside = [
        (exam.within.of_item[exam.masked.item[a:b]] == code).sum()
        for a, b, code in zip(
            exam.masked.start, exam.masked.start[1:], exam.within.of_case, strict=False
        )
    ]
    assert (ranks.candidates == ITEMS - np.array(inside)).all()
    assert (masked > inside).any()  # histories are of both


def test_drawn_items_are_the_same_in_one_domain_alone():
    rule = SplitRule("leave-one-out", negatives=9)
    dataset = two_shops(rule)
    split = split_events(dataset, 3)
    exam = exam_for(dataset, split, "test")
    assert exam.only is not None
    assert (rank(ByRow(), exam, 10).candidates == 10).all()
    shop, own = alone(dataset, split, "b")
    single = exam_for(shop, own, "test")
    assert single.only is not None
    ids = dataset.items.vocabulary.ids
    for row, user in enumerate(single.cases.user):
        there = int(np.flatnonzero(exam.cases.user == user)[0])
        one = {shop.items.vocabulary[i] for i in single.only.take(np.array([row])).item}
        assert one == {ids[i] for i in exam.only.take(np.array([there])).item}
    other = among_drawn(domain_exam(dataset, split, "test"), 9, seed=4)
    assert other.only is not None
    assert not np.array_equal(other.only.item, exam.only.item)


def test_nothing_that_was_met_or_wanted_is_drawn():
    dataset = two_shops()
    split = split_events(dataset, 0)
    plain = domain_exam(dataset, split, "test")
    exam = among_drawn(plain, 12, seed=0)
    assert exam.only is not None
    for row in range(len(exam)):
        at = np.array([row])
        listed, wanted = exam.only.take(at).item, exam.relevant.take(at).item
        assert not np.isin(exam.masked.take(at).item, listed).any()
        assert np.isin(wanted, listed).all()
        assert len(listed) == len(wanted) + 12
    assert among_drawn(plain, 0, seed=0) is plain
