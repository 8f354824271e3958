"""The comparison's bookkeeping: what is kept is what was measured, and tables say all of it."""

import dataclasses
import json

import numpy as np
import pytest
from planted_events import planted

from benchmarks import quality
from benchmarks.code_version import OWN, PACKAGES, code_digest, commit
from benchmarks.quality import Contest, examined, load, save
from benchmarks.rivals import rivals
from benchmarks.sets import LEAST_EVENTS, SETS, Bench, hide_items
from benchmarks.tables import read_published, write_tables
from trefoil.data import SplitRule, split_events
from trefoil.evaluation.baselines import BUDGET, Biases, ItemNeighbours, Popularity
from trefoil.evaluation.protocols.pointwise_exam import stars_exam, stars_result
from trefoil.evaluation.protocols.protocols import full_exam

ABOUT = {"seconds": 1.0, "fingerprint": "f", "of": "f", "settings": {"k": 3}}
MADE = {"commit": "abc1234", "date": "2026-11-28"}


def measured(model: str, seed: int = 0):
    dataset = planted(users=120, seed=1)
    split = split_events(dataset, seed)
    train = dataset.interactions.take(split.train)
    fit = {
        "popularity": Popularity.fit,
        "item-neighbours": ItemNeighbours.fit,
        "biases": Biases.fit,
    }
    exam = full_exam(dataset, split, "test")
    found = examined(Bench("", "full", ""), dataset, split, exam, model, fit[model](train, 120, 60))
    found.about.update(ABOUT | MADE)
    return found


@pytest.mark.parametrize("model", ["popularity", "biases"])
def test_a_kept_result_comes_back_the_same_and_only_for_the_same_data(model, tmp_path):
    found = measured(model)
    save(tmp_path, model, found)
    again = load(tmp_path, model, "f")
    assert again is not None
    assert again.result.means() == found.result.means()
    assert (again.result.users == found.result.users).all()
    assert {name: one.means() for name, one in again.slices.items()} == {
        name: one.means() for name, one in found.slices.items()
    }
    assert load(tmp_path, model, "other data") is None


def test_what_is_kept_of_one_split_does_not_answer_for_another(tmp_path):
    dataset = planted(users=120, seed=1)
    for rule in (SplitRule("ratio"), SplitRule("ratio", valid=0.3)):
        split = split_events(dataset, 0, rule)
        found = Contest(SETS["lastfm"], dataset, split, 0, tmp_path).measure(
            "popularity", [], fresh=False
        )
        asked = measured_on(dataset, split)
        assert found["popularity"].result.means() == asked


def test_what_is_kept_of_other_code_is_measured_again(tmp_path, monkeypatch):
    dataset = planted(users=120, seed=1)
    split = split_events(dataset, 0)
    kept = []
    for digest in ("one", "one", "two"):
        monkeypatch.setattr(quality, "code_digest", lambda digest=digest: digest)
        contest = Contest(SETS["lastfm"], dataset, split, 0, tmp_path)
        contest.measure("popularity", [], fresh=False)
        kept.append((tmp_path / "popularity.npz").stat().st_mtime_ns)
    assert kept[0] == kept[1] < kept[2]


def test_the_digest_of_code_follows_content_and_name(tmp_path):
    for package in (*PACKAGES, "benchmarks"):
        (tmp_path / package).mkdir()
    (tmp_path / "fusion/ensemble").mkdir()
    for name in OWN:
        (tmp_path / "benchmarks" / name).write_text("a = 1\n")
    digests = [code_digest.__wrapped__(tmp_path)]
    (tmp_path / "fusion/ensemble/ensemble.py").write_text("b = 1\n")
    digests.append(code_digest.__wrapped__(tmp_path))
    (tmp_path / "fusion/ensemble/ensemble.py").write_text("b = 2\n")
    digests.append(code_digest.__wrapped__(tmp_path))
    (tmp_path / "fusion/ensemble/ensemble.py").rename(tmp_path / "fusion/other.py")
    digests.append(code_digest.__wrapped__(tmp_path))
    assert len(set(digests)) == 4
    assert commit.__wrapped__(tmp_path) == "no commit"


