"""What is known at which moment: histories, times of asking, contexts, and cut exams."""

from dataclasses import replace

import numpy as np
import pytest
from twins import RULES, shop_split_by

from trefoil.data import Interactions
from trefoil.data.histories import Cases, Histories
from trefoil.evaluation.protocols.protocols import cold_exam, full_exam, only_cases
from trefoil.fusion.models.returning import Returning


def test_histories_are_read_from_the_oldest_on_and_ties_keep_file_order():
    """The user of row 1 met items 5, 3, 4 at times 9, 2, 9; item 6 was no positive."""
    events = Interactions(
        np.array([1, 1, 1, 1, 0]),
        np.array([5, 3, 4, 6, 7]),
        np.array([True, True, True, False, True]),
        at=np.array([9, 2, 9, 1, 0]),
    )
    history = Histories.of(events, 3)
    assert history.start.tolist() == [0, 1, 4, 4]
    assert history.item.tolist() == [7, 3, 5, 4]
    assert history.at is not None
    assert history.at.tolist() == [0, 2, 9, 9]


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("part", ["valid", "test"])
def test_each_case_is_asked_at_the_time_of_its_first_held_out_event(rule, part, tmp_path):
    dataset, split = shop_split_by(rule, tmp_path / "data", users=40, events=9)
    exam = full_exam(dataset, split, part)
    rows = split.valid if part == "valid" else split.open_test()
    held = dataset.interactions.take(rows)
    held = held.take(held.positive)
    assert exam.cases.at is not None
    for user, at in zip(exam.cases.user, exam.cases.at, strict=True):
        assert at == held.at[held.user == user].min()


def test_a_cut_exam_ranks_the_same_candidates(tmp_path):
    dataset, split = shop_split_by("time", tmp_path / "data", users=40, events=9)
    events = dataset.interactions
    rows = np.sort(np.concatenate([split.train, split.valid]))
    few = replace(split, train=split.train[events.item[split.train] % 2 == 0], valid=rows[:0])
    exam = cold_exam(dataset, few, "test")
    assert exam.candidates is not None
    cut = only_cases(exam, np.arange(len(exam) - 1))
    assert len(cut) == len(exam) - 1 > 0
    assert cut.candidates is not None
    assert (cut.candidates == exam.candidates).all()


def test_an_unknown_context_equals_no_other():
    """Item 0 was met who knows where, item 1 in context 0."""
    history = Histories(np.array([0, 2]), np.array([0, 1]), scenario={"device": np.array([-1, 0])})
    scores = [
        Returning(2, pull=1.0).score(Cases(np.zeros(1, np.int64), history, None, {"device": now}))
        for now in (np.array([-1]), np.array([0]))
    ]
    assert scores[0].tolist() == [[1.0, 1.0]]
    assert scores[1][0].tolist() == pytest.approx([1.0, np.e])
