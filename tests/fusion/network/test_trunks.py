"""Trunks: they start at what they read, share what they should, and are read by every answer."""

import numpy as np
import polars as pl
import pytest
import torch
from planted_shop import ALONE

from trefoil.data import EventColumns, SplitRule, dataset_of
from trefoil.fusion.network.trunks import TRUNKS
from trefoil.fusion.recommender import Recommender
from trefoil.fusion.settings import load_settings

KINDS = sorted(TRUNKS)
TASKS = ("a", "b")


def trunk(kind, tasks=TASKS):
    torch.manual_seed(0)
    return TRUNKS[kind](6, tasks, 3)


def learned(kind):
    """A trunk whose experts say something."""
    made = trunk(kind)
    with torch.no_grad():
        generator = torch.Generator().manual_seed(1)
        for weight in made.parameters():
            weight.copy_(torch.randn(weight.shape, generator=generator))
    return made


@pytest.mark.parametrize("kind", KINDS)
def test_a_trunk_starts_at_what_it_reads_and_says_nothing_of_nobody(kind):
    x = torch.randn(5, 6)
    assert torch.equal(trunk(kind)(x, "a"), x)
    assert not learned(kind)(torch.zeros(2, 6), "b").any()
    assert not torch.allclose(learned(kind)(x, "a"), x)


@pytest.mark.parametrize(
    ("kind", "alike"), [("shared_bottom", True), ("mmoe", False), ("ple", False)]
)
def test_tasks_hear_the_same_only_from_a_shared_bottom(kind, alike):
    x, made = torch.randn(5, 6), learned(kind)
    assert torch.allclose(made(x, "a"), made(x, "b")) == alike


@pytest.mark.parametrize(("kind", "shares"), [("shared_bottom", 1.0), ("mmoe", 0.5), ("ple", 0.2)])
def test_a_task_teaches_what_is_shared_and_its_own_part_alone(kind, shares):
    made = learned(kind)
    made(torch.randn(5, 6), "a").square().sum().backward()
    taught = {name for name, one in made.named_parameters() if one.grad is not None}
    left = {name for name, _ in made.named_parameters()} - taught
    assert all(".b." in name for name in left)
    assert any(".b." in name for name, _ in made.named_parameters()) == bool(left)
    assert len(taught) >= shares * len(list(made.parameters()))


def test_a_mixture_by_hand():
    """One expert that says twice what it read where that is large, and even gates of two."""
    made = trunk("mmoe")
    with torch.no_grad():
        made.get_parameter("gates.a.weight").zero_()
        made.get_parameter("gates.a.bias").copy_(torch.tensor([0.0, 0.0, -1e9]))
        made.get_parameter("experts.first").copy_(10 * torch.eye(6)[:, None].expand(6, 3, 6))
        made.get_parameter("experts.second")[0].copy_(0.2 * torch.eye(6))
    x = torch.full((1, 6), 3.0)  # GELU(30) = 30, and 0.2 of it half weighed
    assert torch.allclose(made(x, "a"), x + 3.0, atol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_with_a_trunk_is_saved_read_and_extended(shop, tmp_path, kind):
    changes = [*ALONE, f"tasks.trunk={kind}", "tasks.experts=2", "network.epochs=8"]
    recommender = Recommender(load_settings(None, changes)).fit(shop)
    network = recommender.model.networks[0]
    moved = network.items_of("ranking", network.pass_messages().items)
    assert not torch.allclose(moved, network.pass_messages().items, atol=1e-4)
    recommender.save(tmp_path / "run")
    again = Recommender.load(tmp_path / "run", live=False)
    assert again.recommend("u0") == recommender.recommend("u0")
    assert again.recommend(history=["i0-1", "i0-2"]) == recommender.recommend(
        history=["i0-1", "i0-2"]
    )
    codes = again.catalogue.scenario_codes(None, 5)
    cases = again.catalogue.cases(np.arange(5), codes)
    rated, before = again.model.stars(cases), recommender.model.stars(cases)
    assert rated is not None
    assert before is not None
    assert torch.equal(rated, before)
    assert "only network" in recommender.model.record.gate


@pytest.mark.parametrize("kind", KINDS)
def test_the_final_fit_learns_a_task_that_had_no_labels_before(kind):
    """What is bought is bought last, so that only the test part holds two kinds of events."""
    rows = [
        (f"u{user}", f"i{(user + 2 * step) % 20}", 86_400 * step, "buy" if step == 7 else "view")
        for user in range(30)
        for step in range(8)
    ]
    frame = pl.DataFrame(rows, schema=["user", "item", "at", "behaviour"], orient="row")
    columns = EventColumns("user", "item", time="at", behaviour="behaviour")
    shop = dataset_of(frame, columns, rule=SplitRule("leave-one-out"))
    changes = [*ALONE, f"tasks.trunk={kind}", "tasks.kind=1", "network.epochs=2"]
    settings = load_settings(None, changes)
    (judge,) = Recommender(settings).fit(shop).model.networks[:1]
    final = Recommender(settings).fit(shop, final=True).model.networks[0]
    assert "kind" not in judge.heads
    assert "kind" in final.heads
