"""Every protocol of ``evaluate.py``, ablation in words, and what it leaves in a run."""

import json
import math

import numpy as np
import pytest
from planted_shop import TOML, sets, write_shop

from trefoil import evaluate, train
from trefoil.data import read_dataset
from trefoil.evaluation.protocols.protocols import full_exam
from trefoil.evaluation.ranking import rank
from trefoil.fusion.features.preparation import split_of
from trefoil.fusion.recommender import Recommender
from trefoil.fusion.reporting.explanations import GraphEdges, marks
from trefoil.fusion.runs.folder import check_manifest

TINY = sets("behaviour.on=false")


def trained(folder, *changes, toml=TOML, **options):
    """A run of the planted shop; returns the run folder."""
    data = write_shop(folder / "data", **options)
    (data / "dataset.toml").write_text(toml, "utf-8")
    flags = [part for change in changes for part in ("--set", change)]
    assert train.main(["--data", str(data), "--out", str(folder / "run"), *TINY, *flags]) == 0
    return folder / "run"


def told(run, *flags):
    """The JSON of an evaluation."""
    file = run.parent / "figures.json"
    assert evaluate.main([str(run), "--json", str(file), *flags]) == 0
    return json.loads(file.read_text("utf-8"))


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    return trained(tmp_path_factory.mktemp("shop"))


@pytest.fixture(scope="module")
def figures(shop):
    """The full evaluation, with one part left out and the shuffled variants."""
    return told(shop, "--ablate", "graph")


@pytest.fixture(scope="module")
def timed(tmp_path_factory):
    """A run split by time: the items that came last are cold."""
    return trained(tmp_path_factory.mktemp("timed"), "split.by=leave-one-out", events=4)


def test_every_key_of_the_report_is_there_with_a_measured_value(figures):
    expected = (
        *("recall@10", "ndcg@10", "mrr@10", "hit@10", "recall@20", "ndcg@20", "coverage@10"),
        *("rmse", "mae", "novelty@10", "arp@10", "gini@10", "serendipity@10"),
        *("diversity-text@10", "diversity-graph@10", "explanation-validity"),
    )
    ours = figures["results"]["trefoil"]
    assert all(math.isfinite(ours[name]) for name in expected)
    assert set(figures["results"]) >= {"popularity", "item-neighbours", "linear", "biases"}
    assert set(figures["results"]["biases"]) == {"rmse", "mae"}
    assert {"warm-items", "few-events", "device=phone", "device=tv"} <= set(figures["slices"])
    assert figures["significance"]["trefoil vs linear"]["corrected"]
    assert figures["dataset"]["train"] > figures["dataset"]["test"] > 0
    assert figures["seconds"]["evaluate"] > 0
    assert figures["peak_rss_mb"] > 0


def test_the_figures_are_those_of_ranking_by_hand(shop, figures):
    recommender = Recommender.load(shop)
    dataset = read_dataset(recommender.about["data"]["source"])
    split = split_of(dataset, recommender.settings)
    exam = full_exam(dataset, split, "test")
    top = rank(recommender, exam, 10).top
    hits = [
        len(
            set(top[row])
            & set(exam.relevant.item[exam.relevant.start[row] : exam.relevant.start[row + 1]])
        )
        for row in range(len(exam))
    ]
    recall = np.mean(np.array(hits) / np.diff(exam.relevant.start))
    assert figures["results"]["trefoil"]["recall@10"] == pytest.approx(recall)


def test_without_and_shuffled_arms_are_retrained_and_judged_in_words(figures):
    assert {"without graph", "shuffled graph"} <= set(figures["results"])
    verdict = figures["ablation"]["graph"]
    assert verdict["words"].endswith(").")
    assert set(verdict["tests"]) == {"real vs without graph", "real vs shuffled graph"}
    assert isinstance(verdict["earned"], bool)
    rows = {name: figures["results"][name]["ndcg@10"] for name in ("trefoil", "shuffled graph")}
    assert len(set(rows.values())) == 2  # another model, not the same one twice


def test_the_run_holds_the_page_and_is_still_whole(shop, figures):
    manifest = check_manifest(shop)  # digests of the rewritten files are right
    assert {"report.html", "report.json"} <= set(manifest["files"])
    page = (shop / "report.html").read_text("utf-8")
    for title in ("Results", "Slices", "Beyond accuracy", "Examples", "Learning curves", "Data"):
        assert f"<h2>{title}</h2>" in page, title
    assert "What each part gave" in page
    assert "because you liked" in page
    assert f"{figures['results']['trefoil']['ndcg@10']:.4f}" in page
    kept = json.loads((shop / "report.json").read_text("utf-8"))
    assert kept["evaluation"] == figures
    assert kept["gate"]["warm"]  # what training said stays


def test_reasons_are_true_and_a_reason_from_the_future_is_caught(shop):
    recommender = Recommender.load(shop)
    dataset = read_dataset(recommender.about["data"]["source"])
    split = split_of(dataset, recommender.settings)
    exam = full_exam(dataset, split, "test")
    ranks = rank(recommender, exam, 10)
    train_events = dataset.interactions.take(split.train)
    honest = marks(recommender, ranks, exam, train_events)
    assert honest["explained"] > 0.9
    assert honest["explanation-validity"] == 1.0
    assert honest["explanation-leaks"] == 0
    # Had half of the training events not happened, many reasons would be untrue.
    fewer = dataset.interactions.take(split.train[::2])
    assert marks(recommender, ranks, exam, fewer)["explanation-validity"] < 0.9


