"""Blends that share base models are ranked as each would be alone."""

import numpy as np
import torch
from planted_events import planted

from benchmarks import texts_in_engine
from benchmarks.texts_in_engine import Remembered, ranked
from trefoil.data import split_events
from trefoil.evaluation.baselines import ItemNeighbours, Popularity
from trefoil.evaluation.protocols.protocols import full_exam
from trefoil.evaluation.ranking import rank


def test_ranking_batch_by_batch_is_ranking_at_once(monkeypatch):
    dataset = planted(users=120, seed=1)
    split = split_events(dataset, 0)
    train = dataset.interactions.take(split.train)
    exam = full_exam(dataset, split, "test")
    monkeypatch.setattr(texts_in_engine, "BATCH_BYTES", 4 * exam.items * 50)  # 50 cases each
    scorers = {
        "popularity": Popularity.fit(train, 120, 60),
        "neighbours": ItemNeighbours.fit(train, 120, 60),
    }
    for name, found in ranked(scorers, exam).items():
        whole = rank(scorers[name], exam, 10)
        assert np.array_equal(found.place, whole.place)
        assert np.array_equal(found.top, whole.top)
        assert np.array_equal(found.candidates, whole.candidates)
        assert np.array_equal(found.user, whole.user)


class Counting:
    """Says how often it was asked."""

    reads = frozenset({"events"})

    def __init__(self):
        self.asked = 0

    def score(self, cases):
        self.asked += 1
        return torch.full((len(cases), 3), float(self.asked))


def test_an_answer_is_remembered_for_the_same_cases_alone():
    dataset = planted(users=120, seed=1)
    exam = full_exam(dataset, split_events(dataset, 0), "test")
    model = Counting()
    remembered = Remembered(model)
    first, again = exam.cases.take(np.arange(5)), exam.cases.take(np.arange(5, 10))
    answers = [float(remembered.score(cases)[0, 0]) for cases in (first, first, again, first)]
    assert answers == [1, 1, 2, 3]
