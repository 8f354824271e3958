"""Relationships that are the events never become facts, whatever they are called."""

import numpy as np
import polars as pl
import pytest

from trefoil.data.dataset import EventQuery
from trefoil.data.readers.events import EventColumns
from trefoil.data.readers.frames import dataset_of
from trefoil.data.vocabulary import Vocabulary
from trefoil.kg.construction.event_query import named_in
from trefoil.kg.construction.event_relations import without_events
from trefoil.kg.graph import Edges, Key, KnowledgeGraph, Nodes, Origin

USERS, ITEMS = 40, 60


@pytest.fixture
def pairs():
    rng = np.random.default_rng(1)
    return np.unique(rng.integers(0, [USERS, ITEMS], (400, 2)), axis=0)


def dataset(pairs, person="{}"):
    frame = pl.DataFrame(
        {
            "user": [person.format(u) for u in pairs[:, 0]],
            "item": [str(i) for i in pairs[:, 1]],
        }
    )
    return dataset_of(frame, EventColumns("user", "item"))


def nodes(count, person="{}", **columns):
    return Nodes(Vocabulary(person.format(k) for k in range(count)), pl.DataFrame(columns))


def graph(parts, edges):
    origin = Origin("bolt://x", "d", {name: Key(name, "key", True) for name in parts})
    return KnowledgeGraph(parts, edges, origin=origin)


def cut(graph, data, query=None):
    """The graph without events, where nodes of Film are items by their ids."""
    rows = data.items.vocabulary.rows(graph.nodes["Film"].vocabulary.ids)
    named = query and named_in(EventQuery(query, "user", "item"))
    return without_events(graph, data, {"Film": rows}, named)


def facts(rng):
    """Films with genres, and people who act in films: no events."""
    return {
        ("Film", "GENRE", "Genre"): Edges(np.arange(ITEMS), rng.integers(0, 5, ITEMS)),
        ("Person", "ACTED_IN", "Film"): Edges(np.arange(50), rng.integers(0, ITEMS, 50)),
    }


@pytest.mark.parametrize("label", ["User", "Viewer"])
@pytest.mark.parametrize("person", ["{}", "u{}"], ids=["ids like those of films", "ids apart"])
def test_events_of_any_label_go_and_facts_stay(pairs, label, person):
    rng = np.random.default_rng(2)
    parts = {
        "Film": nodes(ITEMS),
        "Genre": nodes(5),
        "Person": nodes(50),
        label: nodes(USERS, person),
    }
    events = {(label, "RATED", "Film"): Edges(*pairs.T)}
    found = cut(graph(parts, facts(rng) | events), dataset(pairs, person))
    assert set(found.nodes) == {"Film", "Genre", "Person"}
    assert {kind[1] for kind in found.edges} == {"GENRE", "ACTED_IN"}
    assert found.edge_count == ITEMS + 50
    assert found.report.counts["edges of users in the graph, left out"] == len(pairs)
    assert f"(:{label})-[:RATED]->(:Film) (found by comparing pairs)" in found.report.warnings[0]
    assert found.origin.keys["User"] == Key(label, "key", True)
    assert found.origin.events == (("RATED", True),)


def test_events_by_another_property_than_the_key_are_found(pairs):
    people = nodes(USERS, "neo{}", mail=[f"u{k}" for k in range(USERS)])
    parts = {"Film": nodes(ITEMS), "Viewer": people}
    found = cut(
        graph(parts, {("Film", "SEEN_BY", "Viewer"): Edges(pairs[:, 1], pairs[:, 0])}),
        dataset(pairs, "u{}"),
    )
    assert set(found.nodes) == {"Film"}
    assert found.origin.events == (("SEEN_BY", False),)
    assert found.origin.keys["User"].property == "mail"


@pytest.mark.parametrize(
    "query",
    [
        None,
        "MATCH (c:Client)-[:MADE]->(o:Order)-[:OF]->(f:Film) RETURN c.key AS user, f.key AS item",
    ],
)
def test_events_through_a_node_go_with_it(pairs, query):
    """Each order of one client holds two films; orders also lead to a town."""
    rng = np.random.default_rng(3)
    order = np.arange(len(pairs)) // 2
    pairs = pairs.copy()
    pairs[:, 0] = pairs[::2, 0][order] if len(pairs) % 2 == 0 else pairs[:, 0][2 * order]
    parts = {
        "Film": nodes(ITEMS),
        "Client": nodes(USERS),
        "Order": nodes(order[-1] + 1),
        "Town": nodes(3),
        "Genre": nodes(5),
        "Person": nodes(50),
    }
    first = np.unique(order, return_index=True)[1]
    edges = {
        ("Client", "MADE", "Order"): Edges(pairs[first, 0], order[first]),
        ("Order", "OF", "Film"): Edges(order, pairs[:, 1]),
        ("Order", "SENT_TO", "Town"): Edges(order[first], rng.integers(0, 3, len(first))),
    }
    found = cut(graph(parts, facts(rng) | edges), dataset(pairs), query)
    assert set(found.nodes) == {"Film", "Town", "Genre", "Person"}
    assert {kind[1] for kind in found.edges} == {"GENRE", "ACTED_IN"}
    assert found.origin.events == (("MADE", True), ("OF", True))
    assert found.origin.between == ("Order",)
    how = "named in the query" if query else "found by comparing pairs"
    assert how in found.report.warnings[0]


def test_a_part_of_the_events_is_events_too(pairs):
    """The database holds all years, the query asked for the last one."""
    parts = {"Film": nodes(ITEMS), "User": nodes(USERS)}
    found = cut(graph(parts, {("User", "RATED", "Film"): Edges(*pairs.T)}), dataset(pairs[::3]))
    assert set(found.nodes) == {"Film"}


def test_users_who_are_actors_too_go_alone(pairs):
    """One label for people: those of the events go, the others stay with their facts."""
    rng = np.random.default_rng(4)
    parts = {"Film": nodes(ITEMS), "Genre": nodes(5), "Person": nodes(3 * USERS, "p{}")}
    acted = np.arange(USERS, 3 * USERS)
    edges = {
        ("Person", "RATED", "Film"): Edges(*pairs.T),
        ("Person", "ACTED_IN", "Film"): Edges(acted, rng.integers(0, ITEMS, len(acted))),
    }
    found = cut(graph(parts, edges), dataset(pairs, "p{}"))
    assert len(found.nodes["Person"]) == 2 * USERS
    assert found.nodes["Person"].vocabulary.ids[0] == f"p{USERS}"
    assert list(found.edges) == [("Person", "ACTED_IN", "Film")]
    assert found.edge_count == 2 * USERS


def test_a_graph_without_events_says_so(pairs):
    rng = np.random.default_rng(5)
    parts = {"Film": nodes(ITEMS), "Genre": nodes(5), "Person": nodes(50)}
    found = cut(graph(parts, facts(rng)), dataset(pairs))
    assert found.edge_count == ITEMS + 50
    assert found.report.warnings == (
        "no relationships of the graph are events: none joins users to items as they do",
    )
