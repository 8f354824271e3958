"""What is learned is the same whatever happened in the test part, for every split rule."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from planted_shop import TINY
from safetensors.numpy import load_file
from twins import RULES, shop_split_by, twin_of

from trefoil.data import Split
from trefoil.data.split import inner_split
from trefoil.evaluation.protocols.protocols import full_exam
from trefoil.fusion.ensemble import click_gate, reranker_fit
from trefoil.fusion.features.validation import Validation
from trefoil.fusion.recommender import Recommender
from trefoil.fusion.settings import load_settings
from trefoil.fusion.training import pipeline

EVERYTHING = (
    *TINY,
    "network.epochs=2",
    "network.seeds=2",
    "behaviour.only_where_order_pays=false",
)
SINGLE = {
    "network", "behaviour", "linear", "linear-recent", "factors", "random-walks", "next-items",
    "graph-neighbours", "text-neighbours", "demographics", "popularity", "rating-process",
    "co-occurrence", "field-neighbours",
}  # fmt: skip


@pytest.fixture
def small_thresholds(monkeypatch):
    """A few dozen people are enough to cross-fit, to teach a reranker, and to fit clicks."""
    monkeypatch.setattr(pipeline, "FEWEST_CASES", 20)
    monkeypatch.setattr(reranker_fit, "FEWEST_CASES", 20)
    monkeypatch.setattr(reranker_fit, "BATCH", 8)
    monkeypatch.setattr(reranker_fit, "FEWEST_STEPS", 30)
    monkeypatch.setattr(click_gate, "LEAST", 5)


def fitted(dataset, split):
    return Recommender(load_settings(None, EVERYTHING)).fit(dataset, split=split)


def stored(recommender: Recommender, folder: Path) -> tuple[dict[str, np.ndarray], dict]:
    """Every tensor and every plain value of a run's model, but for how long things took."""
    recommender.save(folder)
    text = (folder / "model.json").read_text("utf-8")
    return load_file(folder / "model.safetensors"), without_seconds(json.loads(text))


def without_seconds(told):
    if not isinstance(told, dict):
        return told
    return {key: without_seconds(one) for key, one in told.items() if key != "seconds"}


def edges_of(recommender: Recommender) -> dict[str, list[list[int]]]:
    edges = recommender.graph.edges.items()
    return {" ".join(key): [one.source.tolist(), one.target.tolist()] for key, one in edges}


@pytest.mark.usefixtures("small_thresholds")
@pytest.mark.parametrize("rule", RULES)
def test_nothing_learned_hangs_on_the_test_part(rule, tmp_path, monkeypatch):
    cross_fitted, cross_fit = [], pipeline.fit_model  # the one that learning itself calls

    def counted(*given, **more):
        cross_fitted.append(1)
        return cross_fit(*given, **more)

    monkeypatch.setattr(pipeline, "fit_model", counted)
    dataset, split = shop_split_by(rule, tmp_path / "data", users=40, events=9)
    one = fitted(dataset, split)
    other = fitted(twin_of(dataset, split), split)
    (tensors, told), (tensors_other, told_other) = (
        stored(each, tmp_path / name) for each, name in ((one, "one"), (other, "other"))
    )
    assert tensors.keys() == tensors_other.keys()
    changed = [n for n in tensors if tensors[n].tobytes() != tensors_other[n].tobytes()]
    assert changed == []
    assert told == told_other
    assert edges_of(one) == edges_of(other)
    model = one.model
    assert set(model.base_models) >= SINGLE
    assert model.rates is not None
    # The marks tell of a reranker, too, that was taught and not taken.
    assert {"reranked", "reranked, not taken"} & set(model.record.gate)
    for marks in ("gate", "chosen", "cold_users"):
        assert getattr(model.record, marks) == getattr(other.model.record, marks)
    # Validation that is carved from training holds no negatives, and is cross-fitted.
    assert (model.clicks is None) == (rule == "carved")
    assert len(cross_fitted) == (4 if rule == "carved" else 2)  # the two fits themselves, too
    one_network, another = (network.item_bias for network in model.networks)
    assert not torch.equal(one_network, another)


@pytest.mark.parametrize("rule", RULES)
def test_twins_differ_in_every_column_of_the_test_part_alone(rule, tmp_path):
    dataset, split = shop_split_by(rule, tmp_path / "data", users=40, events=9)
    one, other = dataset.interactions, twin_of(dataset, split).interactions
    kept = np.concatenate([split.train, split.valid])
    test = split.open_test()
    for name in ("item", "stars", "at", "positive"):
        before, after = getattr(one, name), getattr(other, name)
        assert (before[kept] == after[kept]).all()
        assert (before[test] != after[test]).all()


@pytest.mark.usefixtures("small_thresholds")
@pytest.mark.parametrize("rule", ["time", "carved"])
def test_learning_does_not_open_the_test_part(rule, tmp_path, monkeypatch):
    dataset, split = shop_split_by(rule, tmp_path / "data", users=40, events=9)

    def sealed(_):
        raise AssertionError("the test part was opened")

    monkeypatch.setattr(Split, "open_test", sealed)
    settings = load_settings(None, [*EVERYTHING, "network.on=false"])
    assert Recommender(settings).fit(dataset, split=split).model.gate.base_models


@pytest.mark.parametrize("rule", ["time", "ratio"])
def test_choices_refuse_an_exam_of_the_test_part(rule, tmp_path):
    dataset, split = shop_split_by(rule, tmp_path / "data", users=40, events=9)
    seen = torch.ones(len(dataset.items), dtype=torch.bool)
    assert len(Validation.of(full_exam(dataset, split, "valid"), seen))
    with pytest.raises(ValueError, match="only the validation part may be looked at, not 'test'"):
        Validation.of(full_exam(dataset, split, "test"), seen)


@pytest.mark.parametrize("rule", RULES)
def test_an_inner_split_divides_training_alone(rule, tmp_path):
    dataset, split = shop_split_by(rule, tmp_path / "data", users=40, events=9)
    part = inner_split(dataset, split, 0.1)
    assert len(part.valid)
    assert sorted([*part.train, *part.valid]) == sorted(split.train)
    assert dataset.interactions.positive[part.valid].all()
    assert not len(part.open_test())
