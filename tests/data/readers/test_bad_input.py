"""What is wrong is said with file, line, value and remedy, or set aside and counted."""

import gzip
import json
import unicodedata

import numpy as np
import polars as pl
import pytest
import zstandard

from trefoil.data import ConfigError, DataError, read_dataset, write_quarantine
from trefoil.data.compression import read_bytes

HEAD = '[interactions]\nfile = "events.csv"\nuser = "user_id"\nitem = "item_id"\n'
RATED = HEAD + 'rating = "stars"\n'
TIMED = HEAD + 'time = "at"\n'


def good_rows(n=300):
    return "".join(f"u{i % 30},i{i % 7},{i % 5 + 1}\n" for i in range(n))


def says(caught, *parts):
    text = str(caught.value)
    for part in parts:
        assert part in text, f"{part!r} is not in {text!r}"


def test_a_missing_file_is_named_with_its_nearest_neighbour(folder):
    path = folder(HEAD, event_csv="user_id,item_id\nu,i\n")
    with pytest.raises(DataError) as caught:
        read_dataset(path)
    says(caught, str(path / "events.csv"), "no such file", "did you mean 'event.csv'?")


def test_a_missing_folder_is_named_with_the_named_sources():
    with pytest.raises(ConfigError) as caught:
        read_dataset("movielens-smal")
    says(caught, "'movielens-smal'", "did you mean 'movielens-small'?", "'lastfm'")


def test_a_folder_without_description_says_so(tmp_path):
    with pytest.raises(ConfigError, match=r"no dataset\.toml"):
        read_dataset(tmp_path)


def test_an_unknown_column_is_named_with_what_there_is(folder):
    path = folder(HEAD, events_csv="userid,item_id\nu,i\n")
    with pytest.raises(DataError) as caught:
        read_dataset(path)
    says(caught, "events.csv", "no column 'user_id'", "did you mean 'userid'?", "'item_id'")


@pytest.mark.parametrize(
    ("toml", "line", "parts"),
    [
        (HEAD + 'scenarios = ["a"]\n', 5, ("'scenarios'", "did you mean 'scenario'?")),
        (HEAD + '[itms]\nfile = "a.csv"\n', 5, ("'itms'", "did you mean 'items'?")),
        (HEAD + "positive_from = 'four'\n", 5, ("positive_from = 'four'", "number")),
        (HEAD + "[split]\nby = 'tiem'\n", 6, ("by = 'tiem'", "'time'")),
        (HEAD.replace('item = "item_id"\n', ""), None, ("[interactions] 'item' is missing",)),
        (HEAD + "[split]\nby = 'ratio'\nvalid = 0.5\ntest = 0.5\n", None, ("valid=0.5",)),
        (HEAD + "[split]\nby = 'given'\n", None, ("needs [interactions] split",)),
        (HEAD + "[split]\nby = 'time'\n", None, ("needs [interactions] time",)),
        (HEAD + "positive_from = 4\n", None, ("positive_from needs rating",)),
        (HEAD + "[graph]\niri = 'x'\nfiles = 'a.nt'\n", None, ("must hold {id} once",)),
        (HEAD + "[graph]\nlink = 'l.csv'\n", None, ("neither files nor neo4j",)),
        (HEAD + "[graph]\nfiles = 'a.nt'\nneo4j = 'bolt://h'\n", None, ("both files and neo4j",)),
        (HEAD + "user = 'twice'\n", 5, ("not TOML",)),
    ],
)
def test_a_fault_in_the_description_names_line_key_and_remedy(folder, toml, line, parts):
    path = folder(toml, events_csv="user_id,item_id\nu,i\n")
    with pytest.raises(ConfigError) as caught:
        read_dataset(path)
    says(caught, str(path / "dataset.toml"), *parts, *([f"line {line}"] if line else []))


def test_a_description_that_is_not_utf8_is_refused(folder):
    path = folder()
    (path / "dataset.toml").write_bytes(HEAD.encode("utf-16"))
    with pytest.raises(ConfigError, match="not UTF-8"):
        read_dataset(path)


