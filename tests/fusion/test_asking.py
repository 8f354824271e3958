"""Given items in order, pairs, people for an item, nodes of the graph."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from trefoil.data.errors import ConfigError, DataError, UnknownId


def items(answer):
    return [one.item for one in answer]


def test_given_items_are_ranked_as_a_list_would_be(served):
    whole = items(served.recommend("u0", k=40, seen="show"))
    some = ["i3-3", "i0-1", "i1-1", "gone"]
    answer = served.rank("u0", some)
    assert items(answer) == [one for one in whole if one in some]
    assert answer.based_on.unknown == ("gone",)
    assert answer.dropped.short == 1
    phone = served.rank("u0", some, scenario={"device": "phone"}, reasons=1)
    assert phone[0].reasons
    assert items(served.rank("u0", some, k=2)) == items(answer)[:2]
    with pytest.raises(ConfigError, match="leave only out"):
        served.rank("u0", some, only=["i0-1"])
    with pytest.raises(ConfigError, match="no 'wher'"):
        served.rank("u0", some, wher={})


@pytest.mark.parametrize("kind", [list, pl.DataFrame, pd.DataFrame])
def test_pairs_are_scored_in_their_order(served, kind):
    pairs = [("u1", "i0-1"), ("u0", "i3-3"), ("u1", "gone"), ("nobody", "i0-1"), ("u1", "i0-2")]
    columns = {"user": [one for one, _ in pairs], "item": [one for _, one in pairs]}
    table = served.score(pairs if kind is list else kind(columns))
    assert isinstance(table, pd.DataFrame if kind is pd.DataFrame else pl.DataFrame)
    assert list(table.columns) == ["user", "item", "score", "stars"]
    for user, item, score in zip(*columns.values(), table["score"], strict=True):
        found = {one.item: one for one in served.recommend(user, k=40, seen="show", reasons=0)}
        if item == "gone":
            assert score is None or np.isnan(score)
        else:
            assert score == pytest.approx(found[item].score, abs=1e-4)
    assert 1 <= table["stars"][0] <= 5


def test_pairs_in_small_batches_score_the_same(served, monkeypatch):
    from trefoil.fusion import asking

    pairs = [(f"u{(7 * n) % 60}", f"i{n % 4}-{n % 10}") for n in range(80)]
    whole = served.score(pairs)
    monkeypatch.setattr(asking, "BATCH_CELLS", 90)
    again = served.score(pairs)
    assert again["score"].to_numpy() == pytest.approx(whole["score"].to_numpy(), abs=1e-4)
    assert again["stars"].to_numpy() == pytest.approx(whole["stars"].to_numpy(), abs=1e-4)


def test_what_are_no_pairs_is_refused(served):
    with pytest.raises(DataError, match="no column 'item'"):
        served.score(pl.DataFrame({"user": ["u0"]}))
    for name in ("score", "stars"):
        with pytest.raises(DataError, match=f"a column '{name}' of its own; rename"):
            served.score(pl.DataFrame({"user": ["u0"], "item": ["i0-1"], name: [1.0]}))
    with pytest.raises(DataError, match=r"give \(user, item\)"):
        served.score([("u0", "i0-1", 3)])
    with pytest.raises(DataError, match=r"give \(user, item\)"):
        served.score(["u0", "u1"])


def test_an_item_finds_people_who_love_its_maker(served):
    table = served.users_for("i2-3", k=8)
    assert table.columns == ["user", "rank", "probability"]
    whole = served.users_for("i2-3", k=15, seen="show")["user"].to_list()
    assert sum(int(one[1:]) % 4 == 2 for one in whole) >= 13  # 15 of 60 people love the maker
    fresh = [one for one in whole if one in set(served.users_for("i2-3", k=60)["user"])]
    assert table["user"].to_list()[: len(fresh)] == fresh  # who met the item is left out
    assert table["probability"].is_sorted(descending=True)
    assert 0 < table["probability"].sum() < 8
    everyone = served.users_for("i2-3", k=100)
    met = 60 - len(everyone)
    assert met > 0
    assert len(served.users_for("i2-3", k=100, seen="show")) == 60
    assert set(served.users_for("i2-3", among=["u2", "u3", "x"], seen="show")["user"]) == {
        "u2",
        "u3",
    }
    with pytest.raises(UnknownId):
        served.users_for("gone")


def test_nodes_of_the_graph_are_recommended_with_items_that_speak_for_them(served):
    label = next(
        name for name, nodes in served.graph.nodes.items()
        if name not in ("User", "Item") and "Ada" in (nodes.properties["name"].to_list())
    )  # fmt: skip
    for user, maker in (("u0", "Ada"), ("u1", "Grace"), ("u6", "Emmy")):
        found = served.recommend_nodes(user, label, k=2)
        assert found[0].name == maker
        assert found[0].score > found[1].score
        assert all(one.startswith(f"i{int(user[1:]) % 4}-") for one in found[0].items)
    assert served.recommend_nodes("nobody", label, k=1)
    with pytest.raises(UnknownId, match="no label 'Robot'"):
        served.recommend_nodes("u0", "Robot")
    with pytest.raises(UnknownId, match="no label 'User'"):
        served.recommend_nodes("u0", "User")


def test_a_removed_item_speaks_for_no_node(recommender):
    before = recommender.recommend_nodes("u0", "Entity", k=20)[0]
    assert before.name == "Ada"
    recommender.remove_items(before.items)
    after = {one.name: one for one in recommender.recommend_nodes("u0", "Entity", k=20)}
    assert not {item for one in after.values() for item in one.items} & set(before.items)
    recommender.remove_items([f"i0-{number}" for number in range(10)])
    assert "Ada" not in {one.name for one in recommender.recommend_nodes("u0", "Entity", k=20)}
