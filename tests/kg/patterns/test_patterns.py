"""Patterns hold for the items that Cypher would find, and nothing of them reaches an engine."""

import re

import numpy as np
import polars as pl
import pytest

from trefoil.data.errors import ConfigError
from trefoil.data.vocabulary import Vocabulary
from trefoil.kg.graph import Edges, KnowledgeGraph, Nodes
from trefoil.kg.patterns.match import matched
from trefoil.kg.patterns.parse import parse


@pytest.fixture(scope="module")
def graph():
    """Films a to e, their makers and places; b is a sequel of a, Ada knows Bea."""

    def nodes(ids, **columns):
        return Nodes(Vocabulary(ids), pl.DataFrame(columns))

    def edges(*pairs):
        source, target = np.array(pairs, np.int64).T
        return Edges(source, target)

    return KnowledgeGraph(
        {
            "User": nodes(["u"], name=[None]),
            "Item": nodes(
                list("abcde"),
                year=[1950, 1960, None, 1980, 1990],
                tags=[["x"], [], ["x", "y"], [], []],
            ),
            "Person": nodes(["p1", "p2"], name=["Ada", "O'Neill"], alive=[True, False]),
            "Place": nodes(["q1"], name=["Rome"]),
        },
        {
            ("Item", "DIRECTOR", "Person"): edges((0, 0), (1, 0), (2, 1)),
            ("Item", "ACTOR", "Person"): edges((3, 0)),
            ("Item", "SEQUEL_OF", "Item"): edges((1, 0)),
            ("Person", "BORN_IN", "Place"): edges((1, 0)),
            ("User", "INTERACTED", "Item"): edges((0, 4)),
        },
    )


@pytest.mark.parametrize(
    ("pattern", "items"),
    [
        ("(i)-[:DIRECTOR]->(:Person {name: 'Ada'})", "ab"),
        ("(:Person {name: 'Ada'})<-[:director]-(i)", "ab"),
        ("(p:Person {name: 'Ada'})<-[r:DIRECTOR|ACTOR]-(item:Item)", "abd"),
        ("(i)-->(:person {alive: false})", "c"),
        (r"(i)--(:Person {name: 'O\'Neill'})", "c"),
        ("(i)-[:DIRECTOR]->()-[:BORN_IN]->(:Place {name: 'Rome'})", "c"),
        ("(:Place {id: 'q1'})<--(:Person)<--(i)", "c"),
        ("(i)-[:SEQUEL_OF]->(:Item)", "b"),
        ("(i)<-[:SEQUEL_OF]-(:Item)", "a"),
        ("(i)-[:SEQUEL_OF]-(:Item)", "ab"),
        ("(:Item {id: 'b'})-[:SEQUEL_OF]->(i)-[:DIRECTOR]->({name: 'Ada'})", "a"),
        ("(i {year: 1960})", "b"),
        ("(i {year: 1960.0, id: 'b'})", "b"),
        ("(i {tags: 'x'})", "ac"),
        ("(i {tags: 'y'})-[:DIRECTOR]->()", "c"),
        ("(i)-[:DIRECTOR]->(), (i)-[:SEQUEL_OF]->()", "b"),
        ("(i)", "abcde"),
        ("(i:Item:Person)", ""),
        ("(i {year: '1960'})", ""),
        ("(i {colour: 'red'})", ""),
        ("(i)--()", "abcd"),  # what a person met is no fact: e stays out
    ],
)
def test_a_pattern_holds_for_these_items(graph, pattern, items):
    found = matched(graph, pattern)
    assert "".join(np.array(list("abcde"))[found.items]) == items
    assert found.unknown == ()


def test_what_the_graph_does_not_have_is_told_and_fits_nothing(graph):
    found = matched(graph, "(i)-[:WROTE|DIRECTOR]->(:Robot)")
    assert not found.items.any()
    assert found.unknown == ("label Robot", "relation WROTE")


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("(i", "')' is expected, at its end"),
        ("(i)-[:X]>(a)", "'-' is expected, at character 9"),
        ("(i)<-[:X]->(b)", "points both ways"),
        ("(i)->(b)", "an edge begins with - or <-"),
        ("(i) RETURN i", "the pattern should end here"),
        ("(i {name: $name})", "text in quotes, a number, true or false"),
        ("(i)-[:X*1..3]->(b)", "']' is expected"),
        ("(a)-->(b)-->(a)", "a variable stands twice"),
        ("(i)-->(item)", "names the item twice"),
        ("(i {n: " + "9" * 400 + "})", "is no number"),
        ("(i)<-[:INTERACTED]-()", "tells of people"),
        ("(i)--(:User {id: 'u'})", "stands for people"),
        ("(i)" + "--()" * 16, "a chain of 17 nodes"),
        ("", "'(' is expected"),
    ],
)
def test_what_is_no_pattern_is_refused_where_it_ends_to_be_one(graph, pattern, why):
    with pytest.raises(ConfigError, match=re.escape(why)):
        matched(graph, pattern)


def test_text_in_a_pattern_is_a_value_and_nothing_else():
    chain = parse(r"(i)--({name: 'x\'}) DETACH DELETE (n) //'})")[0]
    assert chain.nodes[1].properties == (("name", "x'}) DETACH DELETE (n) //"),)