def test_a_missing_graph_file_is_named(folder):
    path = folder(HEAD + "[graph]\nfiles = ['no.ttl']\n", events_csv="user_id,item_id\nu,i\n")
    with pytest.raises(DataError) as caught:
        read_dataset(path)
    says(caught, str(path / "no.ttl"), "no such graph file")


@pytest.mark.parametrize("content", ["", "\n\n", "user_id,item_id\n", "\ufeffuser_id,item_id\r\n"])
def test_no_events_is_an_error(folder, content):
    with pytest.raises(DataError, match=r"empty|no usable event"):
        read_dataset(folder(HEAD, events_csv=content))


@pytest.mark.parametrize("rows", ["u,i\n", "u,i\nu,j\n", "u,i\nv,i\n"])
def test_one_user_or_one_item_is_a_dataset(folder, rows):
    dataset = read_dataset(folder(HEAD, events_csv="user_id,item_id\n" + rows))
    assert len(dataset.interactions) == rows.count("\n")
    assert dataset.report.quarantined == ()


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("inf", "rating is no finite number"),
        ("-Infinity", "rating is no finite number"),
        ("1e300", "rating is no finite number"),
        ("four", "rating is no finite number"),
        ("4,5", "4 fields where the header has 3"),
    ],
)
def test_a_bad_rating_is_set_aside_with_its_line_and_row(folder, value, reason):
    text = "user_id,item_id,stars\n" + good_rows() + f"u,i,{value}\n"
    dataset = read_dataset(folder(RATED, events_csv=text))
    (one,) = dataset.report.quarantined
    assert (one.line, one.reason) == (302, reason)
    assert one.row in ({"user_id": "u", "item_id": "i", "stars": value}, f"u,i,{value}")
    assert "u" not in dataset.users.vocabulary
    assert dataset.report.counts["quarantined"] == 1


def test_an_empty_rating_means_that_none_was_given(folder):
    dataset = read_dataset(folder(RATED, events_csv="user_id,item_id,stars\nu,i,\nu,j,3\n"))
    assert np.isnan(dataset.interactions.stars).tolist() == [True, False]
    assert dataset.report.counts["rated"] == 1


def test_ids_are_exact_and_lookalikes_are_reported(folder):
    nfc, nfd = unicodedata.normalize("NFC", "é"), unicodedata.normalize("NFD", "é")
    ids = [
        "007",
        "7",
        nfc,
        nfd,
        "🎬",
        "x" * 100_000,
        " a",
        "a",
        "NA",
        "Null",
        "1e3",
        "zero\u200bwidth",
    ]
    text = "user_id,item_id\n" + "".join(f"u,{one}\n" for one in ids)
    dataset = read_dataset(folder(HEAD, events_csv=text))
    assert set(dataset.items.vocabulary.ids) == set(ids)
    met = [dataset.items.vocabulary[row] for row in dataset.interactions.item]
    assert sorted(met) == sorted(ids)
    (warning,) = dataset.report.warnings
    assert warning.startswith("6 item ids look like another one")


def test_ids_above_two_to_the_53_do_not_merge(folder):
    ids = [str(2**53 + i) for i in range(4)]
    text = "user_id,item_id\n" + "".join(f"u,{one}\n" for one in ids)
    assert list(read_dataset(folder(HEAD, events_csv=text)).items.vocabulary.ids) == ids


@pytest.mark.parametrize("row", ["u,\n", ",i\n"])
def test_an_empty_id_is_set_aside(folder, row):
    text = "user_id,item_id,stars\n" + good_rows() + row.replace("\n", ",1\n")
    dataset = read_dataset(folder(RATED, events_csv=text))
    assert [one.line for one in dataset.report.quarantined] == [302]
    assert next(iter(dataset.report.reasons)).startswith("empty ")


def test_the_same_event_is_kept_once_and_the_same_pair_at_another_time_stays(folder):
    text = "user_id,item_id,at\nu,i,10\nu,i,10\nu,i,20\nu,i,1970-01-01T00:00:10Z\n"
    dataset = read_dataset(folder(TIMED, events_csv=text))
    assert dataset.interactions.at.tolist() == [10, 20]
    assert dataset.report.counts["duplicates"] == 2
    assert dataset.report.counts["repeated"] == 1