def test_edges_that_nobody_stated_do_not_exist(shop):
    recommender = Recommender.load(shop)
    dataset = read_dataset(recommender.about["data"]["source"])
    split = split_of(dataset, recommender.settings)
    edges = GraphEdges(recommender.graph, dataset.interactions.take(split.train))
    tests = dataset.interactions.take(split.open_test())
    users, items = dataset.users.vocabulary, dataset.items.vocabulary
    first = int(split.train[dataset.interactions.positive[split.train]][0])
    event = dataset.interactions.user[first], dataset.interactions.item[first]
    assert (("User", users[event[0]]), "INTERACTED", ("Item", items[event[1]])) in edges
    for user, item in zip(tests.user, tests.item, strict=True):
        assert (("User", users[user]), "INTERACTED", ("Item", items[item])) not in edges
    assert (("Item", items[0]), "NO_SUCH", ("Item", items[1])) not in edges


def test_the_next_event_needs_a_split_in_time_and_the_message_says_how(shop, timed, capsys):
    assert evaluate.main([str(shop), "--protocol", "next"]) == 2
    error = capsys.readouterr().err
    assert "--set split.by=leave-one-out" in error
    assert "Traceback" not in error
    report = told(timed, "--protocol", "next")
    ours = report["results"]["trefoil"]
    assert ours["recall@10"] == ours["hit@10"]  # one item is asked for
    assert report["protocol"] == "next"


def test_clicks_are_judged_over_the_whole_part_and_against_matched_negatives(tmp_path):
    toml = TOML.replace('by = "ratio"', 'by = "rows"').replace(
        'rating = "stars"', 'rating = "stars"\npositive_from = 3'
    )
    run = trained(tmp_path, toml=toml)
    report = told(run, "--protocol", "ctr")
    assert set(report["results"]["trefoil"]) == {
        "auc",
        "gauc",
        "f1",
        "log-loss",
        "calibration-error",
    }
    matched = report["slices"]["popularity-matched negatives"]
    assert matched["trefoil"]["auc"] > 0.6  # makers are planted; stars are noise
    assert abs(matched["popularity"]["auc"] - 0.5) < 0.2
    assert "<h2>Calibration</h2>" in (run / "report.html").read_text("utf-8")


def test_without_negatives_the_click_protocol_says_what_to_do(timed, capsys):
    assert evaluate.main([str(timed), "--protocol", "ctr"]) == 2
    assert "--negatives" in capsys.readouterr().err
    assert "auc" in told(timed, "--protocol", "ctr", "--negatives", "uniform")["results"]["trefoil"]


def test_cold_items_are_ranked_among_themselves_and_among_all(tmp_path, capsys):
    """Items taken by nobody but in the test part, found by maker and words."""
    data = write_shop(tmp_path / "data")
    rows = (data / "events.csv").read_text("utf-8").splitlines()
    fresh = [f"i{maker}-{number}" for maker in range(4) for number in (8, 9)]
    kept = [rows[0], *(row for row in rows[1:] if row.split(",")[1] not in fresh)]
    late = [f"u{user},i{user % 4}-{8 + user // 4 % 2},5,1800000000,tv" for user in range(60)]
    (data / "events.csv").write_text("\n".join([*kept, *late]) + "\n", "utf-8")
    share = (len(late) + 0.5) / (len(kept) - 1 + len(late))  # the border lies before them
    flags = [*sets("network.epochs=4", "behaviour.on=false", f"split.test={share:.4f}")]
    flags += ["--set", "split.by=time", "--set", "split.valid=0.2"]
    run = tmp_path / "run"
    assert train.main(["--data", str(data), "--out", str(run), *flags]) == 0
    report = told(run, "--protocol", "cold")
    alone, among = report["results"], report["slices"]["cold-items"]
    assert alone["trefoil"]["coverage@10"] <= len(fresh) / report["dataset"]["items"]
    assert alone["trefoil"]["recall@10"] == 1.0  # all eight fit into the list
    assert alone["trefoil"]["ndcg@10"] > alone["popularity"]["ndcg@10"]
    assert {"text-neighbours", "graph-neighbours"} <= set(alone)
    assert among["trefoil"]["recall@10"] <= alone["trefoil"]["recall@10"]
    assert "among all items" in capsys.readouterr().out


def test_where_nothing_is_cold_the_message_says_so(timed, capsys):
    assert evaluate.main([str(timed), "--protocol", "cold", "--cold", "users"]) == 2
    assert "split.by=time" in capsys.readouterr().err


def test_a_run_trained_on_another_split_is_refused(shop, tmp_path, capsys):
    recommender = Recommender.load(shop)
    recommender.about["dataset"] = recommender.about["dataset"] | {"train": 3}
    recommender.save(tmp_path / "run")
    assert evaluate.main([str(tmp_path / "run")]) == 2
    assert "another split" in (error := capsys.readouterr().err) or "trained on a split" in error


def test_groups_of_users_are_compared_where_they_are_known(figures):
    groups = dict(figures["fairness"]["club"])
    gap = groups.pop("gap")
    assert set(groups) == {"club 0", "club 1", "club 2"}
    assert gap == pytest.approx(max(groups.values()) - min(groups.values()))


def test_an_unknown_part_is_refused_before_anything_is_trained(shop, capsys):
    assert evaluate.main([str(shop), "--ablate", "grahp"]) == 2
    assert "did you mean 'graph'" in capsys.readouterr().err


def test_an_evaluation_leaves_what_other_trainings_start_from(timed):
    before, page = train.digest_of(timed), (timed / "report.html").read_text("utf-8")
    told(timed)
    assert (timed / "report.html").read_text("utf-8") != page
    assert train.digest_of(timed) == before
