"""Tasks that are off by default: losses by hand, and what is learned in a planted shop."""

import math

import numpy as np
import polars as pl
import pytest
import torch
from planted_shop import ALONE

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
    return load_settings(None, [*ALONE, "network.epochs=40", "network.patience=20", *changes])


def test_a_ranking_of_pairs_learns_what_the_softmax_learns(shop):
    marks = {}
    for loss in ("softmax", "bpr", "gbce"):
        changes = [f"tasks.ranking_loss={loss}", "tasks.negatives=16", "network.epochs=20"]
        model = Recommender(settings(*changes)).fit(shop).model
        marks[loss] = model.record.gate["only network"]
    assert min(marks["bpr"], marks["gbce"]) > 0.6 * marks["softmax"]


def test_facts_and_texts_of_items_are_told_from_who_takes_them(shop):
    """Content is no part of the vectors, so that makers' lovers alone can tell."""
    off = ["graph.in_network=false", "text.in_network=false", "tasks.facts=1", "tasks.texts=1"]
    recommender = Recommender(settings("network.id_dropout=0", *off)).fit(shop)
    rows = recommender.model.record.history[0]
    assert rows[-1]["texts"] < 0.9 * rows[0]["texts"]
    network, facts = recommender.model.networks[0], recommender.model.known.facts
    assert facts is not None
    held = np.asarray(facts.matrix.todense())
    held = held[:, held.sum(0) == 10]  # one fact for each maker
    assert held.shape[1] >= 4
    columns = np.flatnonzero(np.asarray(facts.matrix.sum(0)).ravel() == 10)
    with torch.no_grad():
        items = network.pass_messages().items
        told = [network.heads["facts"](items, torch.full((40,), int(one))) for one in columns]
    best = torch.stack(told, 1).argmax(1).numpy()
    assert held[np.arange(40), best].mean() > 0.6


def tastes():
    """Forty users of two tastes: those of a taste buy and like its items, and view the others."""
    rng = np.random.default_rng(0)
    rows = [
        (f"u{u}", f"i{i}", bool(u % 2 == i % 2))
        for u in range(40)
        for i in rng.permutation(20)[:12]
    ]
    frame = pl.DataFrame(rows, schema=["user", "item", "own"], orient="row").with_columns(
        behaviour=pl.when("own").then(pl.lit("buy")).otherwise(pl.lit("view")),
        stars=pl.when("own").then(5.0).otherwise(1.0),
    )
    columns = EventColumns("user", "item", rating="stars", positive_from=4.0, behaviour="behaviour")
    return dataset_of(frame, columns, rule=SplitRule("ratio"))


def test_kinds_and_likes_are_learned_where_there_are_any(shop):
    both = settings("tasks.kind=1", "tasks.like=1")
    rows = Recommender(both).fit(tastes()).model.record.history[0]
    assert rows[-1]["kind"] < 0.7 * rows[0]["kind"]
    assert rows[-1]["like"] < 0.7 * rows[0]["like"]
    plain = Recommender(both).fit(shop).model.record.history[0]
    assert not {"kind", "like"} & set(plain[0])
