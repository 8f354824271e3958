"""People who come back to items: what they take depends on where they are."""

import dataclasses

import numpy as np
import polars as pl
import pytest
import torch
from planted_shop import TINY
from small_cases import cases

from trefoil.data import EventColumns, SplitRule, dataset_of, split_events
from trefoil.evaluation.protocols.protocols import context_exam, people_return
from trefoil.evaluation.ranking import rank
from trefoil.evaluation.result import summarise
from trefoil.fusion.features.preparation import known_of
from trefoil.fusion.features.validation import Validation
from trefoil.fusion.models.fitting import FitInputs, Search
from trefoil.fusion.models.returning import Returning, fit_returning
from trefoil.fusion.recommender import Recommender
from trefoil.fusion.settings import load_settings

USERS, ITEMS, PLACES = 40, 24, ("home", "work", "road")


@pytest.fixture(scope="module")
def habits():
    """Each user takes one item at home, another at work, a third on the road; a fifth is noise."""
    rng = np.random.default_rng(0)
    favourite = rng.permuted(np.tile(np.arange(ITEMS), (USERS, 1)), axis=1)[:, : len(PLACES)]
    rows = []
    for event in range(USERS * 30):
        user, place = event % USERS, int(rng.integers(len(PLACES)))
        item = favourite[user, place] if rng.random() > 0.2 else rng.integers(ITEMS)
        day = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")[int(rng.integers(7))]
        rows.append((f"u{user}", f"i{item}", PLACES[place], day))
    frame = pl.DataFrame(rows, schema=["user", "item", "place", "day"], orient="row").unique(
        maintain_order=True
    )
    columns = EventColumns("user", "item", scenario=("place", "day"))
    return dataset_of(frame, columns, rule=SplitRule("rows"))


def test_past_events_in_the_same_context_count_more():
    asked = cases([0, 1, 1], [2])
    history = dataclasses.replace(asked.history, scenario={"place": np.array([5, 6, 6, 5])})
    here = dataclasses.replace(asked, history=history, scenario={"place": np.array([5, -1])})
    e = float(np.e)
    assert torch.allclose(Returning(4, 1.0).score(here), torch.tensor([[e, 2, 0, 0], [0, 0, 1, 0]]))
    assert torch.equal(Returning(4, 1.0).score(asked), torch.tensor([[1.0, 2, 0, 0], [0, 0, 1, 0]]))


def test_habits_are_learned_and_kept(habits, tmp_path):
    split = split_events(habits, 0)
    assert people_return(habits, split)
    recommender = Recommender(load_settings(None, TINY)).fit(habits, split=split)
    assert recommender.model.record.chosen["returning"]["pull"] > 0
    recommender.save(tmp_path / "run")
    again = Recommender.load(tmp_path / "run")
    exam = context_exam(habits, split, "test")
    found = [
        summarise("", rank(one, exam, 10), ["hit@1"]).means()["hit@1"]
        for one in (recommender, again)
    ]
    assert found[0] == found[1]
    assert found[0] > 0.5  # by frequency alone a third of four fifths
    again.add_items(pl.DataFrame({"id": ["new"], "title": ["New"], "text": [None]}))
    assert again.score(exam.cases).shape[1] == ITEMS + 1


def test_without_contexts_or_repeats_nobody_returns(habits, shop):
    assert not people_return(shop, split_events(shop, 0))
    by_ratio = split_events(habits, 0, SplitRule("ratio"))
    assert not people_return(habits, by_ratio)
    assert people_return(habits, split_events(habits, 0, SplitRule("ratio", repeats=True)))


def test_the_model_of_habits_can_be_switched_off(habits):
    recommender = Recommender(load_settings(None, [*TINY, "returning=false"])).fit(habits)
    assert recommender.model.known.returning
    assert "returning" not in recommender.model.base_models


def test_a_column_that_decides_pulls_more_than_one_of_chance(habits):
    split = split_events(habits, 0, SplitRule("rows", 0.4, 0.1))
    train, settings = habits.interactions.take(split.train), load_settings()
    known = known_of(habits, train, None, None, settings, returning=True)
    valid = Validation.of(context_exam(habits, split, "valid"), torch.ones(ITEMS, dtype=torch.bool))
    assert len(valid) > 200
    model, chosen = fit_returning(FitInputs(known, Search(valid), settings))
    assert chosen["pull of place"] > chosen["pull of day"] + 1
    plain = valid.ndcg(Returning(ITEMS, chosen["pull"]).score(valid.cases))
    assert valid.ndcg(model.score(valid.cases)) > plain + 0.02
    earlier = Search(None, {"returning": chosen})
    assert fit_returning(FitInputs(known, earlier, settings))[0] == model


def test_without_scenarios_validation_is_asked_in_no_context_either(habits):
    split = split_events(habits, 0)
    settings = load_settings(None, [*TINY, "scenarios=false", "network.on=false"])
    model = Recommender(settings).fit(habits, split=split).model
    chosen = model.record.chosen["returning"]
    assert not [name for name in chosen if name.startswith("pull of ")]
    exam = context_exam(habits, split, "valid")
    exam = dataclasses.replace(exam, cases=dataclasses.replace(exam.cases, scenario={}))
    asked = Validation.of(exam, model.seen)
    for name, one in model.base_models.items():
        assert model.record.gate[f"only {name}"] == asked.ndcg(one.score(asked.cases))
