"""A shop without events: what is near in words is near, by what the first shop taught of decay."""

import numpy as np
import pytest
from planted_shop import ALONE, write_shop

from trefoil.data import ConfigError, Vocabulary, read_dataset
from trefoil.data.items import Entities
from trefoil.fusion.recommender import Recommender
from trefoil.fusion.settings import load_settings

THEMES = ("lamp bulb light glow", "drill screw bolt wrench", "soap towel brush comb")


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    dataset = read_dataset(write_shop(tmp_path_factory.mktemp("a") / "shop", users=40, per_maker=6))
    settings = load_settings(None, [*ALONE, "network.on=false", "item_fields=true"])
    return Recommender(settings).fit(dataset)


def other_items():
    """Six items of each theme, in words that the first shop has none of."""
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.permutation(theme.split())) for theme in THEMES for _ in range(6)]
    ids = [f"{theme}-{number}" for theme in range(3) for number in range(6)]
    return Entities(Vocabulary(ids), tuple(texts), tuple(texts))


def test_a_history_of_texts_is_answered_by_texts_like_it(first, tmp_path):
    shop = first.at_new_shop(other_items(), "tools")
    answer = shop.recommend(history=["1-0", "1-3"], k=4)
    assert {one.item.split("-")[0] for one in answer} == {"1"}
    assert not {one.item for one in answer} & {"1-0", "1-3"}
    for history in (["1-0", "2-2"], ["2-2", "1-0"]):  # what came last weighs most
        assert shop.recommend(history=history, k=1)[0].item[0] == history[-1][0]
    shop.save(tmp_path / "run")
    again = Recommender.load(tmp_path / "run").recommend(history=["1-0", "1-3"], k=4)
    assert [one.item for one in again] == [one.item for one in answer]
    assert first.recommend("u1", k=1).model != shop.recommend(k=1).model


def test_nothing_of_people_or_of_popularity_goes_along(first):
    shop = first.at_new_shop(other_items())
    assert set(shop.model.base_models) <= {"text-neighbours", "field-neighbours"}
    assert not shop.model.networks
    scores = shop.recommend(k=18)  # of nobody nothing is known
    assert len({round(one.score, 6) for one in scores}) == 1


def test_a_run_that_reads_no_words_opens_no_shop(tmp_path):
    settings = load_settings(
        None, [*ALONE, "network.on=false", "text.on=false", "item_fields=false"]
    )
    dataset = read_dataset(write_shop(tmp_path / "shop", users=40, per_maker=6))
    silent = Recommender(settings).fit(dataset)
    with pytest.raises(ConfigError, match="reads texts or words"):
        silent.at_new_shop(other_items())
