"""Words for a missing value, copies of rows and bad cells cost nothing else."""

import numpy as np
import polars as pl
import pytest

from trefoil.data import (
    ConfigError,
    DataError,
    EntityColumns,
    EventColumns,
    dataset_of,
    read_dataset,
)

ITEMS = EntityColumns("id", "title", ("about",), ("genre",), ("price",))
HEAD = '[interactions]\nfile = "events.csv"\nuser = "u"\nitem = "i"\n'
SHOP = HEAD + '[items]\nfile = "items.csv"\nid = "id"\nnumeric = ["price"]\n'


def shop(items):
    events = pl.DataFrame({"u": ["a", "b"], "i": ["1", "2"]})
    return dataset_of(events, EventColumns("u", "i"), items=items, item_columns=ITEMS)


@pytest.mark.parametrize(
    "word", ["", "-", "NA", "N/A", "NaN", "nan", "NULL", "None", "\\N", "<NA>"]
)
def test_a_word_for_nothing_is_a_missing_value_in_every_column(word):
    rows = {"id": ["1", "2"], "title": ["Heat", word], "about": ["x", word]}
    dataset = shop(pl.DataFrame(rows | {"genre": ["war", word], "price": ["1", word]}))
    assert dataset.items.titles == ("Heat", None)
    assert dataset.items.texts == ("x", None)
    assert dataset.items.category["genre"].names == ("war",)
    np.testing.assert_array_equal(dataset.items.score["price"], [1, np.nan])
    said = [note for note in dataset.report.warnings if f"({word!r} 1)" in note]
    assert len(said) == (4 if word else 0)


@pytest.mark.parametrize("word", ["NaN", "NA", "null", "n/a", "none", "-"])
def test_an_event_whose_rating_and_time_say_nothing_stays(word):
    rows = {"u": ["a", "b"], "i": ["1", "2"], "stars": ["3", word], "at": [word, "2020-01-01"]}
    events = dataset_of(pl.DataFrame(rows), EventColumns("u", "i", "stars", time="at")).interactions
    np.testing.assert_array_equal(events.stars, np.float32([3, np.nan]))
    assert len(events) == 2


def test_a_word_in_a_title_is_a_title_where_more_is_said():
    rows = {"id": ["1", "2"], "title": ["None", "None Like It Hot"]}
    dataset = shop(pl.DataFrame(rows | {name: ["", ""] for name in ("about", "genre", "price")}))
    assert dataset.items.titles == (None, "None Like It Hot")


def test_cells_that_cannot_be_used_never_stop(folder):
    items = "id,price\n" + "".join(f"{i},${i}.50\n" for i in range(20))
    dataset = read_dataset(folder(SHOP, events_csv="u,i\na,1\n", items_csv=items))
    assert len(dataset.items) == 20
    assert dataset.report.reasons == {"'price' is no finite number; the row stays without it": 20}


def test_rows_that_say_the_same_are_one_row_and_others_are_refused(folder):
    items = "id,price\n1,3\n2,4\n" + "1,3\n" * 5
    dataset = read_dataset(folder(SHOP, events_csv="u,i\na,1\na,2\n", items_csv=items))
    assert dataset.report.reasons == {}
    assert "items.csv: 5 rows say the same as another row and are passed over" in (
        dataset.report.warnings
    )
    with pytest.raises(DataError, match=r"1 of 8 rows are unusable.*id occurs twice"):
        read_dataset(folder(SHOP, events_csv="u,i\na,1\n", items_csv=items + "2,5\n"))


def test_rows_that_differ_in_a_column_that_nobody_reads_say_the_same(folder):
    items = "id,price,crawled\n1,3,monday\n1,3,friday\n"
    dataset = read_dataset(folder(SHOP, events_csv="u,i\na,1\n", items_csv=items))
    assert dataset.report.reasons == {}


def test_the_commonest_reason_comes_first_with_count_place_value_and_flag(folder):
    toml = HEAD + 'rating = "stars"\n'
    rows = "a,1,3\n" * 4 + "a,2\n" + "a,2,many\n" * 2 + "a,3,4\n"
    long = "x" * 300
    with pytest.raises(DataError) as caught:
        read_dataset(folder(toml, events_csv=f"u,i,stars\n{rows}{long},4,much\n"))
    for said in (
        "events.csv: 4 of 9 rows", "'rating is no finite number' (3 rows)", "first on line 7",
        "{'stars': 'many'", "also '2 fields where the header has 3' (1)", "--max-bad-share",
    ):  # fmt: skip
        assert said in str(caught.value)


def test_the_share_of_bad_rows_may_stand_in_the_description_and_an_argument_wins(folder):
    toml = "max_bad_share = 0.5\n" + HEAD + 'rating = "stars"\n'
    path = folder(toml, events_csv="u,i,stars\na,1,3\na,2,x\n")
    assert len(read_dataset(path).report.quarantined) == 1
    with pytest.raises(DataError, match=r"share of 0\.1 allowed"):
        read_dataset(path, max_bad_share=0.1)


@pytest.mark.parametrize("user", [pl.Series([-1, 7, 7]), pl.Series([-1.0, 7.0, 7.0])])
def test_words_for_nobody_are_nobody_in_ids_of_number_type_too(user):
    rows = pl.DataFrame({"u": user, "i": ["a", "b", "a"]})
    dataset = dataset_of(rows, EventColumns("u", "i"), missing_ids=["-1"])
    assert dataset.users.vocabulary.ids == ("7",)


def test_a_word_for_nothing_among_several_categories_is_none_of_them():
    rows = {"id": ["1", "2"], "title": ["A", "B"], "about": ["x", "y"], "price": ["1", "2"]}
    dataset = shop(pl.DataFrame(rows | {"genre": ["war|NULL", "None|nan"]}))
    assert dataset.items.category["genre"].names == ("war",)


def test_an_infinite_bound_of_positives_is_refused(tmp_path):
    toml = HEAD + 'rating = "r"\npositive_from = nan\n'
    (tmp_path / "dataset.toml").write_text(toml, "utf-8")
    (tmp_path / "events.csv").write_text("u,i,r\na,b,1\n", "utf-8")
    with pytest.raises(ConfigError, match="positive_from"):
        read_dataset(tmp_path)
