"""Of views, carts and purchases the purchases alone are asked for, and all are learned from."""

import numpy as np
import polars as pl
import pytest

from trefoil.data import EventColumns, SplitRule, dataset_of, split_events
from trefoil.data.fingerprint import fingerprint
from trefoil.data.split import inner_split
from trefoil.evaluation.protocols.protocols import full_exam
from trefoil.fusion.runs.catalogue import event_columns, events_of

PEOPLE, BOUGHT = 30, 6  # each buys six items; of each the view comes first


def shop(interest=("view",), apart=0, **more):
    """Each person views and buys six items, one a day, and views a seventh at last.

    ``apart`` is how far the item that is viewed lies from the one that is bought.
    """
    rows = [
        (f"u{user}", f"i{(user + number + apart * (hour == 1)) % 20}", number * 86_400 + hour, kind)
        for user in range(PEOPLE)
        for number in range(BOUGHT + 1)
        for hour, kind in ((1, "view"), (2, "buy"))
        if number < BOUGHT or kind == "view"
    ]
    frame = pl.DataFrame(rows, ["user", "item", "at", "kind"], orient="row")
    if more.get("split"):
        last = (pl.col("at") > (BOUGHT - 1) * 86_400) & (pl.col("kind") == "buy")
        frame = frame.with_columns(
            split=pl.when(last).then(pl.lit("test")).otherwise(pl.lit("train"))
        )
    columns = EventColumns(
        "user", "item", time="at", behaviour="kind", target="buy", interest=interest, **more
    )
    return dataset_of(frame, columns)


def kinds_of(dataset, rows):
    kind = dataset.interactions.kind
    return set(np.array(kind.names)[kind.codes[rows]])


def test_the_last_purchase_is_asked_though_a_view_came_later():
    dataset = shop(apart=7)
    split = split_events(dataset, 0, SplitRule("leave-one-out"))
    exam = full_exam(dataset, split, "test")
    assert len(exam) == len(exam.relevant.item) == PEOPLE
    events = dataset.interactions
    held = events.take(split.valid)
    assert set((held.at[held.asked] // 86_400).tolist()) == {BOUGHT - 2}


def test_a_pair_is_held_out_with_its_view():
    dataset = shop()
    split = split_events(dataset, 0, SplitRule("ratio", 0.2, 0.2))
    exam = full_exam(dataset, split, "valid")
    assert len(exam) == PEOPLE
    assert len(exam.relevant.item) == PEOPLE  # one purchase each, and no view
    assert kinds_of(dataset, split.valid) == {"view", "buy"}
    history = exam.cases.history
    assert (history.lengths == 2 * (BOUGHT - 2) + 1).all()  # views are learned from


@pytest.mark.parametrize("repeats", [False, True])
def test_what_is_carved_off_takes_its_view_along(repeats):
    dataset = shop(split="split")
    rule = SplitRule("given", 0.2, repeats=repeats)
    split = split_events(dataset, 0, rule)
    assert kinds_of(dataset, split.valid) == ({"buy"} if repeats else {"view", "buy"})
    assert len(full_exam(dataset, split, "valid")) == PEOPLE
    inner = inner_split(dataset, split, 0.2)
    assert kinds_of(dataset, inner.valid) == ({"buy"} if repeats else {"view", "buy"})


def test_without_interest_views_are_seen_and_not_learned_from():
    dataset = shop(interest=())
    split = split_events(dataset, 0, SplitRule("ratio", 0.2, 0.2))
    exam = full_exam(dataset, split, "valid")
    assert (exam.cases.history.lengths == BOUGHT - 2).all()
    assert "asked_for" not in dataset.report.counts
    assert shop().report.counts["asked_for"] == PEOPLE * BOUGHT
    assert shop().report.counts["positives"] == PEOPLE * (2 * BOUGHT + 1)


def test_what_is_asked_for_is_part_of_the_fingerprint():
    def digest(dataset):
        return fingerprint(dataset.interactions, dataset.users, dataset.items, None)

    assert digest(shop()) == digest(shop())
    assert digest(shop()) != digest(shop(interest=()))


def test_a_run_keeps_which_events_are_asked_for():
    events = shop().interactions
    again = events_of(event_columns(events), {}, events.kind.names)
    assert (again.asked == events.asked).all()
    assert events_of(event_columns(shop(interest=()).interactions), {}).wished is None
