"""The click gate: which base model tells positives from negatives, on warm and on cold items."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from planted_shop import TINY, read_shop
from small_cases import cases

from trefoil.evaluation.protocols.pointwise_exam import RowExam
from trefoil.fusion.ensemble.click_gate import fit_clicks
from trefoil.fusion.recommender import Recommender
from trefoil.fusion.settings import load_settings

USERS, ITEMS, COLD = 400, 30, 10


class Fixed:
    """A base model whose scores are given."""

    reads = frozenset()

    def __init__(self, table):
        self.table = table

    def score(self, asked):
        return self.table[torch.from_numpy(asked.user)]


@pytest.fixture
def world():
    """Truth, and two base models: one knows it on warm items, the other on cold ones."""
    generator = torch.Generator().manual_seed(0)
    truth = torch.randn(USERS, ITEMS, generator=generator)
    seen = torch.arange(ITEMS) < ITEMS - COLD
    noise = torch.randn(2, USERS, ITEMS, generator=generator)
    base_models = {
        "warm": Fixed(torch.where(seen, truth, noise[0])),
        "cold": Fixed(torch.where(seen, noise[1], truth)),
    }
    case = np.repeat(np.arange(USERS), 6)
    item = np.random.default_rng(0).integers(0, ITEMS, len(case))
    label = (truth[case, item] > 0).numpy().astype(np.float32)
    return base_models, seen, RowExam(cases(*[[0]] * USERS), case, item, label, ITEMS, "valid")


def test_the_leaf_that_knows_is_heard_on_warm_and_on_cold_items(world):
    base_models, seen, rows = world
    gate = fit_clicks(base_models, seen, rows)
    assert gate is not None
    assert gate.warm[0] > 5 * abs(gate.warm[1])
    assert gate.cold[1] > 5 * abs(gate.cold[0])


def test_the_order_of_rows_does_not_matter(world):
    base_models, seen, rows = world
    order = np.random.default_rng(1).permutation(len(rows))
    mixed = RowExam(
        rows.cases, rows.case[order], rows.item[order], rows.label[order], ITEMS, "valid"
    )
    one, other = fit_clicks(base_models, seen, rows), fit_clicks(base_models, seen, mixed)
    assert one is not None
    assert other is not None
    assert one.warm == pytest.approx(other.warm, abs=1e-3)


def test_with_few_cold_rows_cold_items_are_judged_like_warm_ones(world):
    base_models, seen, rows = world
    kept = np.flatnonzero(seen.numpy()[rows.item])
    warm = RowExam(rows.cases, rows.case[kept], rows.item[kept], rows.label[kept], ITEMS, "valid")
    gate = fit_clicks(base_models, seen, warm)
    assert gate is not None
    assert gate.cold == gate.warm


def test_without_enough_of_both_kinds_there_is_no_click_gate(world):
    base_models, seen, rows = world
    few = np.flatnonzero(rows.label == 0)[:49]
    kept = np.concatenate([np.flatnonzero(rows.label == 1), few])
    part = RowExam(rows.cases, rows.case[kept], rows.item[kept], rows.label[kept], ITEMS, "valid")
    assert fit_clicks(base_models, seen, part) is None


def test_a_run_keeps_its_click_gate(tmp_path):
    shop = read_shop(tmp_path / "data", users=60, per_maker=8, events=14)
    liked = np.random.default_rng(0).random(len(shop.interactions)) < 0.6
    shop = replace(shop, interactions=replace(shop.interactions, positive=liked))
    settings = load_settings(None, [*TINY, "split.by=rows", "split.valid=.3", "split.test=.2"])
    recommender = Recommender(settings).fit(shop)
    assert recommender.model.clicks is not None
    recommender.save(tmp_path / "run")
    again = Recommender.load(tmp_path / "run")
    assert again.model.clicks == recommender.model.clicks
    asked = cases([0, 1])
    assert torch.equal(again.click_scores(asked), recommender.click_scores(asked))
    assert not torch.equal(again.click_scores(asked), again.score(asked))
