"""What a call tells of a person: histories with ratings and times, likes and dislikes."""

from dataclasses import replace

import numpy as np
import pytest
from planted_shop import TINY, write_shop

from trefoil.data import read_dataset
from trefoil.data.errors import ConfigError
from trefoil.data.histories import Later
from trefoil.data.interactions import UNKNOWN_TIME
from trefoil.fusion.ensemble.gate import Gate
from trefoil.fusion.plan.attributes import AttributeColumn, told_rows
from trefoil.fusion.recommender import Recommender
from trefoil.fusion.settings import load_settings


def items(answer):
    return [one.item for one in answer]


def test_a_history_with_ratings_and_times_answers_as_the_same_events_would(recommender):
    told = [("i2-1", 5, 1_800_000_000), ("i2-4", None, "2027-02-01"), ("i2-7", 1.0, 1_900_000_000)]
    asked = recommender.recommend("u0", k=40, history=told, reasons=0)
    recommender.add_events(
        [{"user": "u0", "item": item, "stars": stars, "time": at} for item, stars, at in told]
    )
    after = recommender.recommend("u0", k=40, reasons=0)
    assert items(asked) == items(after)
    assert [one.score for one in asked] == pytest.approx([one.score for one in after], abs=1e-5)
    assert asked.based_on.told == 3
    assert asked.based_on.events == after.based_on.events


def test_the_times_of_a_history_put_it_in_order(served):
    early, late = ("i2-1", None, 1_800_000_000), ("i3-1", None, 1_800_000_100)
    one = served.recommend("u0", k=40, history=[early, late])
    assert served.recommend("u0", k=40, history=[late, early]) == one
    assert served.recommend("u0", k=40, history=[late, early], at=1_800_000_050) == (
        served.recommend("u0", k=40, history=[early], at=1_800_000_050)
    )


def test_what_is_told_stands_in_time_and_after_it_what_has_none(served):
    history = served.catalogue.cases(np.array([0]), {"device": np.array([-1])}).history
    times = np.array([history.at[1], UNKNOWN_TIME], np.int64)
    longer = history.followed_by(Later(np.array([7, 9]), times, np.array([3, np.nan], np.float32)))
    assert longer.item.tolist() == [*history.item[:2], 7, *history.item[2:], 9]
    assert longer.stars[2] == 3
    assert longer.scenario["device"][2] == -1


def test_low_rated_items_are_met_and_not_read_where_the_data_say_what_is_low(recommender):
    catalogue = recommender.catalogue
    columns = {**catalogue.columns, "positive_from": 3}
    recommender._state = replace(recommender.state, catalogue=replace(catalogue, columns=columns))
    answer = recommender.recommend(history=[("i2-1", 2), ("i2-4", 4)], k=40)
    assert answer.based_on.told == 1
    assert not {"i2-1", "i2-4"} & set(items(answer))


def test_likes_speak_for_a_person_as_met_items_do(served):
    liked = served.recommend(likes=["i2-1", "i2-4"], k=5)
    assert liked == served.recommend(history=["i2-1", "i2-4"], k=5)
    assert served.recommend(likes=["a film"]).based_on.unknown == ("a film",)


def test_dislikes_leave_the_item_out_and_move_what_is_like_it_down(served):
    for user in ("u1", "u2", "nobody"):
        plain = items(served.recommend(user, k=40, likes=["i0-5"]))
        answer = served.recommend(
            user, k=40, likes=["i0-5"], dislikes=["i0-1", "i0-3", "a film"], seen="hide"
        )
        assert not {"i0-1", "i0-3"} & set(items(answer))
        assert answer.based_on.unknown == ("a film",)
        left = [one for one in plain if one not in ("i0-1", "i0-3")]
        assert set(items(answer)) == set(left)
        hers = [one for one in left if one.startswith("i0-")]
        before, after = (sum(map(order.index, hers)) for order in (left, items(answer)))
        assert after > before


@pytest.mark.parametrize(
    ("history", "named"),
    [
        ([("i0-1", "good")], "rating 'good' of 'i0-1'"),
        ([("i0-1", 3, "noon")], "history: time = 'noon'"),
        ([("i0-1", 1e39)], "rating 1e.39 of 'i0-1'"),
        ([("i0-1", float("nan"))], "rating nan of 'i0-1'"),
        ([("i0-1", 3, 4, 5)], "give an id, or"),
        ([{"film": "i0-1"}], "give item, rating and time"),
        ([(None, 3)], "history None"),
    ],
)
def test_what_is_no_event_is_refused_by_name(served, history, named):
    with pytest.raises(ConfigError, match=named):
        served.recommend("u0", history=history)


def test_attributes_told_at_the_call_count_as_those_of_the_table():
    columns = (
        AttributeColumn("job", ("nurse", "pilot")),
        AttributeColumn("age", edges=(30.0, 50.0)),
    )
    known = np.array([[0.25, 0.75, 0.2, 0.5, 0.3]])
    rows, unknown = told_rows(columns, known, {"job": "nurse", "age": 30})
    assert rows.tolist() == [[1, 0, 0, 1, 0]]
    assert unknown == ()
    rows, unknown = told_rows(columns, known, {"job": ["pilot", "nurse"], "age": "old", "pets": 3})
    assert rows[0] == pytest.approx([1, 1, 0.2, 0.5, 0.3])
    assert unknown == ("age=old", "pets=3")
    assert told_rows(columns, known, {"age": 10**400})[1][0].startswith("age=1000")


def test_who_tells_the_same_of_themselves_gets_the_same_list(tmp_path):
    """A shop in which clubs love makers: a stranger is answered by the club told at the call."""
    recommender = clubs(tmp_path)
    lists = {
        club: items(recommender.recommend(about={"club": club, "age": 30}, k=5))
        for club in ("club 0", "club 1")
    }
    assert sum(one.startswith("i0-") for one in lists["club 0"]) >= 4
    assert sum(one.startswith("i1-") for one in lists["club 1"]) >= 4
    recommender.save(tmp_path / "run")
    again = Recommender.load(tmp_path / "run")
    assert items(again.recommend(about={"club": "club 0", "age": 30}, k=5)) == lists["club 0"]
    answer = again.recommend(about={"club": "chess", "pets": 2}, k=5)
    assert answer.based_on.unknown == ("club=chess", "pets=2")
    plain = again.recommend(k=5)
    assert items(answer) == items(plain)
    assert [one.score for one in answer] == pytest.approx([one.score for one in plain], rel=1e-5)
    many = again.recommend_many(["nobody"], k=5, about={"club": "club 1", "age": 30})
    assert many["item"].to_list() == lists["club 1"]


def clubs(folder):
    """The planted shop with people of two clubs, each of which loves one maker."""
    write_shop(folder / "data")
    lines = (folder / "data" / "users.csv").read_text("utf-8").splitlines()
    people = [f"u{user},club {user % 4},30" for user in range(60)]
    (folder / "data" / "users.csv").write_text("\n".join([lines[0], *people]) + "\n", "utf-8")
    changes = [*TINY, "network.on=false", "reranker=false", "rating_process=false"]
    recommender = Recommender(load_settings(None, changes)).fit(read_dataset(folder / "data"))
    gate = Gate(("demographics",), (1.0,), (1.0,))
    model = replace(recommender.model, cold_users=gate)  # whether it pays is not asked here
    recommender._state = recommender.state.with_model(model)
    return recommender


def test_a_run_that_reads_no_attributes_says_so(served):
    answer = served.recommend(about={"club": "club 0"})
    heard = served.state.scorer.attributes is not None
    assert answer.based_on.unknown == (() if heard else ("club=club 0",))
