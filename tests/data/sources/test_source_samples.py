"""Readers of the named sources on small made-up folders of the publishers' layouts."""

import numpy as np
import pytest
import source_samples as samples
from source_samples import ITEMS, RESOURCE, USERS, pairs

from trefoil.data import read_dataset, split_events
from trefoil.data.errors import DataError
from trefoil.data.sources import SOURCES
from trefoil.kg.construction.build import build

POSITIVES = len(pairs())


@pytest.mark.parametrize(
    ("name", "write", "items", "events", "parts"),
    [
        ("movielens-small", samples.movielens_small, ITEMS, POSITIVES, None),
        ("movielens-100k", samples.movielens_100k, ITEMS, POSITIVES, (32, 8, 8)),
        ("movielens-1m", samples.movielens_1m, ITEMS + 1, POSITIVES, (32, 8, 8)),
        ("lastfm", samples.lastfm, ITEMS, POSITIVES, (32, 8, 8)),
        ("lastfm-ctr", samples.lastfm, ITEMS, USERS * ITEMS, (58, 19, 19)),
        ("book-crossing", samples.book_crossing, ITEMS, POSITIVES, (32, 8, 8)),
        ("book-crossing-ctr", samples.book_crossing, ITEMS, USERS * ITEMS, (58, 19, 19)),
        ("frappe", samples.frappe, ITEMS, POSITIVES, (35, 9, 4)),
        ("amazon", samples.amazon, ITEMS, POSITIVES, (32, 8, 8)),
    ],
)
@pytest.mark.parametrize("below", ["", "folder"])
def test_every_event_of_a_source_is_read(name, write, items, events, parts, below, tmp_path):
    """By the folder itself or by the one that holds it; parts follow the shares of the rule."""
    write(tmp_path / (SOURCES[name].folder if below else ""))
    dataset = read_dataset(name, root=tmp_path)
    counts = dataset.report.counts
    assert (counts["users"], counts["items"], counts["events"]) == (USERS, items, events)
    split = split_events(dataset, 0)
    found = (len(split.train), len(split.valid), len(split.open_test()))
    assert parts in (None, found)
    assert dataset.report.quarantined == ()
    assert dataset.licence == SOURCES[name].licence


def read(name, write, folder):
    write(folder)
    return read_dataset(name, root=folder)


def titled(dataset, item):
    row = dataset.items.vocabulary.row(item)
    return dataset.items.titles[row], dataset.items.texts[row]


def graph_of(dataset):
    """The graph without events."""
    return build(dataset, np.zeros(0, np.int64))


def ends(graph, relation, *, head="Item"):
    """Names of the tails of a relation, by row of its head."""
    found = {}
    for (source, name, target), edges in graph.edges.items():
        if (source, name) == (head, relation):
            names = graph.nodes[target].properties["name"].to_list()
            for row, tail in zip(edges.source.tolist(), edges.target.tolist(), strict=True):
                found.setdefault(row, set()).add(names[tail])
    return found


def test_movielens_small_likes_four_stars_and_joins_both_graphs(tmp_path):
    dataset = read("movielens-small", samples.movielens_small, tmp_path)
    events = dataset.interactions
    assert (events.positive == (events.stars >= 4)).all()
    assert titled(dataset, "1") == ("Film, The 0 (1980)", "Film, The 0. Plot number 0.")
    row = dataset.items.vocabulary.row("1")
    assert dataset.items.score["year"][row] == 1980
    genres = dataset.items.category["genres"]
    assert set(genres.names) == {"Comedy", "Drama"}
    without = dataset.items.vocabulary.row(str(ITEMS))
    assert genres.start[without] == genres.start[without + 1]
    graph = graph_of(dataset)
    assert ends(graph, "ACTOR")[row] == {"Ann 1"}
    assert ends(graph, "DIRECTOR")[row] == {"Bo 1"}  # of the film's other name


def test_movielens_100k_has_abstracts_and_casts_by_name(tmp_path):
    dataset = read("movielens-100k", samples.movielens_100k, tmp_path)
    assert titled(dataset, "1") == ("Film 0", "Film 0. Plot 0. Abstract, of 0.")
    assert titled(dataset, str(ITEMS)) == ("Film 11", "Film 11. Plot 11.")
    assert dataset.interactions.positive.all()
    assert set(dataset.users.category["gender"].names) == {"M", "F"}
    graph, row = graph_of(dataset), dataset.items.vocabulary.row("1")
    assert ends(graph, "CAST")[row] == {"Ann 0", "Cy 0"}
    assert ends(graph, "STARRING")[row] == {"Ann 0"}
    assert len(ends(graph, "CAST")) == ITEMS  # also the film that DBpedia does not know


