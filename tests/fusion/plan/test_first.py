"""First items of a large catalogue: taken from candidates, with the scores of the whole plan."""

import numpy as np
import pytest
from scipy import sparse

from trefoil.data.histories import Cases, Histories
from trefoil.fusion.plan.asked import Asked
from trefoil.fusion.plan.first import FirstItems
from trefoil.fusion.plan.forms import DenseRows, FactorForm, ProfileForm, SameForAll, SparseRows
from trefoil.fusion.plan.known import Shortlist
from trefoil.fusion.plan.parts import Parts
from trefoil.fusion.plan.plan import Plan
from trefoil.fusion.plan.queries import Summed
from trefoil.fusion.plan.reranking import Marks, Reranking

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
    exact, found = plan.score(cases), FirstItems(plan, size).scores(cases, Asked(cases, ITEMS))
    assert found is not None
    top = best(exact, history)
    assert best(found, history).tolist() == top.tolist()
    assert found[0, top] == pytest.approx(exact[0, top], abs=1e-4)
    candidates = found > found.min()
    assert COLD < candidates.sum() < ITEMS
    assert candidates[0, ~plan.parts.seen].all()


def test_a_plan_with_candidates_tells_what_events_add_as_one_without():
    short, cases, items = Shortlist(60, 1.0, 1.0), case(HISTORIES[0]), np.array([7, 120, 431])
    plan, other = Plan(parts(shortlist=short)), Plan(parts())
    plan.first_scores(cases)
    told, whole = (one.contributions(cases, items) for one in (plan, other))
    np.testing.assert_allclose(told.value, whole.value, atol=1e-5)


def test_where_candidates_cannot_be_told_all_items_are_scored():
    many = Plan(parts(share=0.3, shortlist=Shortlist(60, 1.0, 1.0)))
    for cases in (case(HISTORIES[0]), case([])):
        assert many.first_scores(cases).tolist() == many.score(cases).tolist()
