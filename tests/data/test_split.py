"""Splits: counts by hand, the same seed twice, and nothing that leaks back."""

from collections import defaultdict

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trefoil.data import ConfigError, EventColumns, SplitError, SplitRule, dataset_of, split_events
from trefoil.data.split import inner_split

TIMED = EventColumns("u", "i", time="t")


def log(rows, schema=("u", "i", "t"), columns=TIMED, **told):
    frame = pl.DataFrame(rows, schema=list(schema), orient="row")
    return dataset_of(frame, columns, max_bad_share=1.0, **told)


def parts(rows, dataset, split):
    """For each row as filed: L(eft out), T(rain), V(alid) or J(udge); a pair's rows by time."""
    marks = np.full(len(dataset.interactions), "L")
    for mark, held in (("T", split.train), ("V", split.valid), ("J", split.open_test())):
        assert (marks[held] == "L").all(), "an event has two parts"
        marks[held] = mark
    users, items = dataset.users.vocabulary, dataset.items.vocabulary
    found, log = defaultdict(list), dataset.interactions
    for user, item, mark in zip(log.user, log.item, marks, strict=True):
        found[users[user], items[item]].append(mark)
    return "".join(found[user, item].pop(0) for user, item, *_ in rows)


def test_time_gives_one_border_for_everybody():
    rows = [(f"u{i % 3}", f"i{i}", t) for i, t in enumerate([5, 1, 9, 2, 8, 3, 7, 4, 6, 0])]
    dataset = log(rows)
    split = split_events(dataset, 0, SplitRule("time", 0.2, 0.2))
    assert parts(rows, dataset, split) == "TTJTJTVTVT"
    proof = split.proof
    assert (proof.train_until, proof.valid_from, proof.valid_until, proof.test_from) == (5, 6, 7, 8)
    assert (proof.late_rows, proof.late_users) == (0, 0)


def test_events_at_a_border_go_to_the_earlier_part():
    rows = [("u", f"i{i}", t) for i, t in enumerate([1, 2, 3, 3, 3, 4, 4, 5])]
    dataset = log(rows)
    split = split_events(dataset, 0, SplitRule("time", 0.25, 0.25))
    assert parts(rows, dataset, split) == "TTTTTVVJ"


def test_time_without_room_for_a_test_is_refused():
    dataset = log([("u", "i", 1), ("u", "j", 1), ("v", "i", 1)])
    with pytest.raises(SplitError, match="no validation event: 3 events at 1 moments"):
        split_events(dataset, 0, SplitRule("time"))


def test_events_without_a_time_train_and_are_counted():
    rows = [("u", f"i{i}", i if i != 2 else None) for i in range(9)]
    dataset = log(rows)
    split = split_events(dataset, 0, SplitRule("time", 0.25, 0.25))
    assert parts(rows, dataset, split) == "TTTTTVVJJ"
    assert split.proof.untimed == 1
    assert "1 events have no time; they train and are never held out" in split.proof.statement


@pytest.mark.parametrize("by", ["time", "leave-one-out"])
def test_a_rule_of_time_without_times_is_refused(by):
    dataset = log([("u", "i"), ("u", "j")], ("u", "i"), EventColumns("u", "i"))
    with pytest.raises(SplitError, match="name the time column, or split by ratio"):
        split_events(dataset, 0, SplitRule(by))


@pytest.mark.parametrize(
    ("n", "counts"),
    [
        (1, (1, 0, 0)),
        (2, (1, 0, 1)),
        (3, (1, 1, 1)),
        (9, (7, 1, 1)),
        (10, (8, 1, 1)),
        (19, (17, 1, 1)),
        (20, (16, 2, 2)),
        (39, (33, 3, 3)),
    ],
)
def test_ratio_counts_are_those_of_the_recipe(n, counts):
    dataset = log([("u", f"i{i}") for i in range(n)], ("u", "i"), EventColumns("u", "i"))
    split = split_events(dataset, 3, SplitRule("ratio", 0.1, 0.1))
    assert (len(split.train), len(split.valid), len(split.open_test())) == counts


def test_ratio_counts_distinct_pairs_and_keeps_a_pair_together():
    rows = [("u", f"i{i % 10}", i) for i in range(40)]
    dataset = log(rows)
    split = split_events(dataset, 0, SplitRule("ratio"))
    assert (len(split.train), len(split.valid), len(split.open_test())) == (32, 4, 4)
    held = dataset.interactions.item[split.open_test()]
    assert len(set(held)) == 1
    assert split.proof.repeats == 0


def test_ratio_divides_low_ratings_too_so_that_errors_span_the_scale():
    rows = [("u", f"i{i}", 5.0 if i < 20 else 1.0) for i in range(40)]
    columns = EventColumns("u", "i", "stars", positive_from=4)
    dataset = log(rows, ("u", "i", "stars"), columns)
    split = split_events(dataset, 0, SplitRule("ratio"))
    for held in (split.valid, split.open_test()):
        assert dataset.interactions.positive[held].tolist().count(True) == 2
        assert dataset.interactions.positive[held].tolist().count(False) == 2


