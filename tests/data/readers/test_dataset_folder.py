"""A dataset.toml with everything in it, and frames that say the same."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from trefoil.data import (
    DataError,
    EntityColumns,
    EventColumns,
    GraphSource,
    SplitRule,
    dataset_of,
    read_dataset,
)

TOML = """
name = "my shop"
licence = "CC0"

[interactions]
file = "events.csv"
user = "user_id"
item = "item_id"
rating = "stars"
positive_from = 3.3
time = "at"
behaviour = "kind"
scenario = ["device", "daypart"]

[items]
file = "items.csv"
id = "item_id"
title = "title"
text = ["title", "description"]
category = ["genre"]
separator = "|"
score = ["price"]

[users]
file = "users.csv"
id = "user_id"
category = ["country"]

[graph]
files = ["graph.ttl"]
link = "links.csv"

[split]
by = "time"
valid = 0.25
test = 0.25
"""
EVENTS = """user_id,item_id,stars,at,kind,device,daypart
u1,i1,3.3,100,view,phone,evening
u1,i2,3.2,200,buy,,evening
u2,i1,,300,view,tv,
u2,i9,5,400,,tv,night
"""
ITEMS = """item_id,title,description,genre,price
i1,Heat,"A thief, a cop",crime|drama,9.5
i2,Ran!,Old king,drama| war |,
i3,,,,
i4,Bare,,drama,1
"""
USERS = "user_id,country\nu1,NO\nu3,PE\n"
LINKS = "item_id,entity\ni1,http://e/heat\ni2,http://e/ran\n"


@pytest.fixture
def shop(folder):
    return read_dataset(
        folder(TOML, events_csv=EVENTS, items_csv=ITEMS, users_csv=USERS, links_csv=LINKS,
               graph_ttl="<urn:a> <urn:b> <urn:c> .\n")
    )  # fmt: skip


def test_every_entry_of_the_description_arrives(shop):
    events = shop.interactions
    assert (shop.name, shop.licence, shop.rule) == ("my shop", "CC0", SplitRule("time", 0.25, 0.25))
    assert shop.users.vocabulary.ids == ("u1", "u2", "u3")
    assert shop.items.vocabulary.ids == ("i1", "i2", "i3", "i4", "i9")
    assert events.user.tolist() == [0, 0, 1, 1]
    assert events.item.tolist() == [0, 1, 0, 4]
    assert events.at.tolist() == [100, 200, 300, 400]
    np.testing.assert_array_equal(events.stars, np.float32([3.3, 3.2, np.nan, 5]))
    assert events.kind.names == ("buy", "view")
    assert events.kind.codes.tolist() == [1, 0, 1, -1]
    assert events.scenario["device"].codes.tolist() == [0, -1, 1, 1]
    assert events.scenario["daypart"].names == ("evening", "night")


def test_positives_are_those_rated_at_least_so_much_or_not_rated(shop):
    assert shop.interactions.positive.tolist() == [True, False, True, True]


def test_items_have_titles_texts_categories_and_scores(shop):
    items = shop.items
    assert items.titles == ("Heat", "Ran!", None, "Bare", None)
    assert items.texts == ("Heat. A thief, a cop", "Ran! Old king", None, "Bare", None)
    assert items.category["genre"].names == ("crime", "drama", "war")
    assert items.category["genre"].matrix().astype(int).tolist() == [
        [1, 1, 0], [0, 1, 1], [0, 0, 0], [0, 1, 0], [0, 0, 0],
    ]  # fmt: skip
    np.testing.assert_array_equal(items.score["price"], [9.5, np.nan, np.nan, 1, np.nan])
    assert shop.users.category["country"].names == ("NO", "PE")


def test_the_report_counts_what_is_there(shop):
    expected = {
        "users": 3, "items": 5, "events": 4, "positives": 3, "rated": 3, "pairs": 4, "repeated": 0,
        "duplicates": 0, "density": 4 / 15, "users_without_event": 1, "items_without_event": 2,
        "items_with_title": 3, "items_with_text": 3, "items_with_event": 3,
        "items_with_event_and_title": 2, "items_with_event_and_text": 2,
        "links": 2, "items_with_link": 2,
        "links_to_unknown_items": 0, "untimed": 0, "quarantined": 0, "conflicting": 0,
        "first_at": "1970-01-01T00:01:40Z", "last_at": "1970-01-01T00:06:40Z",
    }  # fmt: skip
    assert dict(shop.report.counts) == pytest.approx(expected)


def test_the_graph_is_named_and_linked(shop):
    assert [path.name for path in shop.graph.files] == ["graph.ttl"]
    assert shop.graph.link.rows() == [("i1", "http://e/heat"), ("i2", "http://e/ran")]


def columns():
    return EventColumns("user_id", "item_id", "stars", 3.3, "at", "kind", ("device", "daypart"))


@pytest.mark.parametrize("kind", [pl.read_csv, pd.read_csv], ids=["polars", "pandas"])
def test_frames_say_the_same_as_files(shop, tmp_path, kind):
    def read(name):
        return kind(tmp_path / f"{name}.csv")

    dataset = dataset_of(
        read("events"), columns(),
        items=read("items"),
        item_columns=EntityColumns(
            "item_id", "title", ("title", "description"), ("genre",), ("price",)
        ),
        users=read("users"), user_columns=EntityColumns("user_id", category=("country",)),
        graph=[tmp_path / "graph.ttl"], links=read("links"),
    )  # fmt: skip
    assert dataset.fingerprint == shop.fingerprint


@pytest.mark.parametrize("kind", [pl.DataFrame, pd.DataFrame], ids=["polars", "pandas"])
def test_nan_in_a_frame_is_a_missing_rating(kind):
    frame = kind({"u": ["a", "b"], "i": ["1", "2"], "s": [1.0, float("nan")]})
    dataset = dataset_of(frame, EventColumns("u", "i", "s"))
    np.testing.assert_array_equal(dataset.interactions.stars, np.float32([1, np.nan]))


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        ({"u": ["a"]}, "a dict; give a polars or pandas frame"),
        (pd.DataFrame({"u": ["a", 1], "i": ["1", "2"]}), "write ids as text"),
        (pl.DataFrame({"u": ["a"]}), "no column 'i'"),
        (pl.DataFrame({"u": [[1, 2]], "i": ["a"]}), "have the type List"),
    ],
)
def test_a_frame_that_cannot_be_used_is_refused(frame, said):
    with pytest.raises(DataError, match=said):
        dataset_of(frame, EventColumns("u", "i"))


def test_a_graph_may_be_a_frame():
    log = pl.DataFrame({"u": ["a"], "i": ["1"]})
    graph = pd.DataFrame({"head": [1], "relation": ["r"], "tail": ["x"]})
    dataset = dataset_of(log, EventColumns("u", "i"), graph=graph)
    assert dataset.graph.table.rows() == [("1", "r", "x")]
    source = GraphSource(neo4j="neo4j://localhost:7687")
    assert dataset_of(log, EventColumns("u", "i"), graph=source).graph.neo4j == source.neo4j
    with pytest.raises(DataError, match="no column 'tail'"):
        dataset_of(log, EventColumns("u", "i"), graph=graph.drop(columns="tail"))


@pytest.mark.parametrize(
    ("more", "by"), [("", "ratio"), ('time = "at"\n', "time"), ('split = "part"\n', "given")]
)
def test_without_a_rule_the_columns_decide(folder, more, by):
    toml = '[interactions]\nfile = "e.csv"\nuser = "u"\nitem = "i"\n' + more
    assert read_dataset(folder(toml, e_csv="u,i,at,part\na,1,5,train\n")).rule.by == by


def test_a_rule_that_is_passed_replaces_the_one_of_the_folder(folder):
    toml = '[interactions]\nfile = "e.csv"\nuser = "u"\nitem = "i"\n'
    rule = SplitRule("rows", 0.2, 0.2)
    assert read_dataset(folder(toml, e_csv="u,i\na,1\n"), rule=rule).rule == rule


def test_times_of_typed_columns_are_utc_seconds(tmp_path):
    zone = pl.Series(["2020-01-01T02:00:00+02:00"]).str.to_datetime(time_zone="Europe/Helsinki")
    naive = pl.Series(["2020-01-01T00:00:00.750"]).str.to_datetime()
    whole, part, day = pl.Series([1577836800]), pl.Series([1577836800.9]), naive.dt.date()
    for at in (zone, naive, whole, part, day):
        frame = pl.DataFrame({"u": ["a"], "i": ["1"], "t": at})
        frame.write_parquet(tmp_path / "events.parquet")
        (tmp_path / "dataset.toml").write_text(
            '[interactions]\nfile = "events.parquet"\nuser = "u"\nitem = "i"\ntime = "t"\n'
        )
        assert read_dataset(tmp_path).interactions.at.tolist() == [1577836800]


def test_base_contexts_and_titles_of_a_graph_reach_the_reader(tmp_path):
    files = {
        "events.csv": "user_id,item_id\n" + "".join(f"u{n},i1\nu{n},i2\n" for n in range(9)),
        "graph.jsonld": '{"@context": "https://e.org/c", "@id": "i1", "code": "X", "by": "p"}',
        "context.jsonld": '{"@context": {"by": {"@id": "http://e/by", "@type": "@id"}, '
        '"code": "http://e/code"}}',
        "dataset.toml": """
[interactions]
file = "events.csv"
user = "user_id"
item = "item_id"
[graph]
files = ["graph.jsonld"]
base = "http://e/items/"
iri = "http://e/items/{id}"
title = ["code"]
[graph.contexts]
"https://e.org/c" = "context.jsonld"
""",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    dataset = read_dataset(tmp_path)
    assert dataset.graph.base == "http://e/items/"
    assert dataset.graph.contexts == {"https://e.org/c": tmp_path / "context.jsonld"}
    assert dataset.graph.title == ("code",)
    before = dataset.fingerprint
    (tmp_path / "context.jsonld").write_text('{"@context": {}}')
    assert read_dataset(tmp_path).fingerprint != before
    (tmp_path / "context.jsonld").unlink()
    with pytest.raises(DataError, match=r"context\.jsonld: no such graph file"):
        read_dataset(tmp_path)