def test_conflicting_ratings_of_one_event_keep_the_highest_in_any_order(folder):
    rows = ["u,i,2", "u,i,5", "u,i,", "u,j,1"]
    seen = set()
    for order in ((0, 1, 2, 3), (2, 1, 0, 3), (3, 1, 2, 0)):
        text = "user_id,item_id,stars\n" + "".join(rows[i] + "\n" for i in order)
        dataset = read_dataset(folder(RATED, events_csv=text))
        assert sorted(dataset.interactions.stars.tolist()) == [1.0, 5.0]
        assert dataset.report.counts["conflicting"] == 2
        seen.add(dataset.fingerprint)
    assert len(seen) == 1


def test_times_may_be_written_in_several_ways(folder):
    times = {
        "1577836800": 1577836800,
        "1577836800.9": 1577836800,
        "2020-01-01": 1577836800,
        "2020-01-01T00:00:00": 1577836800,
        "2020-01-01T00:00:00Z": 1577836800,
        "2020-01-01 02:00+02:00": 1577836800,
        "2019-12-31T19:00:00.25-0500": 1577836800,
        "1969-12-31T23:59:59Z": -1,
        "-1": -1,
    }
    text = "user_id,item_id,at\n" + "".join(f"u,{i},{one}\n" for i, one in enumerate(times))
    events = read_dataset(folder(TIMED, events_csv=text)).interactions
    assert events.at[np.argsort(events.item)].tolist() == list(times.values())


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (
            "yesterday",
            "time is neither Unix seconds nor ISO 8601; name time_format for another way",
        ),
        (
            "2020-02-30",
            "time is neither Unix seconds nor ISO 8601; name time_format for another way",
        ),
        (
            "2020-01-01T25:00",
            "time is neither Unix seconds nor ISO 8601; name time_format for another way",
        ),
        (
            "1577836800000",
            'time is beyond the year 9999; name time_unit = "ms" where times are milliseconds',
        ),
    ],
)
def test_an_unreadable_time_is_set_aside(folder, value, reason):
    good = "".join(f"u{i},i,{i}\n" for i in range(200))
    text = "user_id,item_id,at\n" + good + f"u,i,{value}\n"
    (one,) = read_dataset(folder(TIMED, events_csv=text)).report.quarantined
    assert (one.line, one.reason) == (202, reason)


def test_more_than_one_percent_of_bad_rows_stops_unless_allowed(folder):
    def path(bad):
        return folder(RATED, events_csv="user_id,item_id,stars\n" + good_rows(99) + "u,i,x\n" * bad)

    assert read_dataset(path(1)).report.reasons == {"rating is no finite number": 1}
    with pytest.raises(DataError) as caught:
        read_dataset(path(2))
    says(caught, "events.csv", "2 of 101", "line 101", "'stars': 'x'", "max_bad_share")
    assert len(read_dataset(path(2), max_bad_share=0.02).report.quarantined) == 2


def test_only_bad_rows_is_an_error_even_if_all_are_allowed(folder):
    path = folder(RATED, events_csv="user_id,item_id,stars\nu,i,x\n")
    with pytest.raises(DataError, match="no usable event"):
        read_dataset(path, max_bad_share=1.0)
    with pytest.raises(ConfigError, match="max_bad_share = 3: give a share from 0 to 1"):
        read_dataset(path, max_bad_share=3)


