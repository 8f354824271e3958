"""What many met, ever and lately, by hand; a fashion that training saw begin."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import torch
from planted_shop import TINY, read_shop
from small_cases import cases, histories

from trefoil.data import SplitRule
from trefoil.data.histories import Cases
from trefoil.data.interactions import DAY_S, UNKNOWN_TIME, Interactions
from trefoil.fusion.features.training_data import TrainingData
from trefoil.fusion.models.popularity import Popularity, asked_later, popular
from trefoil.fusion.recommender import Recommender
from trefoil.fusion.settings import load_settings


def test_popularity_is_the_same_for_everyone_and_zero_without_events():
    scores = Popularity(torch.tensor([0.0, np.e - 1, 9.0])).score(cases([0], [1, 2]))
    assert torch.allclose(scores[0], torch.tensor([0.0, 1.0, float(np.log(10))]))
    assert torch.equal(scores[0], scores[1])


def known(*met, days=None):
    """Four items, one history per list, with the day of each event (None: no time)."""
    past = histories(*met)
    if days is not None:
        at = [UNKNOWN_TIME if day is None else day * DAY_S for day in days]
        past = replace(past, at=np.array(at, np.int64))
    user = np.repeat(np.arange(len(past)), past.lengths)
    events = Interactions(user, past.item, np.ones(len(user), bool), at=past.at)
    return TrainingData(events, past.matrix(4), past, None, None, timed=days is not None)


def test_an_event_loses_half_its_weight_in_a_half_life():
    found = popular(known([0, 1], [1, 2, 1], days=[0, 10, 20, None, 20]), half_life=10.0)
    assert found.events.tolist() == [0.25, 2.5, 0.0, 0.0]  # twice by one, once without a time
    assert found.half_life == 10


def test_without_a_half_life_each_person_counts_once():
    assert popular(known([0, 1, 1], [1, 2])).events.tolist() == [1.0, 2.0, 1.0, 0.0]


@pytest.mark.parametrize(
    ("days", "asked", "later"),
    [
        ([0, 5], [6, 9], True),
        ([0, None], [1, 1], True),
        ([0, 5], [6, 5], False),  # one is asked among the events of training
        ([None, None], [6, 6], False),
        ([0, 5], None, False),
        (None, [6, 6], False),
    ],
)
def test_lately_means_something_where_all_are_asked_after_training(days, asked, later):
    at = None if asked is None else np.array(asked) * DAY_S
    questions = Cases(np.arange(2), histories([], []), at)
    assert asked_later(known([0], [1], days=days), questions) == later


def shop_of_seasons(folder, seasons):
    """A shop in which everyone buys from the maker of the season, equally long each."""
    shop = read_shop(folder / "data", users=80)
    rng, count = np.random.default_rng(0), 600
    season = np.arange(count) * len(seasons) // count
    maker = np.array(seasons)[season]
    at = np.arange(count, dtype=np.int64) * DAY_S // 10
    user = np.arange(count) % 10 + 10 * season
    made_by = np.array([int(name[1]) for name in shop.items.vocabulary.ids])
    item = np.array([rng.choice(np.flatnonzero(made_by == one)) for one in maker])
    events = Interactions(user, item, np.ones(count, bool), at=at)
    return replace(shop, interactions=events, rule=SplitRule("time", 0.1, 0.1))


@pytest.fixture(scope="module")
def fashions(tmp_path_factory):
    """The last season begins within training and lasts through validation and test."""
    return shop_of_seasons(tmp_path_factory.mktemp("fashions"), (0, 0, 1, 1, 2, 2, 3, 3))


def test_people_never_seen_get_what_is_in_fashion(fashions, tmp_path):
    found = {}
    for lately in ("true", "false"):
        settings = load_settings(None, [*TINY, "network.on=false", f"lately={lately}"])
        recommender = Recommender(settings).fit(fashions)
        assert ("recent-popularity" in recommender.model.base_models) == (lately == "true")
        answers = recommender.recommend("nobody", k=8)
        found[lately] = sum(one.item.startswith("i3") for one in answers)
        recommender.save(tmp_path / lately)
        assert Recommender.load(tmp_path / lately).recommend("nobody", k=8) == answers
    assert found["true"] == 8
    assert found["false"] <= 5  # 8 of 40 items, 10 in fashion: 2 by chance, deviation 1.1


def test_a_fashion_that_is_over_is_not_heard(tmp_path):
    """Training ends with the second maker, and validation asks for the first again."""
    shop = shop_of_seasons(tmp_path, (0, 0, 0, 0, 0, 1, 0, 0))
    settings = load_settings(None, [*TINY, "network.on=false"])
    assert "recent-popularity" not in Recommender(settings).fit(shop).model.base_models


def test_a_random_split_hears_nothing_of_fashion(fashions):
    settings = load_settings(None, [*TINY, "network.on=false"])
    random = replace(fashions, rule=SplitRule("ratio"))
    assert "recent-popularity" not in Recommender(settings).fit(random).model.base_models


def test_items_added_later_are_in_nobodys_past(fashions):
    settings = load_settings(None, [*TINY, "network.on=false"])
    recommender = Recommender(settings).fit(fashions)
    before = recommender.model.base_models["recent-popularity"]
    assert isinstance(before, Popularity)
    recommender.add_items(pl.DataFrame({"id": ["new"], "text": ["jazz taxi"]}))
    after = recommender.model.base_models["recent-popularity"]
    assert isinstance(after, Popularity)
    assert torch.equal(after.events[:-1], before.events)
    assert float(after.events[-1]) == 0.0
    assert after.half_life == before.half_life
