"""The linear base model against plain algebra, and planted companions."""

import numpy as np
import pytest
import torch
from scipy import sparse
from small_cases import cases, histories, random_events, table

from trefoil.data.interactions import Interactions
from trefoil.evaluation.baselines.linear import closed_form
from trefoil.fusion.features.training_data import TrainingData
from trefoil.fusion.models.linear import Linear
from trefoil.fusion.models.linear_rows import DROPPED, event_rows, fact_rows, gram, linear_blocks


def regression(events, ridge):
    """Column j: ridge regression of item j on all the others, one system per item."""
    products = (events.T @ events).toarray().astype(float)
    items = len(products)
    weights = np.zeros((items, items))
    for item in range(items):
        others = np.arange(items) != item
        left = products[np.ix_(others, others)] + ridge * np.eye(items - 1)
        weights[others, item] = np.linalg.solve(left, products[others, item])
    return weights


@pytest.mark.parametrize("ridge", [0.5, 20.0])
def test_the_closed_form_is_ridge_regression_of_each_item_on_the_others(ridge):
    events = random_events(40, 8)
    found = closed_form(gram(events), ridge)
    assert np.allclose(found.numpy(), regression(events, ridge), atol=1e-4)
    assert not found.diagonal().any()


def test_the_closed_form_by_hand():
    # G = [[2, 1], [1, 2]], ridge 1: regressing one item on the other gives 1 / (2 + 1).
    found = closed_form(torch.tensor([[2.0, 1.0], [1.0, 2.0]]), 1.0)
    assert torch.allclose(found, torch.tensor([[0.0, 1 / 3], [1 / 3, 0.0]]))


def test_blocks_of_rows_add_up_to_the_stacked_rows():
    events, facts = random_events(20, 5), random_events(7, 5, seed=1)
    stacked = np.concatenate([events.toarray(), facts.toarray()])
    together = gram(events, facts)
    assert np.allclose(together.numpy(), stacked.T @ stacked)
    assert torch.equal(gram(events, facts.toarray()), together)
    with pytest.raises(ValueError, match="no rows"):
        gram()


def only_events(events):
    """What base models are fitted from, where there are events alone."""
    past = histories(*(row.indices.tolist() for row in events))
    pairs = Interactions(*map(np.asarray, events.nonzero()), np.ones(events.nnz, bool))
    return TrainingData(pairs, events, past, None, None, timed=False)


def test_a_row_of_sixteen_events_counts_for_four_of_one(monkeypatch):
    monkeypatch.setattr("trefoil.fusion.features.training_data.DENSE", 1.0)
    events = sparse.csr_matrix(np.array([[1, 0] + 15 * [0], [0] + 16 * [1]], np.float32))
    found = event_rows(only_events(events))
    assert found[0, 0] / found[1, 1] == pytest.approx(2.0)  # squared 4: 16 ** -.5 is a quarter
    assert float(found.multiply(found).sum()) == pytest.approx(17.0)


@pytest.mark.parametrize("dense", [False, True])
def test_dense_events_are_learned_as_if_some_were_dropped(monkeypatch, dense):
    """Products of rows whose events are dropped and made up for: the diagonal alone is larger."""
    monkeypatch.setattr("trefoil.fusion.features.training_data.DENSE", 1.0 if dense else 1e9)
    events = random_events(40, 6)
    known = only_events(events)
    found = linear_blocks(known, np.arange(6))
    if not dense:
        assert torch.equal(found["events"], gram(events))
        return
    weighed, rng = event_rows(known), np.random.default_rng(0)
    rows = weighed.toarray()
    share = DROPPED / (1 + DROPPED)
    kept = (rng.random((20_000, *rows.shape)) >= share) / (1 - share)
    mean = np.einsum("tui,tuj->ij", kept * rows, kept * rows, optimize=True) / len(kept)
    assert bool((found["events"].diagonal() > 1.1 * gram(weighed).diagonal()).all())
    assert np.allclose(found["events"].numpy(), mean, atol=0.15)
    assert np.allclose(found["events"].fill_diagonal_(0), gram(weighed).fill_diagonal_(0))


