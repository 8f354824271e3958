"""Tables, links, graphs and categories that join nothing are said with an example of each side."""

import polars as pl
import pytest

from trefoil.data import EntityColumns, EventColumns, GraphSource, dataset_of, read_dataset
from trefoil.data.readers.meeting import separator_note

LOG = EventColumns("u", "i")
EVENTS = pl.DataFrame({"u": ["a", "b", "c"], "i": ["1.0", "2.0", "3.0"]})


def items(ids):
    return {"items": pl.DataFrame({"id": ids}), "item_columns": EntityColumns("id")}


def said(part, **more):
    notes = dataset_of(EVENTS, LOG, **more).report.warnings
    return [note for note in notes if part in note]


def test_items_that_meet_no_event_are_said_with_a_pair_that_looks_alike():
    (note,) = said("occurs in items", **items(["0", "2", "1"]))
    assert note.startswith("none of the 3 items with events occurs in items")
    assert "(events: '1.0'; items: '1')" in note


def test_few_items_that_meet_are_counted():
    (note,) = said("occur in items", **items(["1.0", "x", "y"]))
    assert note.startswith("only 1 of the 3 items with events occur in items (events: '2.0'")


@pytest.mark.parametrize("ids", [["1.0", "2.0"], ["1.0", "2.0", "3.0", "4.0", "5.0"]])
def test_most_items_that_meet_are_no_news(ids):
    assert dataset_of(EVENTS, LOG, **items(ids)).report.warnings == ()


def test_users_that_meet_no_event_are_said():
    users = {"users": pl.DataFrame({"id": ["U-a"]}), "user_columns": EntityColumns("id")}
    (note,) = said("users with events", **users)
    assert "(events: 'a'; users: 'U-a')" in note


def test_links_of_no_item_are_said():
    links = pl.DataFrame({"item_id": ["1", "2"], "entity": ["e1", "e2"]})
    (note,) = said("links in", graph=GraphSource(iri="{id}"), links=links)
    assert note.startswith("none of the 2 links in links is of an item")
    assert "(items: '1.0'; links: '1')" in note


def graph(heads):
    table = pl.DataFrame({"head": heads, "relation": "by", "tail": "p"})
    return {"graph": GraphSource(table=table, iri="http://e/{id}")}


def test_a_graph_of_which_no_node_is_an_item_is_said():
    (note,) = said("no node of the graph", **graph(["http://e/1", "http://e/2"]))
    assert "'http://e/1.0'; graph: 'http://e/1'" in note
    assert not said("no node of the graph", **graph(["http://e/1.0"]))


def test_a_graph_file_of_which_no_node_is_an_item_is_said(folder):
    toml = '[interactions]\nfile = "e.csv"\nuser = "u"\nitem = "i"\n[graph]\nfiles = "g.csv"\n'
    files = {"e_csv": "u,i\na,1\n", "g_csv": "head,relation,tail\nx,by,y\n"}
    (note,) = read_dataset(folder(toml, **files)).report.warnings
    assert "'urn:item:1'; graph: 'x'" in note
    found = read_dataset(folder(toml + 'iri = "{id}"\n', **files | {"e_csv": "u,i\na,x\n"}))
    assert found.report.warnings == ()


@pytest.mark.parametrize("mark", [";", ",", "/"])
def test_a_separator_that_was_missed_is_proposed(mark):
    cells = pl.Series([f"war{mark} crime", f"crime{mark}drama", f"drama{mark} war", "war", ""])
    note = separator_note("genre", cells, "|")
    assert note is not None
    assert f"3 of 4 contain {mark!r}" in note
    assert f"separator = {mark!r}" in note
    assert separator_note("genre", cells, mark) is None


def test_names_with_a_comma_are_no_lists():
    places = pl.Series(["Oslo, Norway", "Lima, Peru", "Pisa, Italy"])
    assert separator_note("place", places, "|") is None


def test_items_with_events_are_counted_with_what_is_known_of_them():
    columns = EntityColumns("id", "title", ("text",))
    frame = pl.DataFrame({"id": ["1.0", "2.0", "9"], "title": ["A", "", "C"], "text": [None] * 3})
    counts = dataset_of(EVENTS, LOG, items=frame, item_columns=columns).report.counts
    assert counts["items_with_event"] == 3
    assert counts["items_with_event_and_title"] == 1
    assert counts["items_with_event_and_text"] == 0
    assert counts["items_with_title"] == 2
