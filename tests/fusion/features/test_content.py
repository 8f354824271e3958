"""What content says of items without events: against the formula, planted kinds and noise."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import sparse
from small_cases import cases, histories

from trefoil.data.interactions import Interactions
from trefoil.encoders.view import View
from trefoil.fusion.features import content
from trefoil.fusion.features.content import Content, carried
from trefoil.fusion.features.training_data import TrainingData
from trefoil.fusion.features.validation import Validation
from trefoil.fusion.models.als import factorise
from trefoil.fusion.models.fitting import Search
from trefoil.fusion.settings import load_settings
from trefoil.fusion.training.add_items import grown_known
from trefoil.fusion.training.model_selection import fit_base_models
from trefoil.kg.item_facts import Facts

USERS, ITEMS, COLD = 90, 36, 9
KIND = np.arange(ITEMS) % 3


def kinds(kind):
    """One fact per kind of item, and one that all share."""
    table = np.concatenate([np.eye(3, dtype=np.float32)[kind], np.ones((ITEMS, 1), np.float32)], 1)
    rows = np.arange(4)
    entities = tuple(("Kind", row) for row in range(4))
    return Facts(sparse.csr_matrix(table), np.zeros(4, np.int64), rows, ("KIND",), entities)


def world(*, facts=True, text=False, numbers=False, kind=KIND):
    """People take items of one kind; the last items have no events."""
    rng = np.random.default_rng(0)
    likes = np.where((np.arange(USERS) % 3)[:, None] == KIND, 0.6, 0.05)
    table = rng.random((USERS, ITEMS)) < likes
    table[:, -COLD:] = False
    matrix = sparse.csr_matrix(table.astype(np.float32))
    user, item = table.nonzero()
    events = Interactions(user, item, np.ones(len(user), bool))
    read = None
    if text:
        words = rng.normal(0, 0.3, (ITEMS, 8)) + np.eye(3, 8)[kind]
        read = View(torch.from_numpy(words).float(), torch.ones(ITEMS, dtype=torch.bool))
    past = histories(*(np.flatnonzero(row).tolist() for row in table))
    told = {"year": (1990 + 10 * kind + rng.integers(0, 3, ITEMS)).astype(np.float32)}
    parts = kinds(kind) if facts else None, read
    return TrainingData(events, matrix, past, *parts, timed=False, numbers=told if numbers else {})


def found(known):
    """Scores of the factors for one person of each kind, with the items without events."""
    base_model = factorise(known.matrix, width=8, ridge=5.0, alpha=5.0, seed=1)
    base_model = replace(base_model, carried=carried(base_model.items, known))
    return base_model.score(
        cases(*([int(i) for i in np.flatnonzero(KIND[:20] == k)] for k in range(3)))
    )


@pytest.mark.parametrize("told", ["facts", "text", "numbers", "facts text", "facts text numbers"])
def test_new_items_come_to_those_who_like_their_kind(told):
    parts = {name: name in told.split() for name in ("facts", "text", "numbers")}
    cold = found(world(**parts))[:, -COLD:]
    own = torch.from_numpy(KIND[-COLD:] == np.arange(3)[:, None])
    assert cold[own].min() > cold[~own].max()


def test_facts_of_other_items_say_nothing():
    mixed = np.random.default_rng(5).permutation(KIND)
    right, wrong = (found(world(kind=kind))[:, -COLD:] for kind in (KIND, mixed))
    own = torch.from_numpy(KIND[-COLD:] == np.arange(3)[:, None])
    gap = right[own].mean() - right[~own].mean()
    assert wrong[own].mean() - wrong[~own].mean() < 0.5 * gap


@pytest.mark.parametrize("teachers", [4, 20, 3000], ids=["few", "most", "all"])
def test_the_map_is_kernel_ridge_regression(monkeypatch, teachers):
    monkeypatch.setattr(content, "TEACHERS", teachers)
    known = world(text=True)
    vectors = torch.randn(ITEMS, 5, generator=torch.Generator().manual_seed(2))
    counts = np.asarray(known.matrix.sum(0)).ravel()
    taught = np.sort(np.argsort(-counts, kind="stable")[: min(teachers, ITEMS - COLD)])
    every = np.arange(ITEMS)
    whole = Content.of(known).likeness(every, every).double().numpy()
    left = whole[np.ix_(taught, taught)] + content.NOISE * np.eye(len(taught))
    expected = whole[-COLD:][:, taught] @ np.linalg.solve(left, vectors.double().numpy()[taught])
    told = carried(vectors, known)
    assert np.allclose(told[-COLD:].numpy(), expected, atol=1e-4)
    assert not told[:-COLD].any()


def test_likeness_by_hand():
    known = world(text=True)
    rows, text = np.array([0, 3, 4]), known.text.vectors.double()
    table = Content.of(known).likeness(rows, rows)
    # Items 0 and 3 share a kind, 0 and 4 only the fact that all share, which weighs nothing.
    for column, shared in ((1, 1.0), (2, 0.0)):
        cosine = torch.cosine_similarity(text[0], text[(0, 3, 4)[column]], dim=0)
        assert float(table[0, column]) == pytest.approx(0.4 + 0.6 * shared + 0.2 * float(cosine))


def test_numbers_are_near_by_their_ranks():
    known = world(facts=False)
    year, price = np.arange(ITEMS, dtype=np.float32), np.full(ITEMS, 7, np.float32)
    year[5], price[6:] = np.nan, np.nan
    table = Content.of(replace(known, numbers={"year": year, "price": price})).likeness(
        *[np.arange(ITEMS)] * 2
    )
    apart = 2 / (ITEMS - 1) / content.NEAR  # items 1 and 3, of 35 with a year
    both = 0.4 + 0.15 * np.exp(-(apart**2) / 2) + 0.15  # all share, year, price
    assert float(table[1, 3]) == pytest.approx(both, rel=1e-5)
    assert float(table[5, 4]) == pytest.approx(0.4 + 0.15)  # no year: the price alone
    assert float(table[5, 7]) == pytest.approx(0.4)  # nothing that both have
    assert torch.linalg.eigvalsh(table.double()).min() > -1e-6
    times = Content.of(replace(known, numbers={"year": np.exp(year / 9), "price": price}))
    assert torch.allclose(times.likeness(*[np.arange(ITEMS)] * 2), table)  # ranks alone count


def test_numbers_of_added_items_are_ranked_among_those_of_training():
    year = np.arange(ITEMS, dtype=np.float32)
    known = replace(world(facts=False), numbers={"year": year})
    extended = grown_known(known, 2, None, None, {"year": np.array([17.0, np.nan], np.float32)})
    rows = np.arange(ITEMS)
    before, after = Content.of(known).likeness(rows, rows), Content.of(extended)
    assert torch.equal(after.likeness(rows, rows), before)
    assert torch.equal(after.likeness(np.array([ITEMS]), rows), before[17:18])
    assert float(after.likeness(np.array([ITEMS + 1]), rows).max()) == pytest.approx(0.4)


def test_without_facts_and_texts_nothing_is_carried():
    known = world(facts=False)
    assert carried(torch.ones(ITEMS, 3), known) is None


def test_scores_of_items_with_events_stay_as_they_were():
    known = world()
    base_model = factorise(known.matrix, width=4, seed=1)
    asked = cases([0, 3], [1], [])
    plain = base_model.score(asked)
    both = replace(base_model, carried=carried(base_model.items, known)).score(asked)
    assert torch.equal(both[:, :-COLD], plain[:, :-COLD])
    assert not plain[:, -COLD:].any()
    assert both[0, -COLD:].abs().min() > 0


def test_the_fitted_factors_carry():
    known = world()
    some = cases([0, 3], [1, 4])
    relevant = torch.zeros(2, ITEMS, dtype=torch.bool)
    relevant[:, 6] = True
    seen = torch.arange(ITEMS) < ITEMS - COLD
    validation = Validation(some, torch.zeros_like(relevant), relevant, seen)
    fitted = fit_base_models(known, Search(validation), load_settings(), print)
    cold = fitted.models["factors"].score(some)[:, -COLD:]
    assert cold.abs().min() > 0
