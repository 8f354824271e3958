"""What every listed base model keeps to: scores, state, new items, and what it says it reads."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from scipy import sparse

from trefoil.data.histories import Cases, Histories
from trefoil.data.interactions import Categorical, Interactions
from trefoil.data.items import Entities
from trefoil.data.vocabulary import Vocabulary
from trefoil.encoders.view import View
from trefoil.fusion.features.fields import fields_of
from trefoil.fusion.features.training_data import TrainingData
from trefoil.fusion.models.base import (
    OF_AN_ITEM,
    READABLE,
    needs_no_history,
    tells_new_items_apart,
)
from trefoil.fusion.models.fitting import Search
from trefoil.fusion.models.listed import BASE_MODELS, models_with_items
from trefoil.fusion.runs.model_state import get_models, put_models
from trefoil.fusion.settings import load_settings
from trefoil.fusion.training.add_items import grown_known
from trefoil.fusion.training.model_selection import fit_base_models
from trefoil.kg.item_facts import Facts

USERS, ITEMS, EVENTS, KINDS = 40, 24, 8, 3
NAMES = [line.name for line in BASE_MODELS]
GIVEN = {
    **{name: {} for name in NAMES},
    "linear": {"ridge": 30.0, "facts": 2.0, "text": 4.0},
    "linear-recent": {"decay": 2.0},
    "factors": {"ridge": 5.0, "alpha": 5.0},
    "co-occurrence": {"decay": 2.0, "backward": 0.3, "basket": 1.0},
    "nearest-texts": {"decay": 2.0},
    "field-neighbours": {"decay": 2.0},
    "returning": {"pull": 1.0},
    "recent-popularity": {"half_life": 7.0},
    "rating-process": {"rounds": 2.0},
}


@pytest.fixture(scope="module")
def known():
    """Something of everything: times, contexts, ratings, facts, texts, numbers, attributes."""
    rng = np.random.default_rng(0)
    kind = np.arange(ITEMS) % KINDS
    user = np.repeat(np.arange(USERS), EVENTS)
    item = (rng.integers(0, ITEMS // KINDS - 1, len(user)) * KINDS + user % KINDS) % ITEMS
    events = Interactions(
        user,
        item,
        np.ones(len(user), bool),
        stars=rng.integers(1, 6, len(user)).astype(np.float32),
        at=np.arange(len(user)) * 40_000,
        scenario={"place": Categorical(rng.integers(0, 2, len(user)), ("home", "away"))},
    )
    facts = Facts(
        sparse.csr_matrix(np.eye(KINDS, dtype=np.float32)[kind]),
        np.zeros(KINDS, np.int64),
        np.arange(KINDS),
        ("KIND",),
        tuple(("Kind", row) for row in range(KINDS)),
    )
    words = torch.from_numpy(rng.normal(size=(ITEMS, 4)).astype(np.float32))
    history = Histories.of(events, USERS)
    people = np.vstack([np.eye(4)[np.arange(USERS) % 4], np.full((1, 4), 0.25)])
    return TrainingData(
        events,
        history.matrix(ITEMS),
        history,
        facts,
        View(words, torch.ones(ITEMS, dtype=torch.bool)),
        timed=True,
        returning=True,
        numbers={"year": (1990.0 + kind).astype(np.float32)},
        attributes=sparse.csr_matrix(people.astype(np.float32)),
        fields=filed([f"kind{one} {one}{row % 5}" for row, one in enumerate(kind)]),
    )


def filed(texts):
    """Words as training data hold them."""
    vocabulary = Vocabulary([str(row) for row in range(len(texts))])
    return fields_of(Entities(vocabulary, texts=tuple(texts)))


@pytest.fixture(scope="module")
def models(known):
    """All that are listed, fitted with numbers as given."""
    settings = load_settings(
        changes=["cooccurrence=true", "item_fields=true", "nearest_texts=true"]
    )
    fitted = fit_base_models(known, Search(None, GIVEN), settings, lambda _: None)
    assert list(fitted.models) == NAMES
    return fitted.models


def test_what_an_earlier_fit_took_is_fitted_again_where_its_rule_would_now_leave_it_out(known):
    many = replace(known, matrix=sparse.csr_matrix(np.ones((USERS, ITEMS), np.float32)))
    settings, taken = load_settings(), {"co-occurrence": GIVEN["co-occurrence"]}
    assert settings.cooccurrence == "auto"
    assert many.dense
    assert "co-occurrence" in fit_base_models(known, Search(None, GIVEN), settings, print).models
    assert [*fit_base_models(many, Search(None, taken), settings, print).models] == [*taken]


@pytest.fixture(scope="module")
def asked(known):
    """Some users with their histories, and the context of now."""
    users = np.array([0, 1, 2, 7])
    return Cases(users, known.history.take(users), None, {"place": np.array([0, 1, 0, 1])})


def with_new(known, *, text=0.0, graph=0, numbers=1990.0, fields="kind0 00"):
    """The training data with one item more."""
    row = np.eye(KINDS, dtype=np.float32)[[graph]]
    words = torch.cat([known.text.vectors, torch.tensor([[1.0, text, 0.0, 0.0]])])
    view = View(words, torch.ones(ITEMS + 1, dtype=torch.bool))
    years = {"year": np.array([numbers], np.float32)}
    return grown_known(known, 1, view, row, years, filed([fields]))


@pytest.mark.parametrize("name", NAMES)
def test_scores_are_finite_one_for_each_case_and_item(models, asked, name):
    scores = models[name].score(asked)
    assert scores.shape == (len(asked), ITEMS)
    assert torch.isfinite(scores).all()
    assert scores.std() > 0
    nobody = Cases(np.array([-1]), Histories(np.zeros(2, np.int64), np.zeros(0, np.int64)))
    assert torch.isfinite(models[name].score(nobody)).all()


@pytest.mark.parametrize("name", NAMES)
def test_a_model_made_of_its_state_says_the_same(models, known, asked, name):
    tensors = {}
    values = json.loads(json.dumps(put_models(tensors, models)))
    again = get_models(tensors, values, known)
    assert torch.equal(again[name].score(asked), models[name].score(asked))
    assert again[name].reads == models[name].reads


def test_models_that_share_tensors_store_and_hold_them_once(models, known):
    tensors = {}
    again: Any = get_models(tensors, put_models(tensors, models), known)
    assert not [name for name in tensors if name.startswith("linear-recent")]
    assert again["linear-recent"].weights is again["linear"].weights
    extended: Any = models_with_items(models, with_new(known), ITEMS)
    assert extended["linear-recent"].weights is extended["linear"].weights
    assert (extended["linear"].decay, extended["linear-recent"].decay) == (0.0, 2.0)


@pytest.mark.parametrize("name", NAMES)
def test_items_that_come_later_move_no_other(models, known, asked, name):
    extended = models_with_items(models, with_new(known), ITEMS)[name].score(asked)
    assert extended.shape == (len(asked), ITEMS + 1)
    assert torch.isfinite(extended).all()
    assert torch.allclose(extended[:, :ITEMS], models[name].score(asked), atol=1e-5)


@pytest.mark.parametrize("source", sorted(OF_AN_ITEM))
@pytest.mark.parametrize("name", NAMES)
def test_what_describes_a_new_item_is_heard_by_those_that_read_it(
    models, known, asked, name, source
):
    other = {"text": 3.0, "graph": 1, "numbers": 1992.0, "fields": "kind1 10"}[source]
    one, two = (
        models_with_items(models, with_new(known, **told), ITEMS)[name]
        for told in ({}, {source: other})
    )
    assert one.reads <= READABLE
    differ = not torch.allclose(one.score(asked)[:, -1], two.score(asked)[:, -1], atol=1e-6)
    assert differ == (source in one.reads)
    assert tells_new_items_apart(one) or not differ


def changed(asked, what):
    """The same queries with something else of the user."""
    past = asked.history
    if what == "events":
        return replace(asked, history=replace(past, item=(past.item + 1) % ITEMS))
    if what == "order":  # pairs of item and context stay together
        turned = past.scenario["place"][::-1].copy()
        back = replace(past, item=past.item[::-1].copy(), scenario={"place": turned})
        back = back.take(np.arange(len(asked))[::-1])
        return replace(asked, history=replace(back, at=past.at))
    if what == "context":
        return replace(asked, scenario={"place": 1 - asked.scenario["place"]})
    return replace(asked, user=asked.user + 1)  # other attributes, other ratings given


@pytest.mark.parametrize("what", ["events", "order", "context", "user"])
@pytest.mark.parametrize("name", NAMES)
def test_what_a_model_does_not_read_changes_no_score(models, asked, name, what):
    model = models[name]
    reads = bool(model.reads & {"attributes", "stars"}) if what == "user" else what in model.reads
    same = torch.allclose(model.score(changed(asked, what)), model.score(asked), atol=1e-5)
    assert same != reads


def test_those_that_need_no_history_are_the_demographic_and_the_popular_ones(models):
    found = {name for name, model in models.items() if needs_no_history(model)}
    assert found == {"demographics", "popularity", "recent-popularity"}


def test_the_networks_read_what_they_say(recommender):
    base_models, users = recommender.model.base_models, np.full(4, -1)
    past = recommender.model.known.history.take(np.arange(4))
    asked = Cases(users, past, None, {"device": np.array([0, 1, 0, 1])})
    turned = replace(past, item=past.item[::-1].copy()).take(np.arange(4)[::-1])
    queries = {
        "events": replace(asked, history=replace(past, item=(past.item + 1) % 40)),
        "order": replace(asked, history=replace(turned, at=past.at)),
        "context": replace(asked, scenario={"device": 1 - asked.scenario["device"]}),
    }
    for name in ("network", "behaviour"):
        for what, other in queries.items():
            same = torch.allclose(
                base_models[name].score(other), base_models[name].score(asked), atol=1e-5
            )
            assert same != (what in base_models[name].reads), (name, what)
    assert base_models["network"].reads >= {"graph", "text"}
    assert not tells_new_items_apart(base_models["behaviour"])