def test_ratio_leaves_unrated_negatives_in_training():
    rows = [("u", f"i{i}", i % 2) for i in range(40)]
    dataset = log(rows, ("u", "i", "label"), EventColumns("u", "i", positive="label"))
    split = split_events(dataset, 0, SplitRule("ratio"))
    assert dataset.interactions.positive[split.open_test()].all()
    assert (~dataset.interactions.positive[split.train]).sum() == 20


@pytest.mark.parametrize("by", ["ratio", "rows", "given"])
def test_the_seed_decides_and_nothing_else(by):
    rows = [(f"u{i % 7}", f"i{i % 31}", "test" if i % 5 == 0 else "train") for i in range(217)]
    columns = EventColumns("u", "i", split="part")
    dataset = log(rows, ("u", "i", "part"), columns)
    backwards = log(rows[::-1], ("u", "i", "part"), columns)
    rule = SplitRule(by, 0.2, 0.2)
    first, again, other = (split_events(dataset, seed, rule) for seed in (1, 1, 2))
    assert parts(rows, dataset, first) == parts(rows, dataset, again) != parts(rows, dataset, other)
    turned = split_events(backwards, 1, rule)
    assert parts(rows, backwards, turned) == parts(rows, dataset, first)


def test_ratio_holds_out_every_pair_equally_often():
    dataset = log([("u", f"i{i}") for i in range(10)], ("u", "i"), EventColumns("u", "i"))
    held = [dataset.interactions.item[split_events(dataset, s).open_test()[0]] for s in range(500)]
    counts = np.bincount(held, minlength=10)
    assert counts.min() > 50 - 4 * np.sqrt(45)  # binomial, four standard deviations
    assert counts.max() < 50 + 4 * np.sqrt(45)


@pytest.mark.parametrize("by", ["ratio", "rows"])
def test_the_folds_hold_out_every_event_once(by):
    rows = [(f"u{user}", f"i{item}") for user in range(6) for item in range(10)]
    dataset = log(rows, ("u", "i"), EventColumns("u", "i"))
    held, train = [], []
    for fold in range(5):
        split = split_events(dataset, 3, SplitRule(by, 0.2, 0.2, fold=fold))
        held.append((split.valid, split.open_test()))
        train.append(split.train)
    for part in zip(*held, strict=True):
        assert sorted(np.concatenate(part).tolist()) == list(range(60))
    assert all(len(one) == 36 for one in train)
    plain = split_events(dataset, 3, SplitRule(by, 0.2, 0.2))
    assert np.array_equal(plain.train, train[0])


def test_rules_that_draw_nothing_have_no_folds():
    with pytest.raises(ConfigError, match=r"split\.fold = 1 by 'time'"):
        SplitRule("time", fold=1)


def test_leave_one_out_takes_the_last_two_and_leaves_short_histories():
    rows = [
        ("a", "1", 10), ("a", "2", 30), ("a", "3", 20), ("a", "4", 40),
        ("b", "1", 1), ("b", "2", 2),
        ("c", "1", 5), ("c", "2", 5), ("c", "3", 5),
    ]  # fmt: skip
    dataset = log(rows)
    split = split_events(dataset, 0, SplitRule("leave-one-out"))
    marks = parts(rows, dataset, split)
    assert marks[:6] == "TVTJ" + "TT"
    assert sorted(marks[6:]) == ["J", "T", "V"]
    assert split.proof.ties == 1


def test_leave_one_out_places_low_ratings_by_their_moment():
    rows = [
        ("a", f"{t}", 1.0 if t in (0, 25, 35, 45) else 5.0, t)
        for t in (0, 10, 20, 25, 30, 35, 40, 45)
    ]
    columns = EventColumns("u", "i", "s", positive_from=4, time="t")
    dataset = log(rows, ("u", "i", "s", "t"), columns)
    split = split_events(dataset, 0, SplitRule("leave-one-out"))
    #        0    10   20   25   30   35   40   45
    assert parts(rows, dataset, split) == "TTTTVVJJ"
    assert split.proof.late_users == 0


def test_leave_one_out_drops_a_held_out_pair_that_training_knows():
    rows = [
        ("a", "1", 1),
        ("a", "2", 2),
        ("a", "3", 3),
        ("a", "1", 4),
        ("b", "1", 1),
        ("b", "2", 2),
        ("b", "3", 3),
    ]
    dataset = log(rows)
    split = split_events(dataset, 0, SplitRule("leave-one-out"))
    assert parts(rows, dataset, split) == "TTVL" + "TVJ"
    assert split.proof.repeats == 1
    kept = split_events(dataset, 0, SplitRule("leave-one-out", repeats=True))
    assert parts(rows, dataset, kept) == "TTVJ" + "TVJ"
    assert kept.proof.shared_pairs == 1


