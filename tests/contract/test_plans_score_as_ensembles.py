"""The arrays that a run is served from say what the ensemble says, for every kind of data."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from asked import NEW
from small_worlds import WORLDS

from trefoil.data.domains import DOMAIN
from trefoil.data.histories import Cases, Histories
from trefoil.fusion.ensemble.compiled import parts_of, plan_of, uncompiled
from trefoil.fusion.plan.asked import FEW, Asked
from trefoil.fusion.plan.plan import Plan
from trefoil.fusion.plan.storage import has_plan, read_plan, write_plan
from trefoil.fusion.recommender import Recommender

ROOT = Path(__file__).parents[2]
NEAR = 1e-4


def cases_of(recommender: Recommender) -> Cases:
    """Every user with and without a context, and people never seen with and without a past."""
    catalogue = recommender.catalogue
    users = np.arange(len(catalogue.users))
    asked = np.concatenate([users, users, [-1, -1]])
    codes = {
        name: np.arange(len(asked)) % (len(values) + 1) - 1
        for name, values in catalogue.scenarios.items()
    }
    whole = catalogue.cases(asked, codes)
    told = np.array([len(catalogue.items) - 1, 0, 2])
    start = np.append(whole.history.start[:-1], whole.history.start[-1] + len(told))
    none = Histories(
        start,
        np.append(whole.history.item, told),
        None if whole.history.at is None else np.append(whole.history.at, [0, 5, 9]),
        None,
        {n: np.append(one, [-1, -1, -1]) for n, one in whole.history.scenario.items()},
    )
    return Cases(whole.user, none, whole.at, whole.scenario)


def same_lists(one: np.ndarray, other: np.ndarray, k: int = 10) -> bool:
    """Whether the first items of each row agree, but where scores are as good as equal."""
    first, second = (np.argsort(-table, axis=1, kind="stable")[:, :k] for table in (one, other))
    ahead = np.take_along_axis(one, first, 1) - np.take_along_axis(one, second, 1)
    return bool(((first == second) | (np.abs(ahead) < NEAR)).all())


@pytest.mark.parametrize("world", WORLDS)
def test_a_saved_plan_scores_as_the_ensemble_that_it_was_made_from(world, fitted, monkeypatch):
    recommender = Recommender.load(fitted[world][1], live=False)
    plan, ensemble = recommender.state.scorer, recommender.state.model
    assert has_plan(fitted[world][1])
    assert not uncompiled(ensemble)
    cases = cases_of(recommender)
    expected = ensemble.score(cases).numpy()
    assert expected.std(1).min() > 0
    together = plan.score(cases)
    alone = np.concatenate([plan.score(cases.take(np.array([n]))) for n in range(len(cases))])
    monkeypatch.setattr("trefoil.fusion.plan.plan.LARGE", 1)
    by_all_columns = plan.score(cases)
    monkeypatch.setattr("trefoil.fusion.plan.said_of_many.SPARSE", 2.0)
    by_entries, fresh = plan.score(cases), Plan(plan.parts)
    large = np.concatenate([fresh.score(cases.take(np.array([n]))) for n in range(len(cases))])
    ahead = Plan(plan.parts)
    ahead.score_together([cases.take(np.array([n])) for n in range(len(cases))])
    assert len(ahead._scores) == len({cases.take(np.array([n])).digest for n in range(len(cases))})
    kept = np.concatenate([ahead.score(cases.take(np.array([n]))) for n in range(len(cases))])
    assert len(cases) > FEW
    for found in (together, alone, by_all_columns, by_entries, large, kept):
        assert found == pytest.approx(expected, abs=NEAR)
        assert same_lists(expected, found)
    stars = ensemble.stars(cases)
    found = plan.stars(cases)
    assert (stars is None) == (found is None)
    if stars is not None and found is not None:
        assert found == pytest.approx(stars.numpy(), abs=NEAR)
        assert plan.stars(cases, np.array([3, 1])) == pytest.approx(found[:, [3, 1]], abs=NEAR)


@pytest.mark.parametrize("scenarios", [True, False])
def test_a_domain_with_weights_of_its_own_is_asked_by_them(scenarios, fitted, tmp_path):
    recommender = Recommender.load(fitted["shops"][1], live=False)
    ensemble, rng = recommender.model, np.random.default_rng(0)
    count = len(ensemble.gate.base_models)
    within = tuple(tuple(rng.random(count).tolist()) for _ in recommender.catalogue.domains)
    settings = ensemble.settings.model_copy(update={"scenarios": scenarios})
    gate = replace(ensemble.gate, within=within)
    ensemble = replace(ensemble, gate=gate, settings=settings)
    cases = cases_of(recommender)
    assert set(cases.scenario[DOMAIN].tolist()) == {-1, 0, 1}
    expected = ensemble.score(cases).numpy()
    write_plan(parts_of(ensemble), tmp_path, ())
    plan = Plan(read_plan(tmp_path))
    alone = [plan.score(cases.take(np.array([n]))) for n in range(len(cases))]
    for found in (plan.score(cases), np.concatenate(alone)):
        assert found == pytest.approx(expected, abs=NEAR)
        assert same_lists(expected, found)
    picked = rng.integers(0, plan.items, (len(cases), 3))
    for name, share in plan.shares(cases, picked).items():  # of all domains together
        told = [plan.shares(cases.take(np.array([n])), own)[name] for n, own in enumerate(picked)]
        assert share == pytest.approx(np.concatenate(told), abs=NEAR)
    for code, warm in enumerate(within):
        rows = np.flatnonzero(cases.scenario[DOMAIN] == code)
        part = cases.take(rows)
        usual = replace(ensemble, gate=replace(ensemble.gate, warm=warm, within=()))
        assert expected[rows] == pytest.approx(usual.score(part).numpy(), abs=NEAR)
        blended = sum(plan.shares(part.take(np.array([0])), np.arange(4)).values())
        assert blended == pytest.approx(
            sum(plan_of(usual).shares(part.take(np.array([0])), np.arange(4)).values()), abs=NEAR
        )


@pytest.mark.parametrize("world", ["contexts", "everything"])
def test_what_is_known_of_a_person_beforehand_holds_until_something_is_told(world, fitted):
    recommender = Recommender.load(fitted[world][1], live=False)
    catalogue, plan = recommender.catalogue, recommender.state.scorer
    known, anew = plan.parts.known, Plan(replace(plan.parts, known=None))
    assert known is not None
    codes = catalogue.scenario_codes(None, 1)
    for row in range(len(catalogue.users)):
        cases = catalogue.cases(np.array([row]), codes)
        assert known.of(cases) == row
        made = np.concatenate(
            [form.query.of(Asked(cases, plan.items)) for form in factors(plan)], 1
        )
        assert known.queries[[row]] == pytest.approx(made, abs=1e-5)
        assert plan.score(cases) == pytest.approx(anew.score(cases), abs=NEAR)
    assert known.of(catalogue.cases(np.array([-1]), codes)) is None
    assert known.of(catalogue.cases(np.array([1]), codes, np.array([0]))) is None
    for name in codes:
        assert known.of(catalogue.cases(np.array([1]), {**codes, name: np.array([0])})) is None
    user, item = catalogue.users[1], catalogue.items.vocabulary[2]
    recommender.add_events([{"user": user, "item": item, "time": 2_000_000_000}])
    state = recommender.state
    assert state.scorer.parts.known is not None
    assert state.scorer.parts.known.of(state.catalogue.cases(np.array([1]), codes)) is None
    assert state.scorer.parts.known.of(state.catalogue.cases(np.array([2]), codes)) is not None


def factors(plan):
    """The factor forms of a plan, in its order."""
    return [plan.parts.forms[place] for place in plan._factors]


@pytest.mark.parametrize("world", ["plain", "everything"])
@pytest.mark.parametrize("like_cold", [False, True])
def test_a_plan_ranks_added_items_as_the_ensemble_does(world, like_cold, fitted):
    recommender = Recommender.load(fitted[world][1], live=False).add_items(NEW)
    ensemble = recommender.model
    assert ensemble.added is not None
    if like_cold:
        seen = ensemble.seen.clone()
        seen[:4] = False
        ensemble = replace(ensemble, seen=seen, added=replace(ensemble.added, like_cold=True))
    cases = cases_of(recommender)
    expected = ensemble.score(cases).numpy()
    found = plan_of(ensemble).score(cases)
    assert found == pytest.approx(expected, abs=NEAR)
    assert same_lists(expected, found)


def test_what_each_model_adds_is_told(fitted):
    recommender = Recommender.load(fitted["everything"][1], live=False)
    plan, model = recommender.state.scorer, recommender.model
    cases, items = cases_of(recommender), np.arange(10)
    told = plan.shares(cases, items)
    blended = sum(told.values()) + np.where(model.seen[:10].numpy(), 0.0, model.gate.offset)
    assert set(told) <= set(model.gate.base_models)
    assert model.reranker is None
    kept = cases.history.lengths > 0
    assert blended[kept] == pytest.approx(model.score(cases).numpy()[kept][:, :10], abs=NEAR)


def test_a_run_is_served_without_torch(fitted):
    code = r"""
import json, re, sys
from pathlib import Path
from trefoil.fusion.recommender import Recommender
found = {}
for run in sys.argv[1:]:
    recommender = Recommender.load(run, live=False)
    user, item = recommender.catalogue.users.ids[0], recommender.catalogue.items.vocabulary.ids[0]
    answers = recommender.recommend(user, k=3, reasons=2), recommender.similar(item, k=3)
    table = recommender.recommend_many(recommender.catalogue.users.ids[:5], k=3)
    recommender.explain(user, item)
    found[run] = [len(one) for one in answers] + [len(table)]
heavy = {"torch", "transformers", "torch_geometric", "sklearn", "pandas"} & set(sys.modules)
memory = int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1]) / 1024
print(json.dumps([sorted(heavy), found, memory]))
"""
    runs = [str(run) for _, run, _, _ in fitted.values()]
    told = subprocess.run(
        [sys.executable, "-c", code, *runs],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    heavy, found, memory = json.loads(told.stdout)
    print(f"resident memory: {memory:.0f} MB")
    assert heavy == []
    assert set(found) == set(runs)
    assert all(min(counts) > 0 for counts in found.values())
    assert memory < 350  # MB, of which two thirds are libraries
