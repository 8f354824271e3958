"""Tasks that are off by default: losses by hand, and what is learned in a planted shop."""

import math

import numpy as np
import polars as pl
import pytest
import torch
from planted_shop import TINY

from trefoil.data import EventColumns, SplitRule, dataset_of
from trefoil.fusion.network import objectives
from trefoil.fusion.recommender import Recommender
from trefoil.fusion.settings import load_settings


def test_pairwise_by_hand():
    found = objectives.pairwise(torch.tensor([0.0]), torch.tensor([[0.0, math.log(3)]]))
    assert float(found) == pytest.approx((math.log(2) + math.log(4)) / 2)


def test_calibrated_bce_by_hand_and_plain_where_all_items_are_drawn():
    """A quarter drawn: b = 1/4 (3/4 (1 - 4) + 4) = 7/16."""
    picked, rivals = torch.tensor([math.log(3)]), torch.tensor([[0.0, -math.log(3)]])
    plain = math.log(4 / 3) + math.log(2) + math.log(4 / 3)
    found = objectives.calibrated_bce(picked, rivals, torch.tensor(1.0))
    assert float(found) == pytest.approx(plain / 3)
    found = objectives.calibrated_bce(picked, rivals, torch.tensor(0.25))
    assert float(found) == pytest.approx((plain - 9 / 16 * math.log(4 / 3)) / 3)


@pytest.mark.parametrize("far", [60.0, -60.0])
def test_losses_stay_finite_and_alive_far_out(far):
    picked = torch.tensor([far], requires_grad=True)
    rivals, label = -picked[:, None], torch.ones(1)
    for loss in (
        objectives.pairwise(picked, rivals),
        objectives.calibrated_bce(picked, rivals, torch.tensor(0.5)),
        objectives.binary_cross_entropy(picked, label),
    ):
        (gradient,) = torch.autograd.grad(loss.sum(), picked, retain_graph=True)
        assert torch.isfinite(loss).all()
        assert float(gradient) < -0.2 if far < 0 else abs(float(gradient)) < 1e-6


def settings(*changes):
    return load_settings(None, [*TINY, "network.epochs=30", "network.patience=15", *changes])


@pytest.mark.parametrize("loss", ["bpr", "gbce"])
def test_a_ranking_of_pairs_learns_what_the_softmax_learns(shop, loss):
    marks = [
        Recommender(settings(f"tasks.ranking_loss={one}", "tasks.negatives=16")).fit(shop)
        for one in ("softmax", loss)
    ]
    softmax, pairs = (one.model.record.gate["only network"] for one in marks)
    assert pairs > 0.6 * softmax


def test_facts_and_texts_of_items_are_told_from_who_takes_them(shop):
    """Content is no part of the vectors, so that makers' lovers alone can tell."""
    off = ["graph.in_network=false", "text.in_network=false", "tasks.facts=1", "tasks.texts=1"]
    recommender = Recommender(settings("network.id_dropout=0", *off)).fit(shop)
    rows = recommender.model.record.history[0]
    assert rows[-1]["texts"] < 0.9 * rows[0]["texts"]
    network, facts = recommender.model.networks[0], recommender.model.known.facts
    made = facts.matrix[:, facts.matrix.sum(0).A1 == 10 if hasattr(facts.matrix.sum(0), "A1") else
                        np.asarray(facts.matrix.sum(0)).ravel() == 10]  # fmt: skip
    assert made.shape[1] >= 4  # one fact for each maker
    items = network.pass_messages().items
    columns = np.flatnonzero(np.asarray(facts.matrix.sum(0)).ravel() == 10)
    with torch.no_grad():
        logits = [
            network.heads["facts"](items, torch.full((40,), int(column))) for column in columns
        ]
    told = torch.stack(logits, 1).argmax(1).numpy()
    held = np.asarray(facts.matrix[:, columns].todense())
    assert held[np.arange(40), told].mean() > 0.7


def events(**columns):
    """Forty users of two tastes and twenty items; what a column says follows the taste."""
    rng = np.random.default_rng(0)
    rows = [(f"u{u}", f"i{i}", u % 2, i % 2) for u in range(40) for i in rng.permutation(20)[:12]]
    frame = pl.DataFrame(rows, schema=["user", "item", "own", "kind_of"], orient="row")
    same = pl.col("own") == pl.col("kind_of")
    frame = frame.with_columns(
        behaviour=pl.when(same).then(pl.lit("buy")).otherwise(pl.lit("view")),
        stars=pl.when(same).then(5.0).otherwise(1.0),
    )
    return dataset_of(frame, EventColumns("user", "item", **columns), rule=SplitRule("ratio"))


def test_kinds_of_events_are_learned_where_there_are_any(shop):
    dataset = events(behaviour="behaviour")
    rows = Recommender(settings("tasks.kind=1")).fit(dataset).model.record.history[0]
    assert rows[-1]["kind"] < 0.6 * math.log(2)
    plain = Recommender(settings("tasks.kind=1")).fit(shop).model.record.history[0]
    assert "kind" not in plain[0]


def test_likes_are_learned_where_the_data_hold_dislikes(shop):
    dataset = events(rating="stars", positive_from=4.0)
    rows = Recommender(settings("tasks.like=1")).fit(dataset).model.record.history[0]
    assert rows[-1]["like"] < 0.6 * math.log(2)
    plain = Recommender(settings("tasks.like=1")).fit(shop).model.record.history[0]
    assert "like" not in plain[0]