def test_leave_one_out_needs_somebody_with_three():
    with pytest.raises(SplitError, match="three positive events"):
        split_events(log([("a", "1", 1), ("a", "2", 2)]), 0, SplitRule("leave-one-out"))


def test_given_parts_are_used_as_given():
    marks = ["train", "valid", "test", "train", "test"]
    rows = [("u", f"i{i}", mark) for i, mark in enumerate(marks)]
    dataset = log(rows, ("u", "i", "part"), EventColumns("u", "i", split="part"))
    assert dataset.rule.by == "given"
    assert parts(rows, dataset, split_events(dataset, 0)) == "TVJTJ"


def test_given_without_validation_carves_it_from_training():
    rows = [("u", f"i{i}", "test" if i < 10 else "train") for i in range(40)]
    dataset = log(rows, ("u", "i", "part"), EventColumns("u", "i", split="part"))
    split = split_events(dataset, 0)
    assert (len(split.train), len(split.valid), len(split.open_test())) == (27, 3, 10)
    assert set(parts(rows[:10], dataset, split)) == {"J"}


def test_an_inner_split_stays_within_the_training_part():
    rows = [(f"u{i % 4}", f"i{i}", "test" if i % 5 == 0 else "train") for i in range(200)]
    dataset = log(rows, ("u", "i", "part"), EventColumns("u", "i", split="part"))
    split = split_events(dataset, 0, SplitRule("given", 0.1))
    part = inner_split(dataset, split, 0.25)
    assert np.array_equal(np.sort(np.concatenate([part.train, part.valid])), split.train)
    held = np.bincount(dataset.interactions.user[part.valid])
    whole = np.bincount(dataset.interactions.user[split.train])
    assert np.array_equal(held, whole // 4)
    assert not len(part.open_test())
    again = inner_split(dataset, split, 0.25)
    assert np.array_equal(again.valid, part.valid)


def test_given_without_a_test_is_refused():
    dataset = log([("u", "i", "train")], ("u", "i", "p"), EventColumns("u", "i", split="p"))
    with pytest.raises(SplitError, match="no test event"):
        split_events(dataset, 0)


def test_rows_keep_pairs_that_return():
    rows = [("u", "i", t) for t in range(100)]
    dataset = log(rows)
    split = split_events(dataset, 0, SplitRule("rows", 0.2, 0.1))
    assert (len(split.train), len(split.valid), len(split.open_test())) == (70, 20, 10)


@pytest.mark.parametrize(
    ("valid", "test"), [(0.0, 0.1), (0.1, 0.0), (0.5, 0.5), (-0.1, 0.1), (float("nan"), 0.1)]
)
def test_impossible_shares_are_refused(valid, test):
    with pytest.raises(ConfigError, match="shares"):
        SplitRule("ratio", valid, test)


def test_an_unknown_rule_is_refused_with_the_nearest():
    with pytest.raises(ConfigError, match="did you mean 'leave-one-out'"):
        SplitRule("leave-one")


def test_the_test_rows_show_nowhere_but_when_asked_for():
    dataset = log([("u", f"i{i}", i) for i in range(10)])
    split = split_events(dataset, 0, SplitRule("time"))
    assert str(split.open_test()) not in repr(split)


rows_of_anything = st.lists(
    st.tuples(
        st.sampled_from("abcd"),
        st.sampled_from("123456"),
        st.one_of(st.none(), st.integers(0, 9)),
        st.sampled_from([1.0, 3.0, 5.0, None]),
        st.sampled_from(["train", "test"]),
    ),
    min_size=1,
    max_size=40,
)


@settings(deadline=None, max_examples=80)
@given(
    rows=rows_of_anything, by=st.sampled_from(["time", "ratio", "leave-one-out", "given", "rows"])
)
def test_no_split_leaks(rows, by):
    columns = EventColumns("u", "i", "s", positive_from=3, time="t", split="p")
    schema = {"u": pl.String, "i": pl.String, "t": pl.Int64, "s": pl.Float64, "p": pl.String}
    dataset = dataset_of(pl.DataFrame(rows, schema=schema, orient="row"), columns)
    events = dataset.interactions
    try:
        split = split_events(dataset, 0, SplitRule(by, 0.2, 0.2))
    except SplitError:
        return
    train, valid, test = split.train, split.valid, split.open_test()
    together = np.concatenate([train, valid, test])
    assert len(np.unique(together)) == len(together)
    assert len(together) + split.proof.repeats == len(events)

    def pairs(rows):
        return set(zip(events.user[rows].tolist(), events.item[rows].tolist(), strict=True))

    if by != "rows":
        assert not pairs(train) & (pairs(valid) | pairs(test))
        assert not pairs(valid) & pairs(test)
    if by == "time":
        assert events.at[train].max() < events.at[test].min(initial=99)
        assert events.at[valid].max(initial=0) <= events.at[test].min(initial=99)
    if by == "leave-one-out":
        for user in np.unique(events.user[test]):
            mine = events.at[train[events.user[train] == user]]
            assert mine.max(initial=0) <= events.at[test[events.user[test] == user]].min()
