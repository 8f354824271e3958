"""Items put into a graph later: placed by id, IRI or name; what was there keeps its row."""

import numpy as np
import polars as pl
import pytest

from trefoil.data.errors import GraphDataError
from trefoil.data.items import Items
from trefoil.data.vocabulary import Vocabulary
from trefoil.kg.construction.new_items import facts_of, with_items
from trefoil.kg.graph import ITEM, USER, Edges, KnowledgeGraph, Nodes
from trefoil.kg.item_facts import item_facts


def rows(*pairs):
    return tuple(np.array(side, np.int64) for side in zip(*pairs, strict=True))


@pytest.fixture
def graph():
    """Three films; Ada made two of them, two people are called Sam; a sequel; a prize to films."""
    people = pl.DataFrame(
        {"iri": ["urn:p1", "urn:p2", "urn:p3"], "name": ["Ada", "Sam", "Sam"], "born": [1, 2, 3]}
    )
    return KnowledgeGraph(
        {
            USER: Nodes(Vocabulary(["u"]), pl.DataFrame()),
            ITEM: Nodes(
                Vocabulary(["a", "b", "c"]),
                pl.DataFrame({"name": ["A", "B", "C"], "year": [1] * 3}),
            ),
            "Person": Nodes(Vocabulary(["urn:p1", "urn:p2", "urn:p3"]), people),
            "Prize": Nodes(Vocabulary(["oscar"]), pl.DataFrame({"name": ["Oscar"]})),
        },
        {
            (USER, "INTERACTED", ITEM): Edges(*rows((0, 0)), pl.DataFrame({"stars": [4.0]})),
            (ITEM, "MADE_BY", "Person"): Edges(*rows((0, 0), (1, 0), (2, 1))),
            (ITEM, "SEQUEL_OF", ITEM): Edges(*rows((1, 0))),
            ("Prize", "GIVEN_TO", ITEM): Edges(
                *rows((0, 0), (0, 1)), pl.DataFrame({"year": [1990, 1991]})
            ),
        },
        {"MADE_BY": "https://schema.org/director", ":Person": "https://schema.org/Person"},
    )


def fresh(*ids):
    return Items(Vocabulary(ids), tuple(f"Film {one}" for one in ids), (None,) * len(ids))


def ends(grown, key):
    edges = grown.graph.edges[key]
    return list(zip(edges.source.tolist(), edges.target.tolist(), strict=True))


MADE_BY = (ITEM, "MADE_BY", "Person")


@pytest.mark.parametrize("tail", ["urn:p1", "Ada"])
@pytest.mark.parametrize("relation", ["MADE_BY", "https://schema.org/director", "madeBy"])
def test_an_edge_is_placed_by_any_of_its_names(graph, relation, tail):
    grown = with_items(graph, fresh("d"), [("d", relation, tail)])
    assert ends(grown, MADE_BY) == [(0, 0), (1, 0), (2, 1), (3, 0)]
    assert (grown.edges, grown.new_nodes) == (1, 0)


def test_what_was_there_keeps_its_row_and_its_properties(graph):
    grown = with_items(graph, fresh("d", "e"), [("d", "MADE_BY", "Sophie")]).graph
    for name, nodes in graph.nodes.items():
        count = len(nodes)
        assert grown.nodes[name].vocabulary.ids[:count] == nodes.vocabulary.ids
        if nodes.properties.width:
            assert grown.nodes[name].properties[:count].equals(nodes.properties)
    assert grown.nodes[ITEM].vocabulary.ids[3:] == ("d", "e")
    assert grown.nodes[ITEM].properties["name"].to_list()[3:] == ["Film d", "Film e"]
    assert grown.edges[USER, "INTERACTED", ITEM] == graph.edges[USER, "INTERACTED", ITEM]
    assert set(graph.nodes[ITEM].vocabulary.ids) == {"a", "b", "c"}  # the old graph is as it was


def test_an_unknown_tail_becomes_a_node_of_the_kind_the_relation_leads_to(graph):
    triples = [("d", "MADE_BY", "Sophie"), ("e", "MADE_BY", "Sophie"), ("e", "MADE_BY", "urn:x/Jo")]
    grown = with_items(graph, fresh("d", "e"), triples)
    assert grown.new_nodes == 2
    people = grown.graph.nodes["Person"]
    assert people.vocabulary.ids[3:] == ("Sophie", "urn:x/Jo")
    assert people.properties["name"].to_list()[3:] == ["Sophie", "Jo"]
    assert people.properties["iri"].to_list()[3:] == [None, "urn:x/Jo"]
    assert ends(grown, MADE_BY)[3:] == [(3, 3), (4, 3), (4, 4)]


def test_edges_that_point_to_items_are_written_with_a_caret(graph):
    grown = with_items(graph, fresh("d"), [("d", "^GIVEN_TO", "Oscar")])
    assert ends(grown, ("Prize", "GIVEN_TO", ITEM)) == [(0, 0), (0, 1), (0, 3)]
    years = grown.graph.edges["Prize", "GIVEN_TO", ITEM].properties["year"]
    assert years.to_list() == [1990, 1991, None]


def test_items_may_be_joined_to_old_and_to_new_ones(graph):
    triples = [("d", "SEQUEL_OF", "B"), ("e", "SEQUEL_OF", "d"), ("d", "^SEQUEL_OF", "c")]
    grown = with_items(graph, fresh("d", "e"), triples)
    assert ends(grown, (ITEM, "SEQUEL_OF", ITEM)) == [(1, 0), (3, 1), (4, 3), (2, 3)]


def test_a_triple_said_twice_is_one_edge(graph):
    grown = with_items(graph, fresh("d"), [("d", "MADE_BY", "Ada")] * 3)
    assert grown.edges == 1


@pytest.mark.parametrize(
    ("triple", "said"),
    [
        (("a", "MADE_BY", "Ada"), r"triple 1 \(a, MADE_BY, Ada\): the head is no new item"),
        (("x", "MADE_BY", "Ada"), "the head is no new item"),
        (("d", "MADEBY", "Ada"), "unknown relation 'MADEBY'; did you mean 'MADE_BY'"),
        (("d", "INTERACTED", "u"), "unknown relation 'INTERACTED'"),
        (("d", "MADE_BY", "Sam"), "2 nodes of 'Person' are named 'Sam'; give an id"),
        (("d", "SEQUEL_OF", "Z"), "no item is named 'Z'"),
        (("d", "MADE_BY", ""), "no item is named ''"),
    ],
)
def test_what_cannot_be_placed_is_named(graph, triple, said):
    with pytest.raises(GraphDataError, match=said):
        with_items(graph, fresh("d"), [triple])


def test_facts_of_new_items_are_columns_that_are_known(graph):
    known = item_facts(graph)
    triples = [("d", "MADE_BY", "Ada"), ("d", "MADE_BY", "Sophie"), ("e", "^GIVEN_TO", "oscar")]
    grown = with_items(graph, fresh("d", "e"), [*triples, ("d", "SEQUEL_OF", "a")]).graph
    held = facts_of(known, grown, np.arange(3, len(grown.nodes["Item"])))
    told = {
        (row, known.relations[known.relation[column]], known.entities[known.entity[column]])
        for row, column in zip(*np.nonzero(held), strict=True)
    }
    assert told == {
        (0, "MADE_BY", ("Person", 0)),
        (0, "SEQUEL_OF", (ITEM, 0)),
        (1, "^GIVEN_TO", ("Prize", 0)),
    }
