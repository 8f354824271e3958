"""``evaluate.py``: every promised figure measured, reasons printed, faults in one line."""

import json
import shutil

import numpy as np
import polars as pl
import pytest
from planted_shop import beside_progress, sets, write_shop

from trefoil import evaluate, train
from trefoil.data import read_dataset, split_events
from trefoil.evaluation.protocols.protocols import full_exam
from trefoil.fusion.recommender import Recommender

RANKING = ("recall@10", "ndcg@10", "mrr@10", "hit@10", "recall@20", "ndcg@20", "coverage@10")
REFERENCES = ("popularity", "item-neighbours", "linear")


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    return write_shop(tmp_path_factory.mktemp("evaluated") / "data")


@pytest.fixture(scope="module")
def run(shop):
    """A run as ``train.py`` writes it."""
    folder = shop.parent / "run"
    more = ["--set", "network.epochs=10", "--set", "embedding_size=16"]
    assert train.main(["--data", str(shop), "--out", str(folder), *sets(), *more]) == 0
    return folder


@pytest.fixture(scope="module")
def report(run):
    """The figures of ``evaluate.py RUN --json FILE``."""
    path = run.parent / "full.json"
    assert evaluate.main([str(run), "--json", str(path)]) == 0
    return json.loads(path.read_text("utf-8"))


def refused(capsys, *argv):
    assert evaluate.main([str(one) for one in argv]) == 2
    (said,) = beside_progress(capsys.readouterr().err)
    assert said.startswith("error: ")
    return said


def test_the_report_says_what_was_measured_on_what(report, run, shop):
    dataset = read_dataset(shop)
    split = split_events(dataset, 0)
    assert report["dataset"] == {
        "name": "shop",
        "fingerprint": dataset.fingerprint,
        "users": 60,
        "items": 40,
        "train": len(split.train),
        "valid": len(split.valid),
        "split": split.digest,
        "history": "training",
        "test": len(split.open_test()),
    }
    assert (report["protocol"], report["split"]) == ("full", "test")
    assert report["seconds"]["train"] > 0
    assert report["seconds"]["evaluate"] > 0
    assert 50 < report["peak_rss_mb"] < 50_000
    manifest = json.loads((run / "manifest.json").read_text())
    assert report["seconds"]["train"] == manifest["seconds"]["train"]


def test_every_model_has_every_metric(report):
    for name in ("trefoil", *REFERENCES):
        values = report["results"][name]
        for metric in RANKING:
            assert 0 <= values[metric] <= 1, (name, metric)
        assert values["recall@10"] <= values["recall@20"]
        assert values["ndcg@10"] <= values["hit@10"]
    assert 0 < report["results"]["trefoil"]["rmse"] < 4


def test_the_category_task_tells_more_than_the_share_of_each(report, shop):
    categories = pl.read_csv(shop / "items.csv")["kind"].value_counts(normalize=True)["proportion"]
    told = report["tasks"]["category"]
    assert told["metric"] == "cross-entropy"
    assert 0 < told["value"] < 1.05 * -(categories * categories.log()).sum()


def test_where_tastes_are_planted_the_engine_beats_popularity(report):
    results = report["results"]
    assert results["trefoil"]["ndcg@10"] > results["popularity"]["ndcg@10"] + 0.1


def test_the_figures_are_those_counted_by_hand(report, run, shop):
    """hit@10 once more, from the scores and the exam alone."""
    recommender, dataset = Recommender.load(run), read_dataset(shop)
    exam = full_exam(dataset, split_events(dataset, 0), "test")
    scores = recommender.score(exam.cases).numpy()
    hits = 0
    for case in range(len(exam)):
        masked = exam.masked.item[slice(*exam.masked.start[case : case + 2])]
        relevant = exam.relevant.item[slice(*exam.relevant.start[case : case + 2])]
        scores[case, masked] = -np.inf
        hits += bool(set(np.argsort(-scores[case], kind="stable")[:10]) & set(relevant))
    assert report["results"]["trefoil"]["hit@10"] == pytest.approx(hits / len(exam), abs=1e-6)


def test_slices_and_significance_are_filled(report):
    assert "warm-items" in report["slices"]
    for name, part in report["slices"].items():
        assert "trefoil" in part, name
    test = report["significance"]["trefoil vs linear"]
    assert test["metric"] == "ndcg@10"
    assert test["corrected"] is True
    assert 0 <= test["p"] <= 1
    ours, theirs = (report["results"][name]["ndcg@10"] for name in ("trefoil", "linear"))
    assert test["difference"] == pytest.approx(ours - theirs, abs=1e-6)


def test_groups_are_told_beside_the_plain_figures(report, run, capsys):
    groups = report["groups"]["items by popularity"]
    assert sum(one["trefoil"]["exposure@10"] for one in groups.values()) == pytest.approx(1)
    assert groups["popular"]["popularity"]["exposure@10"] > 1 / 3  # its share of the events
    told = report["debiased"]["trefoil"]
    assert told["recall@10"] != told["plain-recall@10"]
    assert "Popularity taken out" in (run / "report.html").read_text("utf-8")
    assert "--groups 'colour'" in refused(capsys, run, "--groups", "colour")


