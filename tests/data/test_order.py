"""Events lie in an order of their content, so the order of a file decides nothing."""

import random
from dataclasses import fields

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trefoil.data import EventColumns, Histories, SplitError, SplitRule, dataset_of, split_events
from trefoil.data.interactions import Categorical
from trefoil.data.order import ascending_ties
from trefoil.data.split_proof import prove

COLUMNS = EventColumns("u", "i", "s", 3, "t")
SCHEMA = {"u": pl.String, "i": pl.String, "s": pl.Float64, "t": pl.Int64}
rows_of_anything = st.lists(
    st.tuples(
        st.sampled_from("abc"),
        st.sampled_from("123456"),
        st.sampled_from([1.0, 5.0, None]),
        st.one_of(st.none(), st.integers(0, 3)),
    ),
    min_size=1,
    max_size=40,
)


def log(rows, columns=COLUMNS, schema=SCHEMA):
    return dataset_of(pl.DataFrame(rows, schema=schema, orient="row"), columns)


def same(one, other) -> bool:
    if isinstance(one, Categorical):
        return np.array_equal(one.codes, other.codes) and one.names == other.names
    if isinstance(one, np.ndarray):
        return np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
    return one is None and other is None


@settings(deadline=None, max_examples=40)
@given(
    rows=rows_of_anything, seed=st.integers(0, 99), by=st.sampled_from(["leave-one-out", "rows"])
)
def test_shuffled_files_give_equal_events_histories_and_splits(rows, seed, by):
    turned = random.Random(seed).sample(rows, len(rows))
    first, second = log(rows), log(turned)
    one, other = first.interactions, second.interactions
    plain = [field.name for field in fields(one) if field.name != "scenario"]
    assert all(same(getattr(one, name), getattr(other, name)) for name in plain)
    histories = [Histories.of(events, len(first.users)) for events in (one, other)]
    assert np.array_equal(histories[0].item, histories[1].item)
    try:
        splits = [split_events(dataset, 0, SplitRule(by, 0.2, 0.2)) for dataset in (first, second)]
    except SplitError:
        return
    assert splits[0].digest == splits[1].digest
    assert np.array_equal(splits[0].open_test(), splits[1].open_test())


def test_ties_follow_no_ids_so_the_highest_item_is_seldom_the_last():
    rows = [(f"u{u}", f"{i:02}", None, 7) for u in range(400) for i in range(10)]
    dataset = log(rows)
    held = dataset.interactions.item[split_events(dataset, 0, SplitRule("leave-one-out"))._test]
    assert len(held) == 400
    highest = (held == 9).mean()  # a tenth by chance; four standard errors are .06
    assert abs(highest - 0.1) < 0.06
    assert dataset.report.file_order.ascending == 1.0
    assert abs(ascending_ties(dataset.interactions, dataset.items.vocabulary.ids)[1] - 0.5) < 0.06


def test_the_digest_tells_two_splits_of_equal_counts_apart():
    dataset = log([("a", f"{i}", None, i) for i in range(6)] + [("b", "1", None, 2)])
    splits = [split_events(dataset, seed, SplitRule("rows", 0.2, 0.2)) for seed in range(8)]
    parts = {(tuple(one.train), tuple(one.valid), tuple(one.open_test())) for one in splits}
    assert len({one.digest for one in splits}) == len(parts) > 1
    assert splits[0].about(dataset)["split"] == splits[0].digest


def test_an_event_without_a_time_trains_and_drops_a_held_out_one_of_its_pair():
    rows = [("a", "1", None, 1), ("a", "2", None, 2), ("a", "3", None, 3), ("a", "3", None, None)]
    split = split_events(log(rows), 0, SplitRule("leave-one-out"))
    assert (len(split.train), len(split.valid), len(split.open_test())) == (2, 1, 0)
    assert split.proof.untimed == 1
    assert split.proof.repeats == 1


@pytest.mark.parametrize(
    ("times", "reads"), [((1, 2, 3), True), ((1, 2, 2), True), ((1, 3, 2), False)]
)
def test_a_given_split_reads_validation_where_its_parts_follow_in_time(times, reads):
    parts = ("train", "valid", "test")
    rows = [("a", part, part, at) for part, at in zip(parts, times, strict=True)]
    schema = {"u": pl.String, "i": pl.String, "p": pl.String, "t": pl.Int64}
    dataset = log(rows, EventColumns("u", "i", time="t", split="p"), schema)
    split = split_events(dataset, 0)
    assert split.proof.reads_validation is reads
    expected = "training and validation" if reads else "training"
    assert split.about(dataset)["history"] == expected
    assert f"a history holds {expected} events" in split.proof.statement


def test_a_bad_leave_one_out_part_is_refused():
    events = log([("a", f"{i}", None, i) for i in range(3)]).interactions
    told = {"seed": 0, "ties": 0, "repeats": 0, "untimed": 0}
    prove(events, np.array([0, 1, 2]), SplitRule("leave-one-out"), **told)
    with pytest.raises(SplitError, match="1 users train on events later than their test event"):
        prove(events, np.array([2, 1, 0]), SplitRule("leave-one-out"), **told)


def test_a_part_with_nothing_to_ask_is_named_with_cause_and_remedy():
    dataset = log([(f"u{i}", f"{i}", None, i) for i in range(5)])
    valid, test = split_events(dataset, 0, SplitRule("ratio")).proof.lacks
    assert "no validation event: 5 users have at most 1 distinct positive item(s) each" in valid
    assert "no test event" in test
    disliked = log([("a", f"{i}", 1.0, i) for i in range(30)])
    (said,) = split_events(disliked, 0, SplitRule("ratio")).proof.lacks
    assert "0 of 30 events are positives" in said
