"""The leak meter against figures counted by hand."""

import numpy as np
import polars as pl
import pytest
import torch

from trefoil.data import Cases, EventColumns, SplitRule, dataset_of, split_events
from trefoil.evaluation.protocols.leaks import (
    in_words,
    leaks,
    strictly_later,
    tied_at_split,
    tied_histories,
)
from trefoil.evaluation.protocols.protocols import exam_for
from trefoil.evaluation.ranking import rank

ROWS = [
    *(("a", item, at) for item, at in (("1", 1), ("2", 1), ("3", 2), ("4", 3))),  # nothing tied
    *(("b", item, at) for item, at in (("1", 1), ("2", 2), ("3", 3), ("4", 3))),  # last two tied
]


class LastItem:
    """Repeats the number of the newest event, so that the order of ties is all it knows."""

    def score(self, cases: Cases) -> torch.Tensor:
        newest = cases.history.item[cases.history.start[1:] - 1]
        return -torch.from_numpy(np.abs(np.arange(4)[None] - newest[:, None])).float()


def asked():
    frame = pl.DataFrame(ROWS, schema=["u", "i", "t"], orient="row")
    dataset = dataset_of(frame, EventColumns("u", "i", time="t"), rule=SplitRule("leave-one-out"))
    split = split_events(dataset, 0)
    return dataset, split, exam_for(dataset, split, "test")


def test_ties_and_later_cases_are_those_counted_by_hand():
    dataset, split, exam = asked()
    assert tied_at_split(dataset, split) == {"users": 1, "of": 2, "share": 0.5}
    assert strictly_later(exam).tolist() == [True, False]
    assert tied_histories(exam).tolist() == [0]


def test_the_report_holds_figures_and_words():
    dataset, split, exam = asked()
    told = leaks({"last": LastItem()}, dataset, split, exam, {"last": rank(LastItem(), exam)})
    assert told["strictly_later"]["cases"] == 1
    assert told["ties_shuffled"]["cases"] == 1
    assert told["tie_order"]["ascending_in_file"] == 1.0
    assert told["tie_order"]["file_sorted"] == "user by user, each by time"
    assert "1 of 2 users have a test event at the same moment" in told["words"][0]


def test_shuffled_ties_keep_what_is_known_and_the_order_of_moments():
    history = asked()[2].cases.history
    turned = [history.with_ties_shuffled(np.random.default_rng(seed)) for seed in range(20)]
    assert all(np.array_equal(one.at, history.at) for one in turned)
    assert {tuple(one.item[:2]) for one in turned} == {(0, 1), (1, 0)}
    assert all(one.item[2:].tolist() == history.item[2:].tolist() for one in turned)


@pytest.mark.parametrize(
    ("neighbours", "share", "word"),
    [(3, 0.0, "like chance"), (100, 0.0, "a pattern"), (100, 0.55, "like chance")],
)
def test_a_few_ties_are_no_pattern(neighbours, share, word):
    """Of three ties none ascends in one file of eight that know nothing of ids."""
    order = {
        "neighbours": neighbours,
        "ascending_in_file": share,
        "file_sorted": "by time",
        "ascending_as_divided": share,
    }
    told = {"tied_at_split": {"users": 0, "of": 9}, "tie_order": order, "untimed": 0}
    assert f"which is {word}" in in_words(told, "trefoil")[1]
