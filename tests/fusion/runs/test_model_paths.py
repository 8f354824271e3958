"""Parts switched off, tiny and odd datasets, equal bytes for equal seeds."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from planted_shop import TINY, read_shop, write_shop

from trefoil.data import EntityColumns, EventColumns, SplitRule, dataset_of, read_dataset
from trefoil.fusion.network.negative_sampling import Sampler
from trefoil.fusion.recommender import Recommender
from trefoil.fusion.settings import load_settings

ROOT = Path(__file__).parents[3]
SPARSE = {"co-occurrence", "field-neighbours"}  # where people have few events, in order


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return read_shop(tmp_path_factory.mktemp("small") / "data", users=24, per_maker=6, events=5)


@pytest.mark.parametrize(
    ("off", "gone"),
    [
        (["text.on=false"], {"text-neighbours"}),
        (["graph.on=false"], {"graph-neighbours"}),
        (["behaviour.on=false"], {"behaviour", "linear-recent", "next-items", *SPARSE}),
        (["linear.on=false"], {"linear", "linear-recent"}),
        (["network.on=false"], {"network", "behaviour"}),
        (["random_walks=false"], {"random-walks"}),
        (["next_item=false"], {"next-items"}),
        (["cooccurrence=false"], {"co-occurrence"}),
        (["item_fields=false"], {"field-neighbours"}),
        (["factors=false"], {"factors"}),
        (["scenarios=false"], set()),
        (["rating_process=false"], {"rating-process"}),
        (["item_attributes=false"], set()),
        (["user_attributes=false"], {"demographics"}),
        (["tasks.category=0"], set()),
        (["tasks.rating=0"], {"rating-process"}),
        (["text.on=false", "graph.on=false", "behaviour.on=false", "linear.on=false"], set()),
    ],
)
def test_each_part_can_be_switched_off(small, tmp_path, off, gone):
    always = ["behaviour.only_where_order_pays=false"]
    whole = {
        "network",
        "behaviour",
        "linear",
        "linear-recent",
        "factors",
        "random-walks",
        "next-items",
    }
    whole |= SPARSE
    whole |= {"graph-neighbours", "text-neighbours", "demographics", "popularity", "rating-process"}
    recommender = Recommender(load_settings(None, [*TINY, *always, *off])).fit(small)
    left = set(recommender.model.base_models)
    assert left <= whole - gone
    if len(off) == 1:
        assert left == whole - gone
    if "text.on=false" in off:
        assert recommender.model.texts is None
    if "graph.on=false" in off:
        assert recommender.model.known.facts is None
    assert bool(recommender.model.known.numbers) == ("item_attributes=false" not in off)
    for network in recommender.model.networks:
        assert (network.text is None) == ("text.on=false" in off)
        assert (network.facts is None) == ("graph.on=false" in off)
    answer = recommender.recommend("u0", k=3)
    assert len(answer) == 3
    recommender.save(tmp_path / "run")
    again = Recommender.load(tmp_path / "run")
    assert again.recommend("u0", k=3) == answer


def test_numbers_of_items_are_learned_by_who_takes_them(small, tmp_path):
    """Without texts and facts, prices are told by the makers' lovers alone."""
    changes = ["tasks.attributes=1", "text.on=false", "graph.on=false"]
    changes += ["network.epochs=80", "network.patience=40"]
    recommender = Recommender(load_settings(None, [*TINY, *changes])).fit(small)
    losses = [row["attributes"] for row in recommender.model.record.history[0]]
    assert losses[-1] < 0.5 * losses[0]
    recommender.save(tmp_path / "run")
    network = Recommender.load(tmp_path / "run").model.networks[0]
    with torch.no_grad():
        foretold = network.heads["attributes"](network.pass_messages().items)[:, 0]
    price = torch.from_numpy(small.items.score["price"])
    assert torch.corrcoef(torch.stack([foretold, price]))[0, 1] > 0.8
    plain = Recommender(load_settings(None, TINY)).fit(small)
    assert "attributes" not in plain.model.networks[0].heads


def events_of(rows, *, rule=None, texts=None):
    """A dataset of (user, item) pairs, a day apart."""
    frame = pl.DataFrame(rows, schema=["user", "item"], orient="row")
    frame = frame.with_columns(at=1_700_000_000 + 86_400 * pl.int_range(pl.len()))
    ids = sorted({item for _, item in rows})
    return dataset_of(
        frame,
        EventColumns("user", "item", time="at"),
        items=None if texts is None else pl.DataFrame({"id": ids, "text": [texts] * len(ids)}),
        item_columns=None if texts is None else EntityColumns("id", text=("text",)),
        rule=rule or SplitRule("ratio"),
    )


