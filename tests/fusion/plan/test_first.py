"""First items of a large catalogue: taken from candidates, with the scores of the whole plan."""

import dataclasses

import numpy as np
import pytest
from scipy import sparse

from trefoil.data.histories import Cases, Histories
from trefoil.evaluation.exam import Exam, Sets
from trefoil.evaluation.order import first_of
from trefoil.evaluation.ranking import rank
from trefoil.fusion.plan.asked import Asked
from trefoil.fusion.plan.first import FirstItems
from trefoil.fusion.plan.forms import DenseRows, FactorForm, ProfileForm, SameForAll, SparseRows
from trefoil.fusion.plan.known import Shortlist
from trefoil.fusion.plan.parts import Parts
from trefoil.fusion.plan.plan import Plan
from trefoil.fusion.plan.queries import Summed
from trefoil.fusion.plan.reranking import Marks, Reranking
from trefoil.fusion.requests.listing import FirstOf

ITEMS, WIDTH, MODELS, SHOWN = 600, 6, 6, 5
COLD = 40  # items without events, anywhere
HISTORIES = [[3, 9, 0, 4], [17, 17, 250], [599]]


def table(random, *shape):
    return random.normal(size=shape).astype(np.float32)


def thin(random, rows, columns, share):
    return sparse.csr_matrix(
        np.abs(table(random, rows, columns)) * (random.random((rows, columns)) < share)
    )


def parts(share=0.01, **more):
    """What tables name is heard more than what vectors say."""
    random = np.random.default_rng(0)
    seen = np.ones(ITEMS, bool)
    seen[random.permutation(ITEMS)[:COLD]] = False
    head = np.sort(random.permutation(np.flatnonzero(seen))[:30])
    forms = (
        FactorForm(table(random, ITEMS, WIDTH), Summed(table(random, ITEMS, WIDTH))),
        DenseRows(table(random, 30, 30), head, ITEMS, decay=2.0),
        SparseRows(thin(random, ITEMS, ITEMS, share), decay=3.0),
        SparseRows(thin(random, ITEMS, ITEMS, share)),
        ProfileForm(thin(random, ITEMS, 400, 0.005)),
        SameForAll(table(random, ITEMS)),
    )
    width = 2 * (MODELS + 1) + 5
    marks = Marks(
        np.zeros(width, np.float32),
        np.ones(width, np.float32),
        np.ones(1, np.float32),
        (table(random, 1, width, 1),),
        (table(random, 1, 1, 1),),
        5.0,
    )
    events = np.where(seen, np.abs(table(random, ITEMS)), 0).astype(np.float32)
    weights = (0.05, 0.01, 1.0, 1.0, 0.5, 0.01)
    names = tuple("abcdef")
    rest = {"reranking": Reranking(marks, events, False, SHOWN, 3)} | more
    return Parts(names, forms, weights, weights, 0.1, seen, ITEMS, scenarios=False, **rest)


def case(items):
    return Cases(np.array([-1]), Histories(np.array([0, len(items)]), np.array(items, np.int64)))


def best(scores, history):
    open_scores = scores[0].copy()
    open_scores[history] = -np.inf
    return np.argsort(-open_scores, kind="stable")[:SHOWN]


@pytest.mark.parametrize("size", [60, ITEMS])
@pytest.mark.parametrize("history", HISTORIES)
def test_first_items_and_their_scores_are_those_of_the_plan(history, size):
    plan, cases = Plan(parts()), case(history)
    exact, found = plan.score(cases), FirstItems(plan, size).of(cases, Asked(cases, ITEMS))
    assert found is not None
    top = best(exact, history)
    asked = Exam(cases, sets([]), sets(history), ITEMS, "served", "all")
    told = first_of(asked, found.item, found.score, SHOWN)
    assert told is not None
    assert told[0].tolist() == top.tolist()
    assert told[1] == pytest.approx(exact[0, top], abs=1e-4)
    assert COLD < len(found.item) < ITEMS
    assert set(np.flatnonzero(~plan.parts.seen)) <= set(found.item.tolist())
    assert found.score == pytest.approx(exact[0, found.item], abs=1e-4)


