"""The fingerprint follows the content and nothing else."""

import random

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trefoil.data import EntityColumns, EventColumns, GraphSource, dataset_of

COLUMNS = EventColumns("u", "i", "stars", None, "at", "kind", ("device",))
texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6)
events = st.lists(
    st.tuples(
        texts,
        texts,
        st.one_of(st.none(), st.sampled_from([1.0, 2.5, 5.0])),
        st.one_of(st.none(), st.integers(0, 4)),
        st.sampled_from(["view", "buy", None]),
        st.sampled_from(["tv", "phone"]),
    ),
    min_size=1,
    max_size=12,
)


def frame(rows):
    schema = {"u": pl.String, "i": pl.String, "stars": pl.Float64, "at": pl.Int64}
    schema |= {"kind": pl.String, "device": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row")


def read(rows):
    """As a dataset in which every text is an id, words for a missing value too."""
    return dataset_of(frame(rows), COLUMNS, missing_ids=())


@settings(deadline=None, max_examples=40)
@given(rows=events, seed=st.integers(0, 99))
def test_the_order_of_rows_does_not_matter(rows, seed):
    shuffled = rows.copy()
    random.Random(seed).shuffle(shuffled)
    first, second = read(rows), read(shuffled)
    assert first.fingerprint == second.fingerprint
    assert first.report.counts == second.report.counts


@settings(deadline=None, max_examples=40)
@given(rows=events)
def test_ids_survive_the_way_in_and_out(rows):
    found = read(rows)
    users, items, log = found.users.vocabulary, found.items.vocabulary, found.interactions
    seen = {(users[u], items[i]) for u, i in zip(log.user, log.item, strict=True)}
    assert seen == {(row[0], row[1]) for row in rows}
    assert set(users) == {row[0] for row in rows}
    assert (users.rows(users.ids) == np.arange(len(users))).all()


@settings(deadline=None, max_examples=40)
@given(rows=events, at=st.integers(0, 11), column=st.integers(0, 5))
def test_any_changed_value_changes_it(rows, at, column):
    other = [list(row) for row in rows]
    at %= len(other)
    changed = ("new user", "new item", 3.0, 99, "new", "new")[column]
    other[at][column] = changed
    before, after = read(rows), read(other)
    if column == 2 and before.report.counts["conflicting"] + after.report.counts["conflicting"]:
        return  # a lower rating of the same event is not kept, so it may change nothing
    assert before.fingerprint != after.fingerprint


def small(**changes):
    told = {
        "items": pl.DataFrame(
            {"id": ["a", "b"], "t": ["x", "y"], "g": ["p|q", ""], "s": [1.0, None]}
        ),
        "item_columns": EntityColumns("id", "t", ("t",), ("g",), ("s",)),
        "graph": pl.DataFrame({"head": ["a", "b"], "relation": ["r", "r"], "tail": ["e", "f"]}),
        "links": pl.DataFrame({"item_id": ["a", "b"], "entity": ["a", "b"]}),
    }
    log = pl.DataFrame({"u": ["1", "2"], "i": ["a", "b"]})
    return dataset_of(log, EventColumns("u", "i"), **(told | changes)).fingerprint


@pytest.mark.parametrize(
    "changes",
    [
        {
            "items": pl.DataFrame(
                {"id": ["a", "b"], "t": ["x", "z"], "g": ["p|q", ""], "s": [1.0, None]}
            )
        },
        {
            "items": pl.DataFrame(
                {"id": ["a", "b"], "t": ["x", "y"], "g": ["p", "q"], "s": [1.0, None]}
            )
        },
        {
            "items": pl.DataFrame(
                {"id": ["a", "b"], "t": ["x", "y"], "g": ["p|q", ""], "s": [None, 1.0]}
            )
        },
        {"graph": pl.DataFrame({"head": ["a", "b"], "relation": ["r", "r"], "tail": ["f", "e"]})},
        {"graph": GraphSource(iri="urn:other:{id}")},
        {"links": pl.DataFrame({"item_id": ["a", "b"], "entity": ["b", "a"]})},
    ],
    ids=["title", "category", "score", "triples", "iri", "links"],
)
def test_what_is_known_of_items_counts(changes):
    assert small(**changes) != small()


def test_the_order_of_items_triples_and_links_does_not_matter():
    plain = small()
    items = pl.DataFrame({"id": ["b", "a"], "t": ["y", "x"], "g": ["", "q|p"], "s": [None, 1.0]})
    graph = pl.DataFrame({"head": ["b", "a"], "relation": ["r", "r"], "tail": ["f", "e"]})
    links = pl.DataFrame({"item_id": ["b", "a"], "entity": ["b", "a"]})
    assert small(items=items, graph=graph, links=links) == plain


def test_graph_files_count_by_content_not_by_name(tmp_path):
    for name, text in (("a.nt", "1"), ("b.nt", "1"), ("c.nt", "2")):
        (tmp_path / name).write_text(text)
    prints = [small(graph=[tmp_path / name]) for name in ("a.nt", "b.nt", "c.nt")]
    assert prints[0] == prints[1] != prints[2]