@pytest.mark.parametrize(
    "dataset",
    [
        events_of([("u", "i")]),
        events_of([("u", "i")], texts="the only one"),
        events_of([("u", f"i{n}") for n in range(5)]),
        events_of([("u", f"i{n}") for n in range(30)], rule=SplitRule("time")),
        events_of([(f"u{n}", "i") for n in range(5)]),
        events_of([(f"u{n}", "i") for n in range(30)], rule=SplitRule("time")),
        events_of([(f"u{n}", f"i{m}") for n in range(2) for m in range(2)], texts="two"),
        events_of([(f"u{n}", f"i{m}") for n in range(3) for m in range(4)],
                  rule=SplitRule("leave-one-out")),
        events_of([(f"u{n}", f"i{n}") for n in range(12)]),
    ],
    ids=["one event", "one event with a text", "one user", "one user in time", "one item",
         "one item in time", "two by two", "leave one out", "nothing shared"],
)  # fmt: skip
def test_the_smallest_worlds_end_in_a_usable_run(dataset, tmp_path):
    recommender = Recommender(load_settings(None, TINY)).fit(dataset)
    recommender.save(tmp_path / "run")
    again = Recommender.load(tmp_path / "run")
    user, item = dataset.users.vocabulary[0], dataset.items.vocabulary[0]
    for one in (recommender, again):
        everyone = one.recommend("nobody", k=100)
        assert len(everyone) == len(dataset.items)
        assert all(np.isfinite(answer.score) for answer in everyone)
        one.recommend(user)
        one.recommend(history=[item], text="anything")
        one.similar(item)
        many = one.recommend_many([user, "nobody"], k=100)
        assert len(many) >= len(dataset.items)
    assert again.recommend("nobody") == recommender.recommend("nobody")


ODD = ("007", "7", "caf\u00e9", "cafe\u0301", "🎬", "x" * 100_000, " ", "a|b", '"q"', "-1")


def test_ids_of_all_kinds_stay_apart_through_a_run(tmp_path):
    rows = [(f"{user}{n}", item) for n in range(4) for user in ODD for item in ODD[n:]]
    dataset = events_of(rows)
    assert len(dataset.items) == len(ODD)
    recommender = Recommender(load_settings(None, TINY)).fit(dataset)
    recommender.save(tmp_path / "run")
    again = Recommender.load(tmp_path / "run")
    assert {one.item for one in again.recommend("nobody", k=99)} == set(ODD)
    for item in ODD:
        assert item not in {one.item for one in again.similar(item, k=99)}


def digest(recommender, folder):
    recommender.save(folder)
    return hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()


def test_the_demo_gives_equal_bytes_for_equal_seeds_in_two_processes(small, tmp_path):
    """Two processes with different hash seeds, and in one of them trainings before it."""
    changes = [*TINY, "network.epochs=2", "factors=false"]
    settings, other = (load_settings(None, [*changes, f"seed={seed}"]) for seed in (0, 1))
    # both leave the generators elsewhere
    one, two = (digest(Recommender(s).fit(small), tmp_path / "small") for s in (settings, other))
    assert one != two
    here = digest(Recommender(settings).fit(read_dataset("demo")), tmp_path / "here")
    code = (
        "import sys\n"
        "from trefoil.data import read_dataset\n"
        "from trefoil.fusion.recommender import Recommender\n"
        "from trefoil.fusion.settings import load_settings\n"
        "made = Recommender(load_settings(None, sys.argv[2:])).fit(read_dataset('demo'))\n"
        "made.save(sys.argv[1])\n"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "77"}
    there = tmp_path / "there"
    command = [sys.executable, "-c", code, str(there), *changes]
    told = subprocess.run(
        command, env=environment, check=True, timeout=120, capture_output=True, text=True
    )
    assert "Sparse" not in told.stderr  # torch's remarks are no news for who trains
    content = (there / "model.safetensors").read_bytes()
    assert hashlib.sha256(content).hexdigest() == here


def test_a_run_read_in_a_fresh_process_scores_exactly_alike(shop_run, recommender, tmp_path):
    code = (
        "import sys, numpy as np\n"
        "import torch\n"
        "torch.set_num_threads(1)\n"
        "from trefoil.fusion.recommender import Recommender\n"
        "one = Recommender.load(sys.argv[1])\n"
        "scores = [one.score(one.catalogue.cases(np.array([row]), "
        "one.catalogue.scenario_codes(None, 1))) for row in range(60)]\n"
        "np.save(sys.argv[2], torch.cat(scores).numpy(), allow_pickle=False)\n"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    there = tmp_path / "scores.npy"
    subprocess.run(
        [sys.executable, "-c", code, str(shop_run), str(there)],
        env=environment,
        check=True,
        timeout=120,
    )
    codes = recommender.catalogue.scenario_codes(None, 1)
    here = [recommender.score(recommender.catalogue.cases(np.array([r]), codes)) for r in range(60)]
    assert np.array_equal(np.load(there, allow_pickle=False), torch.cat(here).numpy())


def test_the_order_of_rows_in_the_files_does_not_matter(tmp_path):
    one = write_shop(tmp_path / "one", users=24, per_maker=6, events=5)
    two = write_shop(tmp_path / "two", users=24, per_maker=6, events=5)
    for name in ("events.csv", "items.csv"):
        head, *rows = (two / name).read_text().splitlines()
        (two / name).write_text("\n".join([head, *reversed(rows)]) + "\n")
    assert read_dataset(one).fingerprint == read_dataset(two).fingerprint


def test_a_sampled_softmax_learns_what_the_whole_one_learns(shop, monkeypatch):
    """With more items than ``softmax_items`` each step sees a sample of them."""
    sizes, draw = [], Sampler.draw

    def noted(sampler, rng):
        sizes.append(sampler.size)
        return draw(sampler, rng)

    monkeypatch.setattr(Sampler, "draw", noted)
    order = ["behaviour.only_where_order_pays=false", "network.epochs=14", "embedding_size=16"]
    marks = []
    for sampled in ([], ["network.softmax_items=1", "network.sampled_items=16"]):
        model = Recommender(load_settings(None, [*TINY, *order, *sampled])).fit(shop).model
        marks.append(model.record.gate)
        assert set(sizes) == ({16} if sampled else set())
    for base_model in ("only network", "only behaviour"):
        assert marks[1][base_model] > 0.6 * marks[0][base_model], base_model