def measured_on(dataset, split):
    train = dataset.interactions.take(split.train)
    scorer, exam = Popularity.fit(train, 120, 60), full_exam(dataset, split, "test")
    found = examined(SETS["lastfm"], dataset, split, exam, "popularity", scorer)
    return found.result.means()


def test_tables_hold_every_model_the_spread_the_tests_and_the_figures_of_others(tmp_path):
    models = ("item-neighbours", "popularity", "biases")
    found = {"lastfm": {seed: {m: measured(m, seed) for m in models} for seed in (0, 1)}}
    write_tables(tmp_path, found, "python -m benchmarks.quality --set lastfm")
    told = json.loads((tmp_path / "quality.json").read_text("utf-8"))["sets"]["lastfm"]
    one, two = (found["lastfm"][s]["popularity"].result.means()["ndcg@10"] for s in (0, 1))
    assert told["results"]["popularity"]["ndcg@10"] == pytest.approx((one + two) / 2)
    assert told["results"]["popularity"]["std"]["ndcg@10"] == pytest.approx(
        np.std([one, two], ddof=1)
    )
    assert told["significance"]["item-neighbours vs popularity"]["seeds"] == 2
    assert told["published"]
    words = (tmp_path / "quality.md").read_text("utf-8")
    assert "    python -m benchmarks.quality --set lastfm" in words
    assert all(f"| {model} |" in words for model in models)
    assert "Protocol matches: recipe" in words
    assert "<svg" in (tmp_path / "quality.html").read_text("utf-8")
    assert "without a training event" not in words
    alone = (tmp_path / "tables/lastfm.md").read_text("utf-8")
    assert alone.startswith("# lastfm\n\nCommand:\n\n    python -m benchmarks.quality")
    assert "\nCommit and date: abc1234, 2026-11-28.\n" in alone


def test_items_without_events_have_a_table_where_there_are_any(tmp_path):
    found = measured("popularity")
    cold = dataclasses.replace(found, slices={"cold-items-alone": found.slices["warm-items"]})
    write_tables(tmp_path, {"lastfm": {0: {"popularity": cold}}}, "")
    words = (tmp_path / "quality.md").read_text("utf-8")
    value = cold.slices["cold-items-alone"].means()["recall@10"]
    assert f"| model | among themselves |\n|---|--:|\n| popularity | {value:.4f} |" in words


def test_hidden_items_lose_all_their_training_events_and_nothing_else_changes():
    dataset = planted(users=120, seed=1)
    split = split_events(dataset, 0)
    less = hide_items(dataset, split, 0.2, seed=3)
    before, after = (
        np.bincount(dataset.interactions.item[one.train], minlength=len(dataset.items))
        for one in (split, less)
    )
    often = before >= LEAST_EVENTS
    hidden = (before > 0) & (after == 0)
    assert hidden.sum() == round(0.2 * often.sum())
    assert not (hidden & ~often).any()
    assert (after[~hidden] == before[~hidden]).all()
    assert (less.valid == split.valid).all()
    assert (less.open_test() == split.open_test()).all()


def test_every_published_figure_has_a_known_set_a_source_and_a_word_on_the_protocol():
    for name, rows in read_published().items():
        assert name in SETS
        for row in rows:
            assert set(row) == {"model", "values", "source", "match"}
            assert row["match"].split(":")[0] in ("exact", "recipe", "no")


def test_every_baseline_stays_within_the_budget():
    dataset = planted()
    split = split_events(dataset, 0)
    found = rivals(dataset, split, full_exam(dataset, split, "valid"), seed=0)
    assert {"popularity", "linear", "ials", "recent-popularity", "context-history"} <= set(found)
    assert all(1 <= len(make()) <= BUDGET for make in found.values())


def test_biases_find_who_rates_high_and_what_is_rated_high():
    random = np.random.default_rng(0)
    dataset = planted(users=200)
    user, item = random.normal(0, 0.5, 200), random.normal(0, 0.5, 60)
    log = dataset.interactions
    stars = 3.0 + user[log.user] + item[log.item] + random.normal(0, 0.1, len(log))
    object.__setattr__(log, "stars", stars.astype(np.float32))
    split = split_events(dataset, 0)
    model = Biases.fit(log.take(split.train), 200, 60, shrink=0.1)
    exam = stars_exam(dataset, split, "test")
    assert stars_result(model, exam)["rmse"] < 0.2 < exam.label.std()
