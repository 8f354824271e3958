"""A linked entity becomes the Item node; no item is lost."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trefoil.data.dataset import GraphSource
from trefoil.data.items import Items
from trefoil.data.vocabulary import Vocabulary
from trefoil.kg.construction.coverage import coverage
from trefoil.kg.construction.entity_linking import link
from trefoil.kg.construction.typed_graph import typed_graph
from trefoil.kg.graph import Edges, KnowledgeGraph, Nodes
from trefoil.kg.triples.tables import triples_of


def world(*rows, types=None, names=None):
    frame = pl.DataFrame(rows, schema=["head", "relation", "tail"], orient="row")
    return typed_graph(triples_of(frame, types=types, names=names))


def table(*pairs):
    return pl.DataFrame(list(pairs), schema={"item": pl.String, "entity": pl.String}, orient="row")


def items(*ids, titles=()):
    return Items(Vocabulary(ids), titles=titles)


def triples(graph):
    return sorted(
        (graph.nodes[s].vocabulary[a], s, r, t, graph.nodes[t].vocabulary[b])
        for (s, r, t), edges in graph.edges.items()
        for a, b in zip(edges.source, edges.target, strict=True)
    )


FILMS = world(
    ("e1", "director", "p1"),
    ("e2", "director", "p1"),
    ("e2", "sequel", "e1"),
    ("p1", "born", "x"),
    types={"e1": "Movie", "e2": "Movie", "p1": "Person"},
    names={"e1": "Vertigo", "p1": "Hitchcock"},
)


def test_a_linked_entity_becomes_the_item_and_its_edges_go_along():
    source = GraphSource(link=table(("a", "e1"), ("b", "e2")))
    graph = link(FILMS, items("b", "a", titles=("B", None)), source)
    assert graph.nodes["Item"].vocabulary.ids == ("b", "a")
    assert "Movie" not in graph.nodes
    assert triples(graph) == [
        ("a", "Item", "DIRECTOR", "Person", "p1"),
        ("b", "Item", "DIRECTOR", "Person", "p1"),
        ("b", "Item", "SEQUEL", "Item", "a"),
        ("p1", "Person", "BORN", "Entity", "x"),
    ]
    table_ = graph.nodes["Item"].properties
    assert table_["name"].to_list() == ["B", "Vertigo"]
    assert table_["classes"].to_list() == [["Movie"], ["Movie"]]
    assert coverage(graph) == 1.0


def test_without_a_table_the_pattern_finds_the_entity():
    graph = world(("urn:film:7", "r", "x"), ("urn:film:007", "r", "y"))
    found = link(graph, items("7", "007", "8"), GraphSource(iri="urn:film:{id}"))
    assert triples(found) == [
        ("007", "Item", "R", "Entity", "y"),
        ("7", "Item", "R", "Entity", "x"),
    ]
    assert found.report.counts["items with an entity"] == 2
    assert found.nodes["Item"].properties["iri"].to_list() == ["urn:film:7", "urn:film:007", None]


def test_several_items_on_one_entity_each_get_its_edges():
    source = GraphSource(link=table(("a", "e1"), ("b", "e1"), ("c", "e2")))
    graph = link(FILMS, items("a", "b", "c"), source)
    assert triples(graph)[:5] == [
        ("a", "Item", "DIRECTOR", "Person", "p1"),
        ("b", "Item", "DIRECTOR", "Person", "p1"),
        ("c", "Item", "DIRECTOR", "Person", "p1"),
        ("c", "Item", "SEQUEL", "Item", "a"),
        ("c", "Item", "SEQUEL", "Item", "b"),
    ]
    counts = graph.report.counts
    assert (counts["entities shared by several items"], counts["entities of items"]) == (1, 2)


def test_items_without_entity_stay_and_wrong_links_are_counted():
    source = GraphSource(link=table(("a", "e1"), ("a", "e2"), ("b", "nothing"), ("nobody", "e2")))
    graph = link(FILMS, items("a", "b", "c"), source)
    assert graph.nodes["Item"].vocabulary.ids == ("a", "b", "c")
    assert graph.nodes["Movie"].vocabulary.ids == ("e2",)
    counts = graph.report.counts
    assert counts["links to unknown items"] == 1
    assert counts["links to unknown entities"] == 1
    assert counts["further links of an item, left out"] == 1
    assert coverage(graph) == pytest.approx(1 / 3)


def test_merged_entities_are_found_by_either_iri():
    graph = world(("http://a", "r", "x"))
    found = link(
        graph, items("1"), GraphSource(iri="urn:film:{id}"), aliases={"urn:film:1": "http://a"}
    )
    assert triples(found) == [("1", "Item", "R", "Entity", "x")]


def test_events_that_came_with_the_graph_are_left_out():
    nodes = {
        "User": Nodes(Vocabulary(["u"]), pl.DataFrame()),
        "Item": Nodes(Vocabulary(["a"]), pl.DataFrame()),
        "Genre": Nodes(Vocabulary(["g"]), pl.DataFrame()),
    }
    one = np.zeros(1, np.int64)
    edges = {
        ("User", "INTERACTED", "Item"): Edges(one, one),
        ("Item", "GENRE", "Genre"): Edges(one, one),
        ("User", "LIKES", "Genre"): Edges(one, one),
    }
    graph = link(KnowledgeGraph(nodes, edges), items("a", "b"), GraphSource(iri="{id}"))
    assert list(graph.edges) == [("Item", "GENRE", "Genre")]
    assert "User" not in graph.nodes
    assert graph.report.counts["edges of users in the graph, left out"] == 2
    assert coverage(graph) == 0.5


def test_item_nodes_that_are_no_item_of_the_catalogue_are_left_out_with_a_count():
    nodes = {"Item": Nodes(Vocabulary(["a", "z"]), pl.DataFrame({"name": ["A", "Z"]}))}
    rows = np.array([0, 1])
    graph = KnowledgeGraph(nodes, {("Item", "NEXT", "Item"): Edges(rows, rows[::-1].copy())})
    found = link(graph, items("a"), GraphSource(iri="{id}"))
    assert found.nodes["Item"].vocabulary.ids == ("a",)
    assert triples(found) == []
    assert found.report.counts["items of the graph, not of the catalogue, left out"] == 1


def test_edge_properties_go_along():
    nodes = {
        "Film": Nodes(Vocabulary(["f", "g"]), pl.DataFrame()),
        "Person": Nodes(Vocabulary(["p"]), pl.DataFrame()),
    }
    edges = Edges(np.array([0, 1]), np.array([0, 0]), pl.DataFrame({"role": ["lead", "extra"]}))
    graph = KnowledgeGraph(nodes, {("Film", "CAST", "Person"): edges})
    found = link(graph, items("1", "2"), GraphSource(link=table(("1", "g"), ("2", "g"))))
    assert found.edges["Item", "CAST", "Person"].properties["role"].to_list() == ["extra", "extra"]
    assert found.edges["Film", "CAST", "Person"].properties["role"].to_list() == ["lead"]


def test_no_items_and_no_entities_are_answered():
    assert np.isnan(coverage(link(FILMS, items(), GraphSource())))
    empty = typed_graph(triples_of(pl.DataFrame({"head": [], "relation": [], "tail": []})))
    graph = link(empty, items("a"), GraphSource())
    assert graph.nodes["Item"].vocabulary.ids == ("a",)


names = st.sampled_from([f"e{row}" for row in range(6)])


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.tuples(names, st.sampled_from("rs"), names), min_size=1, max_size=12),
    st.dictionaries(st.sampled_from("abcdefg"), names, max_size=6),
)
def test_linking_is_what_a_loop_over_statements_gives(rows, links):
    """Oracle: each statement, once for each pair of items its ends stand for."""
    graph = world(*rows)
    catalogue = items(*"abcdefg")
    found = link(graph, catalogue, GraphSource(link=table(*links.items())))
    places = {}
    for item, entity in sorted(links.items()):
        places.setdefault(entity, []).append(("Item", item))
    expected = set()
    for head, relation, tail in set(rows):
        for one, a in places.get(head, [("Entity", head)]):
            for other, b in places.get(tail, [("Entity", tail)]):
                expected.add((a, one, relation.upper(), other, b))
    assert triples(found) == sorted(expected)