def test_of_many_items_without_events_the_best_by_a_first_look_are_candidates(monkeypatch):
    for name, value in (("DIRECTIONS", 2), ("MOST", 12), ("WORTH", 20)):
        monkeypatch.setattr(f"trefoil.fusion.plan.without_events.{name}", value)
    plan, random = Plan(flat()), np.random.default_rng(1)
    whole, narrow = (FirstItems(plan, 60, narrow=one) for one in (False, True))
    assert (whole.narrow, narrow.narrow) == (False, True)
    for _ in range(20):
        cases = case(random.permutation(ITEMS)[:4].tolist())
        exact, found = (one.of(cases, Asked(cases, ITEMS)) for one in (whole, narrow))
        assert len(found.item) == len(exact.item) - COLD + 12
        assert set(np.flatnonzero(~plan.parts.seen)) >= set(found.item[-12:].tolist())
        score = dict(zip(exact.item.tolist(), exact.score.tolist(), strict=True))
        assert [score[one] for one in found.item.tolist()] == pytest.approx(found.score, abs=1e-4)
        cold = [score[one] for one in exact.item.tolist() if not plan.parts.seen[one]]
        kept = [score[one] for one in found.item.tolist() if not plan.parts.seen[one]]
        assert sorted(kept) == pytest.approx(sorted(cold)[-12:], abs=1e-4)


def flat():
    """Parts whose vectors lie in a plane, without a second look."""
    random, made = np.random.default_rng(2), parts(reranking=None)
    plane = table(random, 2, WIDTH)
    vectors = table(random, ITEMS, 2) @ plane
    factors = FactorForm(vectors, Summed(table(random, ITEMS, WIDTH)))
    return dataclasses.replace(made, forms=(factors, *made.forms[1:]))


def sets(items):
    return Sets.of(np.zeros(len(items), np.int64), np.array(items, np.int64), 1)


def test_of_the_best_candidates_a_list_is_told_only_while_they_hold_it(monkeypatch):
    monkeypatch.setattr("trefoil.fusion.plan.first.KEPT", 2 * SHOWN)
    plan, cases = Plan(parts(shortlist=Shortlist(60, 1.0, 1.0))), case(HISTORIES[0])
    kept = plan.first_items(cases)
    assert kept is not None
    assert len(kept.item) == 2 * SHOWN
    order = np.argsort(-plan.score(cases)[0], kind="stable")
    assert set(kept.item.tolist()) == set(order[: 2 * SHOWN].tolist())
    for closed in (0, SHOWN - 1, SHOWN):
        open_to = np.ones(ITEMS, bool)
        open_to[order[:closed]] = False
        asked = Exam(cases, sets([]), sets([]), ITEMS, "served", "all", open_to)
        told = first_of(asked, kept.item, kept.score, SHOWN, kept.least)
        if closed < SHOWN:
            assert told is not None
            assert told[0].tolist() == order[closed : closed + SHOWN].tolist()
        else:
            assert told is None  # the last one kept may be no better than one that is not


def test_a_plan_with_candidates_tells_what_events_add_as_one_without():
    short, cases, items = Shortlist(60, 1.0, 1.0), case(HISTORIES[0]), np.array([7, 120, 431])
    plan, other = Plan(parts(shortlist=short)), Plan(parts())
    assert plan.first_items(cases) is not None
    told, whole = (one.contributions(cases, items) for one in (plan, other))
    np.testing.assert_allclose(told.value, whole.value, atol=1e-5)


def test_where_candidates_cannot_be_told_all_items_are_scored():
    many = Plan(parts(share=0.3, shortlist=Shortlist(60, 1.0, 1.0)))
    for cases in (case(HISTORIES[0]), case([])):
        assert many.first_items(cases) is None
        asked = Exam(cases, sets([]), sets([]), ITEMS, "served", "all")
        assert FirstOf(many).listed(asked, SHOWN) is None
        top = np.argsort(-many.score(cases)[0], kind="stable")[:SHOWN]
        assert rank(FirstOf(many), asked, SHOWN).top[0].tolist() == top.tolist()