def test_movielens_1m_is_linked_by_the_first_name_that_is_there(tmp_path):
    dataset = read("movielens-1m", samples.movielens_1m, tmp_path)
    assert titled(dataset, "1") == ("Film 0 (1980)", "Film 0 (1980). Plot 0. Told of 0.")
    directors = ends(graph_of(dataset), "DIRECTOR")
    rows = [dataset.items.vocabulary.row(str(item)) for item in range(1, 12)]
    assert [directors[row] for row in rows] == [{f"Bo {i % 2}"} for i in range(11)]


def test_lastfm_knows_artists_of_both_graphs_by_one_name(tmp_path):
    dataset = read("lastfm", samples.lastfm, tmp_path)
    assert titled(dataset, "0") == ("Band 0", "Band 0. Told of band 0.")
    graph, row = graph_of(dataset), dataset.items.vocabulary.row("0")
    assert graph.nodes["Item"].properties["iri"][row] == f"{RESOURCE}Band_0"
    assert ends(graph, "GENRE")[row] == {"Genre 0"}  # of DBpedia
    assert not any("ASSOCIATED_MUSICAL_ARTIST" in key for key in graph.edges)
    assert len(graph.edges["Item", "MUSIC_GENRE", "Entity"].source)  # of KGCN


def test_labels_of_pairs_become_positives_and_negatives(tmp_path):
    events = read("lastfm-ctr", samples.lastfm, tmp_path).interactions
    assert events.positive.sum() == POSITIVES
    assert len(events) == USERS * ITEMS


def test_books_have_titles_and_authors_where_they_are_known(tmp_path):
    dataset = read("book-crossing", samples.book_crossing, tmp_path)
    assert titled(dataset, "0") == ("Book 0", "Book 0. Author 0")
    assert titled(dataset, "5")[0] is None
    assert set(dataset.graph.table["relation"]) == {"relation 0", "relation 1"}


def test_triples_named_in_another_order_are_refused(tmp_path):
    samples.lastfm(tmp_path)
    path = tmp_path / "kgcn" / "kg.txt"
    lines = path.read_text("utf-8").splitlines()
    samples.text(path, *lines[::-1])
    with pytest.raises(DataError, match=r"kg\.txt: its rows are not those of .*kg_final\.npy"):
        read_dataset("lastfm", root=tmp_path)


def test_frappe_has_seven_contexts_and_unknown_is_no_text(tmp_path):
    dataset = read("frappe", samples.frappe, tmp_path)
    scenario = dataset.interactions.scenario
    assert {name: len(column.names) for name, column in scenario.items()} == {
        "daytime": 2, "weekday": 1, "isweekend": 1, "homework": 1, "weather": 2, "country": 1,
        "city": 3,
    }  # fmt: skip
    assert "unknown" in scenario["weather"].names
    assert titled(dataset, "0") == ("App 0", "App 0. About 0")
    assert titled(dataset, "1") == ("App 1", "App 1. Short. About 1")
    rows = [dataset.items.vocabulary.row(item) for item in ("0", "1")]
    np.testing.assert_array_equal(dataset.items.score["score"][rows], [np.nan, 4.5])
    assert set(dataset.graph.table["relation"]) == {
        "category", "developer", "language", "price", "downloads",
    }  # fmt: skip


def test_amazon_leaves_scraps_of_a_page_out_and_reads_entities(tmp_path):
    dataset = read("amazon", samples.amazon, tmp_path)
    assert titled(dataset, "B0") == (None, "Issue 0 of a magazine.")
    assert titled(dataset, "B1") == ("Salt & Sea 1", "Salt & Sea 1. Issue 1 of a magazine.")
    assert set(dataset.items.category["category"].names) == {"Arts & Crafts"}
    relations = dataset.graph.table["relation"].to_list()
    assert (relations.count("alsoBuy"), relations.count("brand")) == (ITEMS, ITEMS - 1)
