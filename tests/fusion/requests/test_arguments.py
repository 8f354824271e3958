"""What callers hand to a recommender means what it means in tables; faults are told in words."""

import datetime

import numpy as np
import pandas as pd
import polars as pl
import pytest

from trefoil.data.errors import ConfigError
from trefoil.fusion.requests import arguments


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("phone", "phone"), (5, "5"), (5.0, "5"), (2.5, "2.5"), (True, "true"),
        (datetime.date(2026, 11, 3), "2026-11-03"), (None, ""), (float("nan"), ""),
    ],
)  # fmt: skip
def test_a_context_is_written_as_tables_write_it(value, text):
    assert arguments.scenario_of({"device": value}) == {"device": text}
    names, contexts = arguments.users_in(pl.DataFrame({"user": ["a", "b"], "device": [value] * 2}))
    assert (names, contexts) == (["a", "b"], {"device": [text] * 2})


def test_a_hole_in_a_column_of_pandas_is_no_context():
    table = pd.DataFrame({"user": ["a", "b"], "hour": [3.0, np.nan]})
    assert arguments.users_in(table)[1] == {"hour": ["3", ""]}


def test_what_is_no_context_is_refused_in_words():
    with pytest.raises(ConfigError, match="scenario 'device': give texts"):
        arguments.scenario_of({"device": {"kind": "phone"}})


@pytest.mark.parametrize("value", [10**30, -(10**30), 1.6e12, float("inf"), float("nan"), "soon"])
def test_a_moment_is_of_a_year_that_there_is(value):
    with pytest.raises(ConfigError, match="give Unix seconds"):
        arguments.moment("at", value)


@pytest.mark.parametrize("table", [None, pl.LazyFrame({"user": ["a"]})])
def test_no_table_is_refused_in_words(table):
    with pytest.raises(ConfigError, match="users"):
        arguments.users_in(table)