def test_names_of_columns_in_another_encoding_are_told_as_such(folder):
    """Not as an empty file, nor by taking the first row for the names."""
    for rows in (b"", good_rows().encode()):
        path = folder(RATED, events_csv="user_id,item_id,größe\n".encode("latin-1") + rows)
        with pytest.raises(DataError) as caught:
            read_dataset(path)
        says(caught, "events.csv, line 1", "gr\\\\xf6", "no UTF-8", 'encoding = "latin-1"')


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"u,i", "2 fields where the header has 3"),
        (b"u,i,1,2", "4 fields where the header has 3"),
        (b'"u,i,1', "broken quotes"),
        (b'"u"x,i,1', "broken quotes"),
        (b"\xff\xfe,i,1", "not UTF-8; name the encoding of the file"),
        (b"\xed\xa0\x80,i,1", "not UTF-8; name the encoding of the file"),
    ],
)
def test_a_broken_csv_line_costs_that_line_alone(folder, line, reason):
    half = good_rows().encode()
    text = b"user_id,item_id,stars\n" + half + line + b"\n" + half.replace(b"u", b"w")
    dataset = read_dataset(folder(RATED, events_csv=text))
    (one,) = dataset.report.quarantined
    assert (one.line, one.reason) == (302, reason)
    assert len(dataset.interactions) + dataset.report.counts["duplicates"] == 600


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"user_id": "u", ', "broken JSON"),
        ("[1, 2]", "not a JSON object"),
        ('{"user_id": "\\ud800", "item_id": "i"}', "lone surrogate"),
        ("[" * 100_000, "broken JSON"),
        ('{"user_id": null, "item_id": "i"}', "empty user id"),
        ('{"user_id": ["a", "b"], "item_id": "i"}', "empty user id"),
    ],
)
def test_a_broken_json_line_costs_that_line_alone(folder, line, reason):
    good = "".join(json.dumps({"user_id": f"u{i}", "item_id": i}) + "\n" for i in range(200))
    path = folder(HEAD.replace("events.csv", "events.jsonl"), events_jsonl=good + line + "\n")
    dataset = read_dataset(path)
    (one,) = dataset.report.quarantined
    assert one.line == 201
    assert one.reason.startswith(reason)
    assert len(dataset.interactions) == 200


def test_numbers_in_json_are_ids_as_written(folder):
    lines = ['{"user_id": 7, "item_id": 7.0}', '{"user_id": "7", "item_id": 9007199254740993}']
    path = folder(HEAD.replace("events.csv", "events.jsonl"), events_jsonl="\n".join(lines))
    dataset = read_dataset(path)
    assert dataset.users.vocabulary.ids == ("7",)
    assert set(dataset.items.vocabulary.ids) == {"7.0", "9007199254740993"}


@pytest.mark.parametrize("cut", [1, 100, 400])
def test_a_cut_parquet_file_is_named(folder, cut):
    path = folder(HEAD.replace("events.csv", "events.parquet"))
    frame = pl.DataFrame({"user_id": ["u"] * 50, "item_id": [f"i{i}" for i in range(50)]})
    frame.write_parquet(path / "events.parquet")
    whole = (path / "events.parquet").read_bytes()
    (path / "events.parquet").write_bytes(whole[:-cut])
    with pytest.raises(DataError) as caught:
        read_dataset(path)
    says(caught, "events.parquet", "no readable parquet", "write it again")


@pytest.mark.parametrize("value", [1.5, 2.0**53])
def test_float_ids_that_are_not_whole_or_would_merge_are_refused(folder, value):
    path = folder(HEAD.replace("events.csv", "events.parquet"))
    frame = pl.DataFrame({"user_id": [1.0, value], "item_id": ["i", "j"]})
    frame.write_parquet(path / "events.parquet")
    with pytest.raises(DataError) as caught:
        read_dataset(path)
    says(caught, "events.parquet", "'user_id'", "Float64", str(value), "2**53")


def test_a_cut_gz_file_is_named(folder):
    text = gzip.compress(("user_id,item_id,stars\n" + good_rows()).encode())
    path = folder(RATED.replace("events.csv", "events.csv.gz"), events_csv_gz=text[:-9])
    with pytest.raises(DataError, match="damaged or cut short"):
        read_dataset(path)


def test_an_unknown_kind_of_file_is_refused(folder):
    path = folder(HEAD.replace("events.csv", "events.xlsx"), events_xlsx=b"PK")
    with pytest.raises(DataError, match=r"unknown kind of file; use one of \.csv"):
        read_dataset(path)


def test_utf16_is_refused_with_a_remedy(folder):
    path = folder(HEAD, events_csv="user_id,item_id\nu,i\n".encode("utf-16"))
    with pytest.raises(DataError, match="save it as UTF-8"):
        read_dataset(path)


def test_a_column_named_twice_is_refused(folder):
    path = folder(HEAD, events_csv="user_id,item_id,item_id\nu,i,j\n")
    with pytest.raises(DataError, match=r"line 1: column 'item_id' occurs twice"):
        read_dataset(path)


