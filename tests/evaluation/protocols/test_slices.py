"""Slices: what they hold, and that they are cut without another ranking."""

from dataclasses import replace

import numpy as np
from planted_events import planted

from trefoil.data import SplitRule, split_events
from trefoil.data.interactions import DAY_S
from trefoil.evaluation.baselines import Popularity
from trefoil.evaluation.metrics.ranking_metrics import measure
from trefoil.evaluation.protocols.protocols import full_exam, only_items
from trefoil.evaluation.protocols.slices import slices_of
from trefoil.evaluation.ranking import rank


def test_cold_and_warm_items_divide_what_is_wanted_and_equal_a_ranking_of_their_own():
    dataset = planted(users=100, items=300, events=8, rule=SplitRule("time"))
    split = split_events(dataset, 0)
    exam = full_exam(dataset, split, "test")
    train = dataset.interactions.take(split.train)
    popular = Popularity.fit(train, 100, 300)
    ranks = rank(popular, exam)
    slices = slices_of(dataset, split, exam)
    cold = slices["cold-items"].cut(ranks)
    warm = slices["warm-items"].cut(ranks)
    met = np.bincount(train.item, minlength=300) > 0
    assert not met[cold.relevant.item].any()
    assert met[warm.relevant.item].all()
    assert len(cold.place) + len(warm.place) == len(ranks.place)
    again = rank(popular, only_items(exam, met))
    assert (measure(again, ["ndcg@10"])["ndcg@10"] == measure(warm, ["ndcg@10"])["ndcg@10"]).all()
    assert measure(warm, ["recall@20"])["recall@20"].mean() > 0


def test_few_and_many_events_divide_the_cases_at_a_stated_border():
    dataset = planted(users=100, signal=1.0)
    split = split_events(dataset, 0)
    exam = full_exam(dataset, split, "test")
    ranks = rank(Popularity.fit(dataset.interactions.take(split.train), 100, 60), exam)
    slices = slices_of(dataset, split, exam)
    few, many = (slices[name].cut(ranks) for name in ("few-events", "many-events"))
    assert sorted([*few.user, *many.user]) == exam.cases.user.tolist()
    lengths = dict(zip(exam.cases.user, exam.cases.history.lengths, strict=True))
    assert max(lengths[u] for u in few.user) < min(lengths[u] for u in many.user)
    assert str(max(lengths[u] for u in few.user)) in slices["few-events"].meaning


def test_popular_items_hold_half_of_the_training_events():
    dataset = planted(users=200)
    split = split_events(dataset, 0)
    exam = full_exam(dataset, split, "test")
    ranks = rank(Popularity.fit(dataset.interactions.take(split.train), 200, 60), exam)
    slices = slices_of(dataset, split, exam)
    popular, rare = (slices[name].cut(ranks) for name in ("popular-items", "rare-items"))
    assert popular.place.mean() < rare.place.mean()


def test_a_slice_without_a_case_is_left_out():
    dataset = planted(users=300, items=30)
    split = split_events(dataset, 0)
    assert "cold-items" not in slices_of(dataset, split, full_exam(dataset, split, "test"))


def test_every_slice_says_what_it_means():
    dataset = planted(users=100, items=300, events=8, rule=SplitRule("time"))
    split = split_events(dataset, 0)
    slices = slices_of(dataset, split, full_exam(dataset, split, "test"))
    assert {"cold-items", "few-events"} <= set(slices)
    assert all(part.meaning for part in slices.values())


def test_cases_of_the_same_and_of_a_later_day_divide_those_of_last_events():
    dataset = planted(users=100, items=30, events=8, rule=SplitRule("leave-one-out"))
    events = dataset.interactions
    assert events.at is not None
    order = np.argsort(np.lexsort((events.at, events.user)), kind="stable")
    apart_s = np.where(events.user % 2, 1, DAY_S)  # odd users: all on one day
    events = replace(events, at=order * apart_s)
    dataset = replace(dataset, interactions=events)
    split = split_events(dataset, 0)
    exam = full_exam(dataset, split, "test")
    ranks = rank(Popularity.fit(events.take(split.train), 100, 30), exam)
    slices = slices_of(dataset, split, exam)
    same, later = (slices[name].cut(ranks) for name in ("same-day", "later-day"))
    assert sorted([*same.user, *later.user]) == exam.cases.user.tolist()
    assert (later.user % 2 == 0).all()
    assert len(later.user) > 0 < len(same.user)
