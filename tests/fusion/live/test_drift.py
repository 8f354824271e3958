"""Drift is told where it was planted, and nowhere else."""

import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from trefoil.fusion.live.drift import divergence, drift_of, scripts
from trefoil.fusion.live.languages import language_of, languages
from trefoil.fusion.live.seen_answers import Seen


def as_learned(recommender, count, rng):
    """Events that repeat those of training."""
    events, catalogue = recommender.catalogue.events, recommender.catalogue
    rows = rng.choice(np.flatnonzero(catalogue.part == 0), count)
    return [
        {
            "user": catalogue.users[events.user[row]],
            "item": catalogue.items.vocabulary[events.item[row]],
            "stars": float(events.stars[row]),
        }
        for row in rows.tolist()
    ]


def level(drift, name):
    return next(one.level for one in drift.findings if one.name == name)


def test_more_of_the_same_is_quiet(recommender):
    assert recommender.drift().findings == ()
    recommender.add_events(as_learned(recommender, 300, np.random.default_rng(0)))
    drift = recommender.drift()
    assert drift.events == 300
    assert {
        "new_users_share",
        "cold_items_share",
        "popularity_shift",
        "unknown_items_share",
    } <= set(drift.numbers())
    assert drift.level == "quiet"
    assert json.loads(json.dumps(drift.told()))["level"] == "quiet"


def test_each_kind_of_drift_is_told_by_its_name(recommender):
    rng = np.random.default_rng(0)
    same = as_learned(recommender, 200, rng)
    recommender.add_events([{**one, "user": f"n{at}"} for at, one in enumerate(same)])
    drift = recommender.drift()
    assert level(drift, "new_users_share") == "alarm"
    assert level(drift, "popularity_shift") == "quiet"
    recommender.add_events(
        [{"user": f"u{at % 60}", "item": "i3-7", "stars": 5} for at in range(2000)]
    )
    drift = recommender.drift()
    assert level(drift, "popularity_shift") == "alarm"
    assert level(drift, "new_users_share") == "quiet"
    recommender.add_events([{"user": "u1", "item": f"x{at}"} for at in range(600)])
    assert level(recommender.drift(), "unknown_items_share") == "alarm"


def test_ratings_that_fall_are_told_in_their_own_spreads(recommender):
    told = as_learned(recommender, 200, np.random.default_rng(0))
    recommender.add_events([{**one, "stars": 1 + at % 2} for at, one in enumerate(told)])
    drift = recommender.drift()
    assert level(drift, "stars_bias") == "alarm"
    text = next(one.text for one in drift.findings if one.name == "stars_bias")
    stars = float(text.split()[3])  # the spread of as many ones as twos is .5
    assert drift.numbers()["stars_bias"] == pytest.approx(stars / 0.5, abs=0.02)


def test_ratings_are_expected_from_what_was_known_before_they_came(recommender):
    catalogue = recommender.catalogue
    people, item = np.arange(60), catalogue.items.vocabulary.rows(["i3-7"])[0]
    none = catalogue.scenario_codes(None, len(people))
    expected = recommender.state.scorer.stars(catalogue.cases(people, none))[:, item]
    stars = 1.0 + people % 2
    one = {"item": "i3-7"}
    told = zip(people.tolist(), stars.tolist(), strict=True)
    recommender.add_events([{**one, "user": catalogue.users[u], "stars": s} for u, s in told])
    found = recommender.drift().numbers()["stars_bias"]
    assert found == pytest.approx((expected - stars).mean() / stars.std(), abs=1e-3)


def test_texts_in_another_language_of_one_script_are_told():
    stories = {
        "English": "The story of a man and his {} in the city",
        "German": "Die Geschichte von einem Mann und seinem {} in der Stadt",
        "French": "Un homme et son {} dans la ville, avec tous les autres",
        "Spanish": "La historia de un hombre y su {} en la ciudad",
        "Italian": "La storia di un uomo con il {} nella città",
        "Portuguese": "Um homem e seu {} em uma cidade que não dorme",
        "Dutch": "Het verhaal van een man met de {} in de stad",
        "Russian": "Он не мог вернуться в город и на {}",
        "Japanese": "海の物語と{}の嵐",
        "Chinese": "大海的故事与{}风暴",
    }
    for name, text in stories.items():
        assert language_of(text.format("Rex")) == name
    assert language_of("Heat") is None
    english, german = (
        languages(stories[one].format(at) for at in range(10)) for one in ("English", "German")
    )
    assert (english, german) == ({"English": 10}, {"German": 10})


@pytest.mark.parametrize(("text", "expected"), [(0, "quiet"), (1, "alarm")], ids=["same", "other"])
def test_a_catalogue_whose_new_texts_are_in_another_language_alarms(recommender, text, expected):
    told = ("the wolf of the forest and its {}", "der Wolf und die {} sind nicht im Wald")
    state = recommender.state
    old = tuple(told[0].format(at) for at in range(len(state.catalogue.items)))
    items = replace(state.catalogue.items, texts=old)
    recommender.become(replace(state, catalogue=replace(state.catalogue, items=items)))
    fresh = {
        "id": [f"z{at}" for at in range(12)],
        "text": [told[text].format(at) for at in range(12)],
    }
    recommender.add_items(pl.DataFrame(fresh))
    drift = recommender.drift()
    assert level(drift, "text_language_shift") == expected
    assert level(drift, "text_scripts_shift") == "quiet"
    assert ("German" in " ".join(drift.sentences)) == bool(text)


def test_texts_in_another_script_are_told(recommender):
    fresh = pl.DataFrame({"id": [f"z{at}" for at in range(12)], "text": ["大海的故事与风暴"] * 12})
    recommender.add_items(fresh)
    drift = recommender.drift()
    assert level(drift, "text_scripts_shift") == "alarm"
    assert "mostly cjk" in " ".join(drift.sentences)
    assert scripts(["abc, déf", "да"]) == {"LATIN": 6, "CYRILLIC": 2}


def test_answers_are_counted_and_nobody_is_kept(recommender):
    seen = Seen()
    for at in range(60):
        user = "u1" if at % 2 else "nobody"
        seen.saw(recommender.recommend(user, k=3, reasons=0), 3)
    drift = drift_of(recommender.state, seen)
    assert drift.answers == 60
    assert drift.numbers()["cold_answers_share"] == 0.5
    assert level(drift, "cold_answers_share") == "watch"
    assert "nobody" not in str(vars(seen))


def test_divergence_by_hand():
    one = np.array([1.0, 1.0])
    assert divergence(one, 5 * one) == 0.0
    assert abs(divergence(np.array([1.0, 0.0]), np.array([0.0, 2.0])) - 1.0) < 1e-12


def test_texts_are_not_read_where_none_came_to_compare_them_with(recommender, monkeypatch):
    # of a catalogue of thousands that takes seconds, at each look
    monkeypatch.delattr("trefoil.fusion.live.drift.languages")
    assert "text_language_shift" not in drift_of(recommender.state).numbers()