def test_links_to_unknown_items_are_counted_and_left_out(folder):
    toml = HEAD + "[graph]\nfiles = 'g.nt'\nlink = 'links.csv'\n"
    links = "item_id,entity\ni,urn:e:1\nnowhere,urn:e:2\ni,urn:e:1\n"
    path = folder(toml, events_csv="user_id,item_id\nu,i\n", g_nt="", links_csv=links)
    dataset = read_dataset(path)
    assert dataset.report.counts["links_to_unknown_items"] == 1
    assert dataset.report.counts["items_with_link"] == 1
    assert dataset.graph.link.rows() == [("i", "urn:e:1")]
    assert "links to items that occur nowhere: 1" in dataset.report.warnings


def test_an_item_with_nothing_but_its_id_is_kept(folder):
    toml = HEAD + "[items]\nfile = 'items.csv'\nid = 'id'\ntext = 'about'\ncategory = 'genre'\n"
    items = "id,about,genre\ni,good,a|b\nbare,,\n"
    path = folder(toml, events_csv="user_id,item_id\nu,i\nu,unlisted\n", items_csv=items)
    dataset = read_dataset(path)
    assert dataset.items.vocabulary.ids == ("bare", "i", "unlisted")
    assert dataset.items.texts == (None, "good", None)
    assert np.diff(dataset.items.category["genre"].start).tolist() == [0, 2, 0]
    assert dataset.report.counts["items_without_event"] == 1


def test_a_second_row_of_one_item_is_set_aside_whatever_the_order(folder):
    toml = HEAD + "[items]\nfile = 'items.csv'\nid = 'id'\ntitle = 'title'\n"
    others = [f"i{i},t{i}\n" for i in range(200)]
    prints = set()
    for rows in (["i0,other\n", *others], [*others, "i0,other\n"]):
        path = folder(
            toml, events_csv="user_id,item_id\nu,i0\n", items_csv="id,title\n" + "".join(rows)
        )
        dataset = read_dataset(path)
        assert dataset.report.reasons == {"id occurs twice": 1}
        assert dataset.items.titles[dataset.items.vocabulary.row("i0")] == "other"
        prints.add(dataset.fingerprint)
    assert len(prints) == 1


def test_an_unreadable_score_costs_the_value_but_not_the_item(folder):
    toml = HEAD + "[items]\nfile = 'items.csv'\nid = 'id'\nscore = ['price']\n"
    items = "id,price\n" + "".join(f"i{i},{i}\n" for i in range(200)) + "free,gratis\nnone,\n"
    dataset = read_dataset(folder(toml, events_csv="user_id,item_id\nu,i\n", items_csv=items))
    assert dataset.report.reasons == {"'price' is no finite number; the row stays without it": 1}
    assert np.isnan(dataset.items.score["price"][dataset.items.vocabulary.row("free")])
    assert dataset.items.score["price"][dataset.items.vocabulary.row("i7")] == 7


def test_the_quarantine_is_written_line_by_line(folder, tmp_path):
    text = b"user_id,item_id,stars\n" + good_rows().encode() + b"u,i,much\n\xff,i,1\n"
    dataset = read_dataset(folder(RATED, events_csv=text))
    assert write_quarantine(dataset.report, tmp_path / "quarantine.jsonl") == 2
    written = [
        json.loads(line) for line in (tmp_path / "quarantine.jsonl").read_text().splitlines()
    ]
    assert [one["line"] for one in written] == [302, 303]
    assert written[0]["row"] == {"user_id": "u", "item_id": "i", "stars": "much"}
    assert written[1] == {
        "file": str(tmp_path / "events.csv"),
        "line": 303,
        "reason": "not UTF-8; name the encoding of the file",
        "row": "\\xff,i,1",
    }
    assert not (tmp_path / "quarantine.jsonl.part").exists()


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_a_packed_file_that_would_fill_the_memory_is_refused(tmp_path, suffix):
    path, zeros = tmp_path / f"a.csv{suffix}", bytes(20 << 20)
    path.write_bytes(gzip.compress(zeros) if suffix == ".gz" else zstandard.compress(zeros))
    with pytest.raises(DataError, match=r"unpacks to more than \d+ bytes"):
        read_bytes(path, small=1 << 20)
    assert read_bytes(path) == zeros
