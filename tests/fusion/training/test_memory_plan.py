"""A budget of memory: what fits stays whole, what does not is cut to size and said."""

import itertools
import logging

import numpy as np
import pytest
import torch
from scipy import sparse
from small_cases import histories, random_events

from trefoil.data.interactions import Interactions
from trefoil.evaluation.baselines.linear import closed_form
from trefoil.fusion.features.training_data import TrainingData
from trefoil.fusion.models.linear_fit import (
    solve_linear,
    whole_linear,
)
from trefoil.fusion.models.linear_rows import add_gram, gram, linear_blocks
from trefoil.fusion.models.neighbours import ROWS, Similar, dense_product, random_walk
from trefoil.fusion.settings import load_settings
from trefoil.fusion.training.memory_plan import (
    NUMBER,
    SOLVING,
    base_models,
    free_gb,
    plan_memory,
)


def catalogue(items, users=50):
    """So many items, of which each person met three."""
    past = histories(*[[row, row + 1, row + 2] for row in range(users)])
    user = np.repeat(np.arange(users), 3)
    events = Interactions(user, past.item, np.ones(len(user), bool))
    return TrainingData(events, past.matrix(items), past, None, None, timed=True)


def test_a_small_catalogue_is_not_cut():
    settings = load_settings(None, [])
    plan = plan_memory(catalogue(3_000), settings, 4.0)
    assert not plan.cut
    assert plan.applied(settings) == settings


@pytest.mark.parametrize("items", [30_113, 200_000])
@pytest.mark.parametrize("budget", [1.0, 2.0, 4.0])
def test_what_is_planned_fits_the_budget(items, budget, caplog):
    settings, known = load_settings(None, []), catalogue(items)
    with caplog.at_level(logging.WARNING, "trefoil.fusion.training.memory_plan"):
        plan = plan_memory(known, settings, budget)
    table, block = NUMBER * plan.linear_items**2, NUMBER * plan.cells
    assert SOLVING * table <= budget * 1e9
    assert table + base_models(known, settings) * block <= max(
        budget * 1e9, table + base_models(known, settings) * NUMBER * items
    )
    assert plan.cells >= items  # one case at least
    assert plan.cut
    assert all(one in caplog.text for one in plan.cut)


def test_more_memory_never_cuts_more():
    settings, known = load_settings(None, []), catalogue(30_113)
    plans = [plan_memory(known, settings, budget) for budget in (1.0, 2.0, 4.0, 8.0, 64.0)]
    for less, more in itertools.pairwise(plans):
        assert less.linear_items <= more.linear_items
        assert less.cells <= more.cells
        assert less.softmax_items <= more.softmax_items
    assert plans[-1].linear_items == settings.linear.head_items


def test_the_setting_is_the_budget_and_without_it_what_is_free():
    known = catalogue(100)
    assert plan_memory(known, load_settings(None, ["memory_gb=2.5"])).budget_gb == 2.5
    assert 0 < plan_memory(known, load_settings(None, [])).budget_gb <= min(4.0, free_gb())


def test_products_in_pieces_equal_those_in_one():
    events = random_events(60, 2 * ROWS + 7, density=0.02)
    whole = (events.T @ events).toarray()
    assert np.array_equal(gram(events).numpy(), whole)
    total = torch.zeros(whole.shape)
    add_gram(total, events.toarray(), 2.0)
    assert np.allclose(total.numpy(), 2 * whole)
    turned = events.T.tocsr()
    assert np.array_equal(dense_product(turned, events).numpy(), whole)


def test_walks_in_pieces_equal_walks_in_one(monkeypatch):
    events = random_events(40, 30)
    whole = random_walk(events, keep=5)
    monkeypatch.setattr("trefoil.fusion.models.neighbours.ROWS", 7)
    pieces = random_walk(events, keep=5)
    assert isinstance(whole, Similar)
    assert sparse.issparse(whole.table)
    assert (whole.table != pieces.table).nnz == 0


def test_the_closed_form_in_the_memory_of_its_argument_is_the_closed_form():
    own = gram(random_events(40, 9))
    inverse = torch.linalg.inv(own.double() + 3.0 * torch.eye(9))
    expected = -inverse / inverse.diagonal()
    expected.fill_diagonal_(0.0)
    found = closed_form(own, 3.0)
    assert torch.allclose(found.double(), expected, atol=1e-5)
    assert found.data_ptr() == own.data_ptr()


def test_a_table_added_up_in_one_gives_the_same_linear_model_as_its_blocks(recommender):
    known = recommender.model.known
    chosen = {"ridge": 20.0, "facts": 2.0, "text": 3.0}
    kept = np.arange(40)
    one = whole_linear(known, chosen, kept)
    other = solve_linear(linear_blocks(known, kept), chosen, kept, 40)
    assert torch.allclose(one.weights, other.weights, atol=1e-3)
