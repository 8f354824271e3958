"""For every kind of data: saved, read in a fresh process, and asked again, all is the same."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from asked import K
from small_worlds import WORLDS

from trefoil.fusion.recommender import Recommender

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


@pytest.fixture(scope="module")
def again(fitted):
    """The same questions to the same runs in a process of its own."""
    runs = [str(run) for _, run, _, _ in fitted.values()]
    told = subprocess.run(
        [sys.executable, str(HERE / "asked.py"), *runs],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    return json.loads(told.stdout)


@pytest.mark.parametrize("world", WORLDS)
def test_a_fresh_process_answers_as_before_saving(world, fitted, again):
    before, after = fitted[world][3], again[world]
    # The blocks of added items are solved anew, where sums round by the place of arrays.
    assert after.pop("added scores") == pytest.approx(before.pop("added scores"), abs=1e-4)
    # So are queries that a run holds of people beforehand: made of many at once.
    assert after.pop("one scores") == pytest.approx(before.pop("one scores"), abs=1e-5)
    for question, answer in before.items():
        assert after[question] == answer, question


@pytest.mark.parametrize("world", WORLDS)
def test_people_get_what_the_exam_judged(world, fitted):
    _, run, tops, _ = fitted[world]
    recommender = Recommender.load(run)
    assert tops
    equal = 0
    for user, context, items in tops:
        answer = recommender.recommend(user, k=K, scenario=context, before="test", reasons=0)
        equal += [one.item for one in answer] == items
    assert equal == len(tops)


@pytest.mark.parametrize("world", WORLDS)
def test_nothing_met_is_recommended_unless_people_return(world, fitted):
    dataset, run, _, _ = fitted[world]
    recommender = Recommender.load(run)
    users, items = dataset.users.vocabulary, dataset.items.vocabulary
    events = dataset.interactions
    met = set(zip(events.user.tolist(), events.item.tolist(), strict=True))
    table = recommender.recommend_many(users.ids, k=K)
    rows = zip(users.rows(table["user"]).tolist(), items.rows(table["item"]).tolist(), strict=True)
    again = sum(pair in met for pair in rows)
    assert (again > 0) == (world in ("contexts", "staples"))


def test_what_is_saved_holds_every_event_with_all_that_is_known_of_it(fitted):
    for dataset, run, _, _ in fitted.values():
        kept, events = Recommender.load(run).catalogue, dataset.interactions
        assert np.array_equal(kept.events.user, events.user)
        assert np.array_equal(kept.events.item, events.item)
        for name in ("stars", "at"):
            one, other = getattr(kept.events, name), getattr(events, name)
            assert (one is None) == (other is None)
            assert one is None or np.array_equal(one, other, equal_nan=True)
        for name, column in events.scenario.items():
            assert kept.events.scenario[name].names == column.names
            assert np.array_equal(kept.events.scenario[name].codes, column.codes)
        for name, labels in dataset.items.category.items():
            assert np.array_equal(kept.items.category[name].codes, labels.codes)
            assert kept.items.category[name].names == labels.names
        for name, numbers in dataset.items.score.items():
            assert np.array_equal(kept.items.score[name], numbers, equal_nan=True)


@pytest.mark.parametrize("world", WORLDS)
def test_reasons_that_a_run_holds_are_those_found_now(world, fitted, monkeypatch):
    _, run, tops, _ = fitted[world]
    held, asking = Recommender.load(run, live=False), Recommender.load(run, live=False)
    assert held.state.scorer.parts.reasons.graph == held.paths.index.digest
    users = list({user for user, _, _ in tops})[:20]
    told = [held.recommend(user, K) for user in users]
    assert not len(held.state.held.reasons)  # what the run holds is not kept twice
    monkeypatch.setattr("trefoil.fusion.explaining.reasons.known_reasons", lambda *_: {})
    for user, before in zip(users, told, strict=True):
        now = {one.item: one.reasons for one in asking.recommend(user, K)}
        for one in before:
            assert [evidence(own) for own in one.reasons] == [
                evidence(own) for own in now[one.item]
            ]


def evidence(reason):
    return reason.text, reason.nodes, reason.edges, pytest.approx(reason.adds, abs=1e-4)
