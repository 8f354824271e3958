"""Times reach the sequence network in training and when it answers, and may be missing."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import torch
from planted_shop import TINY

from trefoil.data import EventColumns, SplitRule, dataset_of
from trefoil.evaluation.protocols.protocols import full_exam
from trefoil.fusion.features.preparation import split_of
from trefoil.fusion.recommender import Recommender
from trefoil.fusion.settings import load_settings

USERS, EVENTS, GROUP = 150, 14, 20  # items come in two groups of so many
MINUTE, MONTH = 60, 30 * 86_400


def shop_of_hours():
    """After an event within a minute comes an item of the first group, after a pause the second."""
    rng = np.random.default_rng(3)
    rows = []
    for user in range(USERS):
        left = [rng.permutation(GROUP).tolist(), (GROUP + rng.permutation(GROUP)).tolist()]
        at, group = 900_000_000, 0
        for _ in range(EVENTS):
            pause = int(rng.integers(2))
            at += MONTH if pause else MINUTE
            rows.append((f"u{user}", f"i{left[group].pop():02d}", at))
            group = pause
    frame = pl.DataFrame(rows, schema=["user", "item", "at"], orient="row")
    columns = EventColumns("user", "item", time="at")
    return dataset_of(frame, columns, rule=SplitRule("leave-one-out"))


@pytest.fixture(scope="module")
def dataset():
    return shop_of_hours()


def groups_told_apart(dataset, *changes, timed=True):
    """How often the group that comes next scores higher, over the test's last histories."""
    always = ["linear.on=false", "network.epochs=40", "embedding_size=16", "behaviour.patience=40"]
    settings = load_settings(None, [*TINY, *always, *changes])
    recommender = Recommender(settings).fit(dataset)
    cases = full_exam(dataset, split_of(dataset, settings), "test").cases
    at, last = cases.history.at, cases.history.start[1:] - 1
    second = at[last] - at[last - 1] > MINUTE
    if not timed:
        cases = replace(cases, history=replace(cases.history, at=None))
    scores = recommender.model.base_models["behaviour"].score(cases)
    assert bool(scores.isfinite().all())
    higher = scores[:, GROUP:].mean(1) > scores[:, :GROUP].mean(1)
    return float((higher == torch.from_numpy(second)).float().mean())


def test_what_depends_on_the_pause_is_learned(dataset):
    assert groups_told_apart(dataset) > 0.8


def test_without_spans_it_cannot_be(dataset):
    assert groups_told_apart(dataset, "behaviour.time_gaps=false") < 0.7


def test_training_may_hide_all_times(dataset, monkeypatch):
    monkeypatch.setattr("trefoil.fusion.network.trainer.UNTIMED", 1.0)
    assert groups_told_apart(dataset) < 0.7


def test_a_visitor_without_times_gets_an_answer(dataset):
    assert groups_told_apart(dataset, timed=False) < 0.7
