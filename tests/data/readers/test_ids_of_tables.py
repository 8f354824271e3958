"""Ids mean the same in every table and call, and words for nothing are no ids."""

from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pytest

from trefoil.data import DataError, EntityColumns, EventColumns, dataset_of, read_dataset
from trefoil.data.readers.frames import items_of
from trefoil.data.readers.lookalikes import lookalikes
from trefoil.data.vocabulary import Vocabulary, id_text

TWELVES = [12, 12.0, np.int32(12), np.float64(12), Decimal("12.00"), "12"]
LOG = EventColumns("user", "item")


def log(items, users="a"):
    return pl.DataFrame({"item": items}).with_columns(pl.lit(users).alias("user"))


@pytest.mark.parametrize("twelve", TWELVES, ids=repr)
def test_a_whole_number_of_any_type_is_one_id(twelve):
    assert id_text(twelve) == "12"
    frame = pd.DataFrame({"user": ["a"], "item": [twelve]})
    assert dataset_of(frame, LOG).items.vocabulary.ids == ("12",)


@pytest.mark.parametrize("text", ["12.0", "007", " a", "None"])
def test_text_stays_as_it_is_in_a_call(text):
    assert id_text(text) == text


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "missing value"),
        (float("nan"), "missing value"),
        (Decimal("NaN"), "missing value"),
        (True, "true or false"),
        (1.5, "no whole number"),
        (float("inf"), "no whole number"),
        (2.0**53, "no whole number"),
        (["a"], "is a list"),
    ],
)
def test_what_is_no_id_is_refused_in_words(value, said):
    with pytest.raises(DataError, match=said):
        id_text(value, "item")


def test_numbers_with_gaps_meet_the_whole_numbers_of_another_table():
    """A gap makes floats of whole numbers, as data frames keep them."""
    events = pd.DataFrame({"user": [1.0, 2.0, np.nan, 2.0], "item": [7, 8, 8, 8]})
    users = pd.DataFrame({"id": [1, 2], "name": ["Ada", "Bea"]})
    dataset = dataset_of(events, LOG, users=users, user_columns=EntityColumns("id", "name"))
    assert dataset.users.titles == ("Ada", "Bea")
    assert len(dataset.interactions) == 2  # two of them say the same
    assert dataset.report.reasons == {"empty user id": 1}


def test_numbers_of_a_scenario_are_written_like_ids():
    frame = pd.DataFrame({"user": ["a", "b"], "item": [1, 2], "weekend": [1.0, np.nan]})
    dataset = dataset_of(frame, EventColumns("user", "item", scenario=("weekend",)))
    assert dataset.interactions.scenario["weekend"].names == ("1",)


@pytest.mark.parametrize("word", ["None", "nan", "NaN", "<NA>", "NULL", "null", "\\N"])
def test_a_word_that_programs_write_for_nothing_is_no_id(word):
    dataset = dataset_of(log(["i", "j", "i", "j", word]), LOG)
    assert dataset.items.vocabulary.ids == ("i", "j")
    assert dataset.report.reasons == {"empty item id": 1}
    assert any(repr(word) in note for note in dataset.report.warnings)


def test_such_a_word_is_an_id_where_the_description_says_so(folder):
    toml = 'missing_ids = ["ghost"]\n[interactions]\nfile = "e.csv"\nuser = "u"\nitem = "i"\n'
    dataset = read_dataset(folder(toml, e_csv="u,i\na,null\na,j\nb,k\nb,ghost\n"))
    assert dataset.items.vocabulary.ids == ("j", "k", "null")


@pytest.mark.parametrize("word", ["NA", "-", "unknown"])
def test_a_word_that_may_be_an_id_is_kept_and_said_where_it_is_the_commonest(word):
    users = pl.Series("user", ["a", "b", "c", "d"])
    often = dataset_of(log([word, word, word, "i"]).with_columns(users), LOG)
    assert word in often.items.vocabulary
    assert f"{word!r} is the commonest item id, with 3 events" in often.report.warnings[-1]
    assert not dataset_of(log([word, "i", "i", "i"]).with_columns(users), LOG).report.warnings


def test_a_table_of_which_most_rows_have_no_id_stops():
    with pytest.raises(DataError, match="2 of 3 rows have an empty item id in column 'item'"):
        dataset_of(log(["i", "None", None]), LOG)


def test_added_items_need_an_id_each():
    with pytest.raises(DataError, match="empty item id in row 2"):
        items_of(pl.DataFrame({"id": ["a", "nan", "b"]}))


@pytest.mark.parametrize("pair", [("12", "12.0"), ("Ab", "aB"), ("7", "007"), ("a", "a ")])
def test_ids_that_some_program_wrote_anew_look_alike(pair):
    assert lookalikes(Vocabulary([*pair, "other"])) == (2, pair)
