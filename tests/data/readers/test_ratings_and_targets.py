"""What counts as liked: low ratings, wished behaviours, and what is said where nobody told."""

import numpy as np
import polars as pl
import pytest

from trefoil.data import ConfigError, DataError, EventColumns, dataset_of
from trefoil.data.histories import Histories
from trefoil.data.readers.ratings import proposed_threshold

VISITS = pl.DataFrame(
    {"u": ["a", "a", "b", "b"], "i": ["1", "1", "1", "2"], "kind": ["view", "buy", "view", "drop"]}
)


def rated(stars, **more):
    ids = [str(row) for row in range(len(stars))]
    frame = pl.DataFrame({"u": ids, "i": ids, "stars": stars})
    return dataset_of(frame, EventColumns("u", "i", "stars", **more))


@pytest.mark.parametrize(
    ("values", "threshold"),
    [
        ([-1, 1], 1), ([-1, 0, 1], 1), ([0, 1], 1), ([1, 5], 5), ([1, 2, 3, 4, 5], 4),
        (np.arange(1, 11) / 2, 3), (range(11), 6), (np.linspace(-10, 10, 99), 0),
        (np.linspace(0, 0.01, 50), 0.005), ([3, 3], None), ([], None), ([np.nan], None),
    ],
)  # fmt: skip
def test_a_rating_is_low_up_to_the_middle_of_its_scale(values, threshold):
    found = proposed_threshold(np.array(list(values), np.float32))
    assert found == (None if threshold is None else pytest.approx(threshold))


def test_amounts_tell_of_no_dislike():
    plays = np.random.default_rng(0).exponential(30, 1000).round().astype(np.float32)
    assert proposed_threshold(plays) is None


def test_ratings_without_a_threshold_are_read_as_liked_and_said():
    dataset = rated([-1.0] * 3 + [1.0] * 5)
    assert dataset.interactions.positive.all()
    assert dataset.report.low_below == 1
    assert dataset.report.warnings == (
        "ratings from -1 to 1 and no positive_from: all 8 events count as liked; "
        "positive_from = 1 would count 5",
    )


def test_the_proposed_threshold_counts_what_it_says():
    assert rated([-1.0] * 3 + [1.0] * 5, positive_from=1).interactions.positive.sum() == 5


def test_a_threshold_that_is_named_is_the_one_of_low_ratings():
    report = rated([1.0, 4.0], positive_from=2.5).report
    assert (report.low_below, report.warnings) == (2.5, ())


def test_only_the_target_counts_and_other_kinds_stay_as_events():
    dataset = dataset_of(VISITS, EventColumns("u", "i", behaviour="kind", target=("buy",)))
    events = dataset.interactions
    kinds = [events.kind.names[code] for code in events.kind.codes]
    assert dict(zip(kinds, events.positive, strict=True)) == {
        "view": False, "buy": True, "drop": False,
    }  # fmt: skip
    assert len(events) == 4
    assert events.wished is None
    (note,) = dataset.report.warnings
    assert note.startswith("not learned from: events of kind view, drop; name in interest")


def test_kinds_of_interest_are_learned_from_and_not_asked_for():
    columns = EventColumns("u", "i", behaviour="kind", target="buy", interest="view")
    events = dataset_of(VISITS, columns).interactions
    kinds = [events.kind.names[code] for code in events.kind.codes]
    assert dict(zip(kinds, events.positive, strict=True)) == {
        "view": True, "buy": True, "drop": False,
    }  # fmt: skip
    assert [kind for kind, asked in zip(kinds, events.asked, strict=True) if asked] == ["buy"]
    assert Histories.of(events, 10).lengths.sum() == 3


def test_without_a_target_every_kind_counts_and_that_is_said():
    dataset = dataset_of(VISITS, EventColumns("u", "i", behaviour="kind"))
    assert dataset.interactions.positive.all()
    assert dataset.report.kinds == {"view": 2, "buy": 1, "drop": 1}
    (note,) = dataset.report.warnings
    assert note.startswith("kind has view 2, buy 1, drop 1; no kind counts for more than another")


def test_a_target_that_nobody_did_is_refused_with_what_there_is():
    with pytest.raises(DataError, match=r"target 'bye'.*did you mean 'buy'.*'drop'"):
        dataset_of(VISITS, EventColumns("u", "i", behaviour="kind", target=("buy", "bye")))
    named = EventColumns("u", "i", behaviour="kind", target=("buy",), interest=("vew",))
    with pytest.raises(DataError, match=r"interest 'vew'.*did you mean 'view'"):
        dataset_of(VISITS, named)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"target": ("buy",)}, "target needs behaviour"),
        ({"interest": ("view",)}, "interest needs target"),
        (
            {"behaviour": "kind", "target": ("buy",), "interest": ("buy",)},
            "'buy' is in target and in interest",
        ),
        ({"positive_from": 3}, "positive_from needs rating"),
        ({"time_format": "%d"}, "need time"),
        ({"time": "at", "time_format": "%d", "time_unit": "ms"}, "beside time_format"),
        ({"time": "at", "time_unit": "min"}, "time_unit is 'min'"),
    ],
)
def test_a_column_entry_that_changes_nothing_is_refused(more, said):
    with pytest.raises(ConfigError, match=said):
        EventColumns("u", "i", **more)


def test_the_report_is_a_table_and_a_text():
    report = rated([1.0, 5.0]).report
    table = report.table()
    assert table.columns == ["what", "value", "note"]
    assert table.filter(pl.col("what") == "events")["value"].to_list() == ["2"]
    assert table.filter(pl.col("what") == "note")["note"].to_list() == list(report.warnings)
    assert f"note: {report.warnings[0]}" in str(report).splitlines()
    assert "positive_from" in report._repr_html_()
