"""What an event adds to a score: exactly what is lost without it, for models that add events up."""

import numpy as np
import pytest
from scipy import sparse

from trefoil.data.histories import Cases, Histories
from trefoil.fusion.plan.asked import Asked
from trefoil.fusion.plan.contributions import SUMS, Influence
from trefoil.fusion.plan.forms import DenseRows, FactorForm, ProfileForm, SameForAll, SparseRows
from trefoil.fusion.plan.groups import Group
from trefoil.fusion.plan.queries import Propagated, Solved, Summed

ITEMS, WIDTH = 12, 4
random = np.random.default_rng(0)


def table(*shape):
    return random.normal(size=shape).astype(np.float32)


def thin(*shape):
    return sparse.csr_matrix(table(*shape) * (random.random(shape) < 0.4))


def case(items):
    history = Histories(np.array([0, len(items)]), np.array(items, np.int64))
    return Cases(np.array([-1]), history)


FORMS = {
    "linear": DenseRows(table(ITEMS, ITEMS), np.arange(ITEMS), ITEMS),
    "decayed": DenseRows(table(ITEMS, ITEMS), np.arange(ITEMS), ITEMS, decay=2.0),
    "some items": DenseRows(table(5, 5), np.array([0, 3, 4, 7, 9]), ITEMS),
    "sparse": SparseRows(thin(ITEMS, ITEMS), decay=1.5),
    "profile": ProfileForm(thin(ITEMS, 7)),
    "sum": FactorForm(table(ITEMS, WIDTH), Summed(table(ITEMS, WIDTH))),
}


@pytest.mark.parametrize("order", [np.arange(ITEMS), random.permutation(ITEMS)], ids=["own", "new"])
@pytest.mark.parametrize("name", FORMS)
def test_the_oldest_event_adds_what_is_lost_without_it(name, order):
    form = FORMS[name].ordered(order)
    history, shown = [3, 9, 0, 4], np.array([1, 4, 7, 11])
    groups = [Group(slice(0, ITEMS), np.ones(1), 0.0)]
    told = Influence([form], groups).of(Asked(case(history), ITEMS), shown, np.ones((1, 1)))
    whole, rest = np.empty((2, 1, ITEMS), np.float32)
    form.fill(Asked(case(history), ITEMS), whole)
    form.fill(Asked(case(history[1:]), ITEMS), rest)
    lost = (whole - rest)[0]
    lost -= lost.mean()  # what raises all items alike moves none
    at = int(np.flatnonzero(told.seen == 3)[0])
    np.testing.assert_allclose(told.value[:, at], lost[shown], atol=2e-5)


def test_factors_are_taken_apart_given_their_system():
    query = Solved(table(ITEMS, WIDTH), ridge=0.3, alpha=2.0)
    form, asked = FactorForm(query.items, query), Asked(case([2, 5, 8]), ITEMS)
    groups = [Group(slice(0, ITEMS), np.ones(1), 0.0)]
    told = Influence([form], groups).of(asked, np.arange(ITEMS), np.ones((1, 1)))
    scores = np.empty((1, ITEMS), np.float32)
    form.fill(asked, scores)
    np.testing.assert_allclose(told.value.sum(1), (scores - scores.mean())[0], atol=1e-4)


def test_what_was_learned_of_a_person_and_what_all_get_is_no_events_share():
    known = Propagated(table(2, WIDTH), table(ITEMS, WIDTH), 0.5, {})
    form = FactorForm(table(ITEMS, WIDTH + 1), known)
    history = Histories(np.array([0, 2]), np.array([1, 2]))
    groups = [Group(slice(0, ITEMS), np.ones(2), 0.0)]
    both = Influence([form, SameForAll(table(ITEMS))], groups)
    asked = Asked(Cases(np.array([1]), history), ITEMS)
    assert not both.of(asked, np.arange(3), np.ones((1, 2))).value.any()
    nobody = Asked(Cases(np.array([-1]), history), ITEMS)
    assert both.of(nobody, np.arange(3), np.ones((1, 2))).value.all()


def test_items_without_events_are_measured_against_their_own_group():
    form = FORMS["linear"]
    groups = [Group(slice(0, 8), np.ones(1), 0.0), Group(slice(8, ITEMS), np.full(1, 3.0), 0.0)]
    scale = np.array([[2.0], [0.5]])
    told = Influence([form], groups).of(Asked(case([3]), ITEMS), np.array([1, 10]), scale)
    row = form.weights[3]
    expected = [2.0 * (row[1] - row[:8].mean()), 1.5 * (row[10] - row[8:].mean())]
    np.testing.assert_allclose(told.value[:, 0], expected, atol=1e-5)
    assert all(isinstance(one, SUMS) for one in FORMS.values())
