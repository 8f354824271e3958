"""Facts come and go in a graph that is made, and nothing else moves."""
# ruff: noqa: F811  the fixture is named as it is imported

import numpy as np
import pytest
from test_new_items import graph  # noqa: F401  a fixture

from trefoil.data.errors import GraphDataError
from trefoil.kg.construction.new_items import facts_of
from trefoil.kg.construction.told_facts import with_triples, without_triples
from trefoil.kg.graph import ITEM
from trefoil.kg.item_facts import item_facts


def pairs(graph, key):
    edges = graph.edges[key]
    return sorted(zip(edges.source.tolist(), edges.target.tolist(), strict=True))


def some_fact(graph):
    """A way from items, and the triple of its first edge."""
    way = next(key for key in graph.edges if key[0] == ITEM and "User" not in key)
    edges = graph.edges[way]
    ends = graph.nodes[ITEM].vocabulary, graph.nodes[way[2]].vocabulary
    return way, (ends[0][int(edges.source[0])], way[1], ends[1][int(edges.target[0])])


def test_a_fact_that_goes_and_comes_back_leaves_the_graph_as_it_was(graph):
    way, triple = some_fact(graph)
    less = without_triples(graph, [triple])
    assert less.edges == 1
    assert len(less.graph.edges[way]) == len(graph.edges[way]) - 1
    again = with_triples(less.graph, [triple])
    assert pairs(again.graph, way) == pairs(graph, way)
    assert (
        less.items.tolist() == again.items.tolist() == [graph.nodes[ITEM].vocabulary.row(triple[0])]
    )
    for key in graph.edges:
        if key != way:
            assert pairs(again.graph, key) == pairs(graph, key)


def test_a_fact_that_is_there_is_not_doubled(graph):
    way, triple = some_fact(graph)
    told = with_triples(graph, [triple, triple])
    assert (told.edges, len(told.items)) == (0, 0)
    assert pairs(told.graph, way) == pairs(graph, way)


def test_facts_of_known_items_follow_the_graph(graph):
    known, rows = item_facts(graph), np.arange(len(graph.nodes[ITEM]))
    np.testing.assert_array_equal(facts_of(known, graph, rows), known.matrix.toarray())
    _, triple = some_fact(graph)
    less = without_triples(graph, [triple])
    now = facts_of(known, less.graph, rows)
    assert (known.matrix.toarray() - now).sum() == 1


def test_what_has_no_place_is_refused_by_name(graph):
    _, (head, relation, tail) = some_fact(graph)
    with pytest.raises(GraphDataError, match=r"triple 2 .*the head is no item; give the id"):
        with_triples(graph, [(head, relation, "someone new"), ("nobody", relation, tail)])
    with pytest.raises(GraphDataError, match="no node is named 'someone new'"):
        without_triples(graph, [(head, relation, "someone new")])
    less = without_triples(graph, [(head, relation, tail)])
    with pytest.raises(GraphDataError, match="the graph does not say so"):
        without_triples(less.graph, [(head, relation, tail)])
