"""Values of the Neo4j driver become columns; what no column keeps becomes text, and is counted."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from neo4j.spatial import CartesianPoint, WGS84Point
from neo4j.time import Date, DateTime, Duration, Time

from trefoil.data.neo4j.columns import BEYOND, CUT, MIXED, Tally, column, native

BERLIN = ZoneInfo("Europe/Berlin")


class BrokenHydrationObject:
    """As the driver gives for a date that Python lacks: what the server sent, and the fault."""

    def __init__(self, *fields):
        self.raw_data = type("Structure", (), {"fields": fields})()
        self.error = ValueError("year is out of range")


@pytest.mark.parametrize(
    ("values", "dtype", "expected"),
    [
        ([1, None, 2], pl.Int64(), [1, None, 2]),
        ([1, 2.5], pl.Float64(), [1.0, 2.5]),
        ([True, None], pl.Boolean(), [True, None]),
        ([bytearray(b"\x00"), None], pl.Binary(), [b"\x00", None]),
        ([Date(2001, 2, 3), None], pl.Date(), [dt.date(2001, 2, 3), None]),
        ([Duration(hours=1)], pl.Duration("us"), [dt.timedelta(hours=1)]),
        ([[1, 2.5], None, []], pl.List(pl.Float64), [[1.0, 2.5], None, []]),
        ([[Date(2001, 2, 3)]], pl.List(pl.Date), [[dt.date(2001, 2, 3)]]),
        ([None, None], pl.Null(), [None, None]),
    ],
)
def test_what_has_a_column_type_keeps_its_value(values, dtype, expected):
    tally = Tally()
    found = column("x", values, tally)
    assert found.dtype == dtype
    assert found.to_list() == expected
    assert not +tally.counts


@pytest.mark.parametrize(
    ("values", "expected", "counted"),
    [
        (
            [Time(8, 30, 0, tzinfo=dt.timezone(dt.timedelta(hours=1)))],
            ["08:30:00+01:00"],
            "times of day, kept as ISO text",
        ),
        ([Time(8, 30, 0, 120_000_000)], ["08:30:00.120"], "times of day, kept as ISO text"),
        (
            [Duration(years=1, months=2), Duration(hours=1)],
            ["P1Y2M", "PT1H"],
            "durations with months, kept as ISO text",
        ),
        (
            [Duration(days=400_000_000)],
            ["P400000000D"],
            "durations of 290,000 years and more, kept as ISO text",
        ),
        (
            [WGS84Point((13.4, 52.5)), CartesianPoint((1, 2, 3))],
            ["SRID=4326;POINT (13.4 52.5)", "SRID=9157;POINT (1 2 3)"],
            "points, kept as ISO text",
        ),
        (["a", 7], ["a", "7"], MIXED),
        (["a", [1]], ["a", "[1]"], MIXED),
    ],
)
def test_what_has_none_becomes_text_and_is_counted(values, expected, counted):
    tally = Tally()
    assert column("x", values, tally).to_list() == expected
    assert +tally.counts == {counted: len(values)}


def test_moments_keep_their_zone_and_mixed_ones_become_utc():
    noon = DateTime(2020, 7, 1, 12, tzinfo=BERLIN)
    utc = dt.datetime(2020, 7, 1, 10, tzinfo=dt.UTC)
    one = column("x", [noon, None])
    assert one.dtype == pl.Datetime("us", "Europe/Berlin")
    assert one.to_list() == [utc, None]
    two = column("x", [noon, DateTime(2020, 7, 1, 12, tzinfo=dt.UTC)])
    assert two.dtype == pl.Datetime("us", "UTC")
    assert two.to_list()[0] == utc
    local = column("x", [DateTime(2020, 7, 1, 12)])
    assert local.to_list() == [dt.datetime(2020, 7, 1, 12)]


def test_nanoseconds_are_cut_and_counted():
    tally = Tally()
    found = column("x", [DateTime(2020, 1, 1, 0, 0, 0, 129_790_999)], tally)
    assert found.to_list() == [dt.datetime(2020, 1, 1, 0, 0, 0, 129_790)]
    assert tally.counts[CUT] == 1


def test_a_date_that_no_calendar_has_is_missing_and_told():
    tally = Tally()
    found = column("founded", [BrokenHydrationObject(-735_600), Date(2001, 1, 1)], tally)
    assert found.to_list() == [None, dt.date(2001, 1, 1)]
    assert tally.counts[BEYOND] == 1
    assert tally.left_out == [("founded", 0, "-0045-12-31")]
    assert native(BrokenHydrationObject(-735_600)) == "-0045-12-31"