def whole(weights, decay=0.0):
    """The base model in which all items take part."""
    return Linear(weights, np.arange(len(weights)), len(weights), decay)


def test_scores_are_the_rows_of_the_history_added_up():
    weights = torch.arange(9.0).reshape(3, 3)
    scores = whole(weights).score(cases([0, 2], [], [1, 1]))
    assert torch.equal(scores[0], weights[0] + weights[2])
    assert not scores[1].any()
    assert torch.equal(scores[2], weights[1])  # an item met twice counts once


def test_decay_weighs_the_newest_most():
    weight = histories([5, 6, 7], [], [8]).recency(2.0)
    assert np.allclose(weight, [np.exp(-1), np.exp(-0.5), 1.0, 1.0])
    scores = whole(torch.eye(3), decay=1.0).score(cases([0, 1], [1, 0], [1, 0, 1]))
    e = float(np.exp(-1))
    expected = torch.tensor([[e, 1.0, 0.0], [1.0, e, 0.0], [e, 1 + e * e, 0.0]])
    assert torch.allclose(scores, expected)


def test_the_order_of_a_history_matters_only_under_decay():
    weights = closed_form(gram(random_events(30, 6)), 5.0)
    forth, back = cases([0, 1, 2]), cases([2, 1, 0])
    assert torch.allclose(whole(weights).score(forth), whole(weights).score(back))
    recent = whole(weights, decay=1.0)
    assert not torch.allclose(recent.score(forth), recent.score(back))


def test_asking_leaves_the_history_as_it_was():
    asked = cases([2, 0, 2], [1])
    before = asked.history.item.copy()
    whole(torch.eye(3), decay=1.0).score(asked)
    assert np.array_equal(asked.history.item, before)


def test_items_that_do_not_take_part_are_neither_heard_nor_scored():
    weights = torch.tensor([[0.0, 2.0], [3.0, 0.0]])
    part = Linear(weights, np.array([1, 3]), 4)
    scores = part.score(cases([0, 1, 2], [3], [0]))
    assert torch.equal(scores, torch.tensor([[0.0, 0, 0, 2], [0, 3, 0, 0], [0, 0, 0, 0]]))


def test_facts_weigh_by_the_root_of_how_many_share_them():
    rows = fact_rows(table([1, 0], [1, 1], [1, 0], [1, 0])).toarray()
    assert np.allclose(rows, [[0.5, 0.5, 0.5, 0.5], [0.0, 1.0, 0.0, 0.0]])


def test_planted_companions_are_found_and_noise_is_not():
    """Items 2k and 2k + 1 are always taken together; item 20 is taken at random."""
    rng = np.random.default_rng(0)
    pairs = (rng.random((400, 10)) < 0.3).repeat(2, axis=1)
    noise = rng.random((400, 1)) < 0.3
    weights = closed_form(gram(np.concatenate([pairs, noise], 1).astype(np.float32)), 10.0)
    for item in range(20):
        assert int(weights[item].argmax()) == item ^ 1
        assert weights[item, item ^ 1] > 0.8
    assert weights[20].abs().max() < 0.1


def test_facts_speak_for_an_item_without_events():
    """Item 3 was never taken, but shares a fact with item 0 alone."""
    events = random_events(50, 4, seed=2).toarray()
    events[:, 3] = 0
    facts = table([1, 0], [0, 1], [0, 1], [1, 0])
    plain = whole(closed_form(gram(events), 5.0)).score(cases([0], [1]))
    told = whole(closed_form(gram(events, 9 * fact_rows(facts)), 5.0)).score(cases([0], [1]))
    assert not plain[:, 3].any()
    assert told[0, 3] > 0.3
    assert told[0, 3] > told[1, 3] + 0.3
