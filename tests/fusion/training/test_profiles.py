"""Profiles of items and people: what the model is told, and that what it says is read."""

import numpy as np
import pytest
from planted_shop import ALONE, read_shop

from trefoil.data.split import split_events
from trefoil.fusion.recommender import Recommender
from trefoil.fusion.settings import load_settings
from trefoil.fusion.training.profiles import TASTE, item_told, taste_labels, with_profiles


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    return read_shop(tmp_path_factory.mktemp("shop") / "data")


@pytest.fixture(scope="module")
def split(shop):
    return split_events(shop, 0)


class Parrot:
    """Says again what it was told, and keeps the questions."""

    def __init__(self):
        self.asked = []

    def __call__(self, asked, _):
        self.asked += asked
        return [f"Says:\n{one.split('. ', 1)[-1]}" for one in asked]


def test_without_being_asked_for_nothing_is_written(shop, split):
    assert with_profiles(shop, split, load_settings(), None, pytest.fail) is shop


def test_profiles_follow_texts_and_people_are_told_by_training_events_alone(shop, split):
    parrot = Parrot()
    settings = load_settings(None, ["profiles.of=both", "profiles.most=10", "profiles.liked=3"])
    told = with_profiles(shop, split, settings, None, parrot)
    longer = [a != b for a, b in zip(told.items.texts, shop.items.texts, strict=True)]
    assert sum(longer) == 10
    row = longer.index(True)
    assert told.items.texts[row].startswith(shop.items.texts[row] + " Says: ")
    assert any(item_told(shop.items, row) in one for one in parrot.asked)
    assert np.count_nonzero(np.diff(told.users.category[TASTE].start)) <= 10
    train = shop.interactions.take(split.train)
    people = [one for one in parrot.asked if "taste of a person" in one]
    assert len(people) == 10
    titles = {shop.items.titles[item]: item for item in range(len(shop.items))}
    for one in people:
        liked = {titles[title] for title in one.rsplit(": ", 1)[1].rstrip(".").split("; ")}
        users = [set(train.item[(train.user == user) & train.positive]) for user in range(60)]
        assert len(liked) <= 3
        assert any(liked <= own for own in users)


def test_words_that_tell_people_apart_are_labels():
    said = ["Loves quiet jazz music", "Loves loud rock music", None, "Loves jazz a lot, music"]
    labels = taste_labels(said)
    assert set(labels.names) == {"quiet", "loud", "rock"}  # jazz is of two of three
    assert np.diff(labels.start).tolist() == [1, 2, 0, 0]


def test_a_fit_reads_what_was_written_and_the_catalogue_keeps_its_own_texts(shop, monkeypatch):
    places = ("ocean", "desert", "forest", "cities")

    def write(_, asked, *_progress):
        return [f"One of the {places[sum(map(ord, one)) % 4]}." for one in asked]

    monkeypatch.setattr("trefoil.encoders.text.writer.Writer.write", write)
    changes = [*ALONE, "network.on=false", "profiles.of=both"]
    fitted = Recommender(load_settings(None, changes)).fit(shop)
    plain = Recommender(load_settings(None, changes[:-1])).fit(shop)
    vectors = [one.model.texts.items.vectors for one in (fitted, plain)]
    assert (vectors[0] != vectors[1]).any()
    assert fitted.catalogue.items.texts == plain.catalogue.items.texts
    columns = {one.name for one in fitted.model.known.attribute_columns}
    assert columns == {"age", "club", TASTE}
