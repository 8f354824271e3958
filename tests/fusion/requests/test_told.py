"""What a call tells of a person: histories with ratings and times, likes and dislikes."""

import numpy as np
import pytest

from trefoil.data.errors import ConfigError
from trefoil.data.histories import Later
from trefoil.data.interactions import UNKNOWN_TIME


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


def test_the_times_of_a_history_put_it_in_order(recommender):
    early, late = ("i2-1", None, 1_800_000_000), ("i3-1", None, 1_800_000_100)
    one = recommender.recommend("u0", k=40, history=[early, late])
    assert recommender.recommend("u0", k=40, history=[late, early]) == one
    assert recommender.recommend("u0", k=40, history=[late, early], at=1_800_000_050) == (
        recommender.recommend("u0", k=40, history=[early], at=1_800_000_050)
    )


def test_what_is_told_stands_in_time_and_after_it_what_has_none(recommender):
    history = recommender.catalogue.cases(np.array([0]), {"device": np.array([-1])}).history
    times = np.array([history.at[1], UNKNOWN_TIME], np.int64)
    longer = history.followed_by(Later(np.array([7, 9]), times, np.array([3, np.nan], np.float32)))
    assert longer.item.tolist() == [*history.item[:2], 7, *history.item[2:], 9]
    assert longer.stars[2] == 3
    assert longer.scenario["device"][2] == -1


def test_low_rated_items_are_met_and_not_read_where_the_data_say_what_is_low(recommender):
    from dataclasses import replace

    catalogue = recommender.catalogue
    columns = {**catalogue.columns, "positive_from": 3}
    recommender._state = replace(recommender.state, catalogue=replace(catalogue, columns=columns))
    answer = recommender.recommend(history=[("i2-1", 2), ("i2-4", 4)], k=40)
    assert answer.based_on.told == 1
    assert not {"i2-1", "i2-4"} & set(items(answer))


def test_likes_speak_for_a_person_as_met_items_do(recommender):
    liked = recommender.recommend(likes=["i2-1", "i2-4"], k=5)
    assert liked == recommender.recommend(history=["i2-1", "i2-4"], k=5)
    assert recommender.recommend(likes=["a film"]).based_on.unknown == ("a film",)


def test_dislikes_leave_the_item_out_and_move_what_is_like_it_down(recommender):
    def place(answer, maker):
        return np.mean([at for at, one in enumerate(items(answer)) if one.startswith(maker)])

    for user in ("u0", "u4", "u8"):
        plain = recommender.recommend(user, k=40)
        disliked = recommender.recommend(user, k=40, dislikes=["i0-1", "i0-3", "a film"])
        assert not {"i0-1", "i0-3"} & set(items(disliked))
        assert place(disliked, "i0-") > place(plain, "i0-")
        assert disliked.based_on.unknown == ("a film",)
    assert place(recommender.recommend(k=40, dislikes=["i0-1", "i0-3"]), "i0-") > place(
        recommender.recommend(k=40), "i0-"
    )


@pytest.mark.parametrize(
    ("history", "named"),
    [
        ([("i0-1", "good")], "rating 'good' of 'i0-1'"),
        ([("i0-1", 3, "noon")], "history: time = 'noon'"),
        ([("i0-1", 3, 4, 5)], "give an id, or"),
        ([{"film": "i0-1"}], "give item, rating and time"),
        ([(None, 3)], "history None"),
    ],
)
def test_what_is_no_event_is_refused_by_name(recommender, history, named):
    with pytest.raises(ConfigError, match=named):
        recommender.recommend("u0", history=history)
