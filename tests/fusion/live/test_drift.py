"""Drift is told where it was planted, and nowhere else."""

import json

import numpy as np
import polars as pl
import pytest

from trefoil.fusion.live.drift import divergence, drift_of, scripts
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
