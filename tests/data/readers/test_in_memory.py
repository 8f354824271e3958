"""Frames of a notebook become the dataset that files of the same content become."""

import pandas as pd
import polars as pl
import pytest

from trefoil import read_frames
from trefoil.data import DataError, EntityColumns, EventColumns, SplitRule

EVENTS = {
    "userId": [1, 1, 2, 2],
    "item": ["a", "b", "a", "c"],
    "Rating": [5.0, 3.0, 4.0, 1.0],
    "timestamp": [10, 20, 30, 40],
    "device": ["tv", "tv", "phone", "tv"],
}
ITEMS = {
    "id": ["a", "b", "c"],
    "title": ["A", "B", "C"],
    "description": ["one", "two", None],
    "genre": [["x", "y"], ["y"], []],
    "year": [1990, 2000, None],
}


@pytest.mark.parametrize("kind", [pl.DataFrame, pd.DataFrame])
def test_columns_mean_what_they_are_called(kind):
    triples = kind({"head": ["urn:item:a"], "relation": ["madeBy"], "tail": ["Ada"]})
    users = kind({"user": [1, 2], "job": ["nurse", "pilot"], "age": [30, 40]})
    shop = read_frames(
        kind(EVENTS), items=kind(ITEMS), users=users, triples=triples, scenario=["device"],
        positive_from=3,
    )  # fmt: skip
    assert shop.users.vocabulary.ids == ("1", "2")
    assert shop.interactions.positive.tolist() == [True, True, True, False]
    assert shop.interactions.at is not None
    assert shop.interactions.at.tolist() == [10, 20, 30, 40]
    assert shop.items.titles == ("A", "B", "C")
    assert shop.items.category["genre"].names == ("x", "y")
    assert shop.items.score["year"][:2].tolist() == [1990, 2000]
    assert set(shop.users.category) == {"job"}
    assert set(shop.users.score) == {"age"}
    assert shop.interactions.scenario["device"].names == ("phone", "tv")
    assert shop.graph is not None
    assert shop.graph.table is not None
    assert shop.graph.table.rows() == [("urn:item:a", "madeBy", "Ada")]
    assert shop.rule.by == "time"


def test_columns_can_be_said_by_hand_and_missing_ones_are_named():
    odd = pl.DataFrame(EVENTS).rename({"userId": "who", "item": "what"})
    with pytest.raises(DataError, match=r"events: which column is the user\? there is \['who'"):
        read_frames(odd)
    shop = read_frames(odd, events_as=EventColumns("who", "what"), split=SplitRule("ratio"))
    assert len(shop.interactions) == 4
    assert shop.rule.by == "ratio"
    films = pl.DataFrame(ITEMS).rename({"id": "film"})
    with pytest.raises(DataError, match="items: which column is the id"):
        read_frames(odd, events_as=EventColumns("who", "what"), items=films)
    told = EntityColumns("film", "title")
    assert read_frames(
        odd, events_as=EventColumns("who", "what"), items=films, items_as=told
    ).items.titles == ("A", "B", "C")
    with pytest.raises(DataError, match="events: a list"):
        read_frames([1, 2])