def test_five_recommendations_of_a_user_are_printed_with_reasons(run, capsys):
    assert evaluate.main([str(run), "--user", "u8"]) == 0
    out = capsys.readouterr().out
    assert "For u8" in out
    told = out[out.index("For u8") :]
    for place in range(1, 6):
        assert f"{place}. Title i" in told
    assert "Ada" in told


def test_a_part_left_out_and_another_run_stand_in_the_table(run, shop, tmp_path):
    other = tmp_path / "other"
    assert train.main(["--data", str(shop), "--out", str(other), *sets("seed=3")]) == 0
    path = tmp_path / "all.json"
    alike = shutil.copytree(other, tmp_path / "linear")
    flags = [
        "--ablate",
        "behaviour,category",
        "--against",
        str(other),
        str(alike),
        "--json",
        str(path),
    ]
    assert evaluate.main([str(run), *flags]) == 0
    report = json.loads(path.read_text())
    results, tasks = report["results"], report["tasks"]
    assert {"without behaviour", "other"} <= set(results)
    for task, metric in (("ranking", "ndcg@10"), ("rating", "rmse")):
        assert tasks[task]["value"] == results["trefoil"][metric]
        assert tasks[task]["without"] == {"category": results["without category"][metric]}
    assert tasks["category"]["without"] == {}  # who did not learn it has no mark for it
    for name in ("without behaviour", "other"):
        assert 0 <= results[name]["ndcg@10"] <= 1
    assert results[str(alike)] == results["other"] != results["linear"]


def test_the_next_event_is_asked_for_after_training_for_it(run, shop, tmp_path, capsys):
    assert "--set split.by=leave-one-out" in refused(capsys, run, "--protocol", "next")
    timed = tmp_path / "timed"
    flags = sets("split.by=leave-one-out", "behaviour.only_where_order_pays=false")
    assert train.main(["--data", str(shop), "--out", str(timed), *flags]) == 0
    path = tmp_path / "next.json"
    assert evaluate.main([str(timed), "--protocol", "next", "--json", str(path)]) == 0
    report = json.loads(path.read_text())
    assert report["protocol"] == "next"
    assert 0 < report["results"]["trefoil"]["ndcg@10"] <= 1


def test_data_that_changed_is_refused(run, shop, tmp_path, capsys):
    changed = tmp_path / "data"
    shutil.copytree(shop, changed)
    text = (changed / "events.csv").read_text()
    (changed / "events.csv").write_text(text + "u1,i0-1,3,1700000000,tv\n")
    said = refused(capsys, run, "--data", changed)
    assert "the data has changed since" in said


def test_a_dataset_that_moved_is_found_where_it_lies_now(run, shop, tmp_path):
    moved = tmp_path / "elsewhere"
    shutil.copytree(shop, moved)
    assert evaluate.main([str(run), "--data", str(moved)]) == 0


def test_runs_that_are_none_or_damaged_are_refused_by_name(run, shop, tmp_path, capsys):
    assert "no manifest.json" in refused(capsys, shop)
    assert "nowhere" in refused(capsys, tmp_path / "nowhere")
    broken = tmp_path / "broken"
    shutil.copytree(run, broken)
    content = bytearray((broken / "model.safetensors").read_bytes())
    content[-5] ^= 1
    (broken / "model.safetensors").write_bytes(content)
    assert "model.safetensors: damaged" in refused(capsys, broken)


def test_a_run_of_other_data_is_no_rival(run, tmp_path, capsys):
    small = write_shop(tmp_path / "small", users=24, per_maker=6, events=5)
    assert train.main(["--data", str(small), "--out", str(tmp_path / "two"), *sets()]) == 0
    said = refused(capsys, run, "--against", tmp_path / "two")
    assert "trained on other data" in said


def test_a_run_with_added_items_is_refused_with_the_reason(run, tmp_path, capsys):
    recommender = Recommender.load(run)
    recommender.add_items(pl.DataFrame({"id": ["new"]}), [("new", "MADE_BY", "Ada")])
    recommender.save(tmp_path / "grown")
    assert "1 items were added after training" in refused(capsys, tmp_path / "grown")


def test_unknown_parts_and_flags_are_status_2(run, capsys):
    assert "colour" in refused(capsys, run, "--ablate", "colour")
    assert "--protocol cold" in refused(capsys, run, "--cold", "users")
    assert "--protocol ctr" in refused(capsys, run, "--negatives", "given", "--protocol", "cold")
    with pytest.raises(SystemExit) as stop:
        evaluate.main([str(run), "--protocol", "guess"])
    assert stop.value.code == 2
    assert "guess" in capsys.readouterr().err


def test_figures_are_never_written_into_a_run(run, capsys):
    assert "name a place outside" in refused(capsys, run, "--json", str(run / "settings.toml"))
    Recommender.load(run)
