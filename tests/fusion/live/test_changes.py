"""Items are described anew and facts come and go: at once, durably, and first as a preview."""

import json

import numpy as np
import pytest

from trefoil.data.errors import DataError, GraphDataError, UnknownId
from trefoil.fusion.recommender import Recommender
from trefoil.kg.graph import ITEM

NEW = {"user": "stranger", "item": "i2-1", "time": 1_800_000_000, "stars": 5, "device": "tv"}


def scores(recommender):
    """Of one who met one thing of maker 2."""
    rows = recommender.catalogue.items.vocabulary.rows(["i2-1"])
    none = recommender.catalogue.scenario_codes(None, 1)
    return recommender.state.scorer.score(recommender.catalogue.cases(np.array([-1]), none, rows))[
        0
    ]


def maker_of(recommender, item):
    """The triple that says who made an item."""
    graph = recommender.graph
    for way, edges in graph.edges.items():
        if way[0] == ITEM and way[1].endswith("MADE_BY"):
            row = graph.nodes[ITEM].vocabulary.row(item)
            end = edges.target[edges.source == row]
            if len(end):
                return (item, way[1], graph.nodes[way[2]].vocabulary[int(end[0])])
    raise AssertionError(item)


def test_a_fact_that_goes_lowers_the_item_and_comes_back(recommender):
    before, row = scores(recommender), recommender.catalogue.items.vocabulary.row("i2-4")
    told = recommender.remove_triples([fact := maker_of(recommender, "i2-4")])
    assert told.items == ("i2-4",)
    assert told.state == recommender.state.token
    assert scores(recommender)[row] < before[row] - 0.01
    reasons = recommender.recommend(history=["i2-1"], only=["i2-4"], reasons=9)[0].reasons
    assert not any(edge.type == fact[1] for one in reasons for edge in one.edges)
    recommender.add_triples([fact])
    np.testing.assert_allclose(scores(recommender), before, atol=1e-5)


def test_an_item_made_by_another_moves_to_those_who_love_that_one(recommender):
    item, other = "i0-5", maker_of(recommender, "i2-1")
    place = recommender.catalogue.items.vocabulary.row(item)
    before = scores(recommender)[place]
    recommender.remove_triples([maker_of(recommender, item)])
    recommender.add_triples([(item, *other[1:])])
    assert scores(recommender)[place] > before


def test_words_and_numbers_change_at_once_and_none_leaves_them(recommender):
    catalogue = recommender.catalogue
    before, row = scores(recommender), catalogue.items.vocabulary.row("i0-5")
    text = catalogue.items.texts[catalogue.items.vocabulary.row("i2-1")]
    told = recommender.change_items(
        [{"id": "i0-5", "title": "Another", "text": text, "price": None}]
    )
    assert told.items == ("i0-5",)
    after = recommender.catalogue.items
    assert (after.title(row), after.texts[row]) == ("Another", text)
    np.testing.assert_array_equal(after.score["price"], catalogue.items.score["price"])
    assert scores(recommender)[row] > before[row]
    assert recommender.recommend(history=["i2-1"], only=["i0-5"])[0].title == "Another"
    recommender.change_items([{"id": "i0-5", "price": 3.5}])
    assert recommender.catalogue.items.score["price"][row] == np.float32(3.5)


def test_a_preview_tells_which_lists_change_and_changes_nothing(recommender):
    state, fact = recommender.state, maker_of(recommender, "i2-4")
    told = recommender.remove_triples([fact], preview=True)
    assert recommender.state is state
    assert told.state == state.token
    lists = told.lists
    assert lists.people == len(recommender.catalogue.users)
    users = list(recommender.catalogue.users.ids)
    before = recommender.recommend_many(users)
    recommender.remove_triples([fact])
    after = recommender.recommend_many(users)
    changed = [
        user
        for user in users
        if before.filter(user=user)["item"].to_list() != after.filter(user=user)["item"].to_list()
    ]
    assert lists.changed == len(changed) > 0
    assert set(lists.users) <= set(changed)
    gone = sum(
        "i2-4" in before.filter(user=user)["item"] and "i2-4" not in after.filter(user=user)["item"]
        for user in users
    )
    assert lists.leaving.get("i2-4", 0) == gone
    assert json.loads(json.dumps(told.told()))["lists"]["changed"] == lists.changed


def test_what_was_changed_is_there_after_a_load_and_in_a_saved_run(run, tmp_path):
    recommender = Recommender.load(run)
    fact = maker_of(recommender, "i2-4")
    recommender.remove_triples([fact])
    recommender.change_items([{"id": "i0-5", "text": "ocean sailor", "price": 9.0}])
    recommender.add_triples([("i0-5", *fact[1:]), ("i0-5", fact[1], "someone new")])
    recommender.add_events([NEW])
    expected = scores(recommender)
    recommender.save(tmp_path / "other")
    recommender.close()
    for place in (run, tmp_path / "other"):
        again = Recommender.load(place)
        np.testing.assert_allclose(scores(again), expected, atol=1e-5)
        assert again.recommend("stranger", k=9) == recommender.recommend("stranger", k=9)
        with pytest.raises(GraphDataError, match="does not say so"):
            again.remove_triples([fact])


@pytest.mark.parametrize(
    ("given", "fault", "said"),
    [
        ([{"id": "no", "title": "x"}], UnknownId, "unknown item 'no'"),
        ([{"title": "x"}], DataError, "row 1 has no id"),
        ([{"id": "i0-5", "colour": "x"}], DataError, "no column 'colour'; there is title"),
        ([{"id": "i0-5", "price": "x"}], DataError, "price has values that are no numbers"),
        (
            [{"id": "i0-5", "price": float("inf")}],
            DataError,
            "price has values that are not fin",
        ),
        ([{"id": "i0-5", "price": "1e99"}], DataError, "price has values that are not fin"),
        ([{"id": "i0-5"}, {"id": "i0-5"}], DataError, "'i0-5' comes twice"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(recommender, given, fault, said):
    before = recommender.state
    with pytest.raises(fault, match=said):
        recommender.change_items(given)
    assert recommender.state is before


def test_words_that_are_numbers_are_words(recommender):
    recommender.change_items([{"id": "i0-5", "title": 1984, "text": 7}])
    items = recommender.catalogue.items
    row = items.vocabulary.row("i0-5")
    assert (items.titles[row], items.texts[row]) == ("1984", "7")
