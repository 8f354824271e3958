"""Named questions answer alike in both stores, and take no text into a statement."""

from __future__ import annotations

import pytest
from graph_strategies import films
from hypothesis import given
from hypothesis import strategies as st

from trefoil.data.errors import StoreError
from trefoil.kg.cypher.guard import check
from trefoil.kg.cypher.tokens import tokens_of
from trefoil.kg.graph import KnowledgeGraph
from trefoil.kg.shell.picture import Drawing
from trefoil.kg.shell.questions import QUESTIONS, ask_named, statement
from trefoil.kg.stores.base import Schema
from trefoil.kg.stores.open import open_store, write_graph

ASKED = [
    ("neighbours", {"id": "q1"}, 7),
    ("neighbours", {"id": "sf", "label": "Genre"}, 4),
    ("shared-attributes", {"a": "q1", "b": "q2"}, 2),
    ("path", {"user": "u2", "item": "q5"}, 3),
    ("connect", {"from": "q1", "to": "q4"}, 1),
    ("connect", {"from": "u1", "from_label": "User", "to": "p2", "to_label": "Person"}, 1),
    ("most-connected", {"label": "Person"}, 2),
    ("genre-profile", {"user": "u1"}, 2),
    ("similar-items", {"item": "q1"}, 5),
    ("also-met", {"item": "q2"}, 2),
]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    run = tmp_path_factory.mktemp("run")
    write_graph(films(), run / "graph")
    with open_store(run) as opened:
        yield opened


def test_every_question_is_asked_here():
    assert {name for name, _, _ in ASKED} == set(QUESTIONS)


@pytest.mark.parametrize(("name", "arguments", "rows"), ASKED)
def test_questions_answer_from_the_embedded_store(store, name, arguments, rows):
    assert len(ask_named(store, name, arguments).table) == rows
    assert Drawing.of(ask_named(store, name, arguments, drawing=True).table).nodes


def test_answers_by_hand(store):
    both = ask_named(store, "shared-attributes", {"a": "q1", "b": "q2"}).table
    assert both.rows() == [
        ("DIRECTOR", "Person", "p1", "Andrei Tarkovsky"),
        ("GENRE", "Genre", "sf", "Science fiction"),
    ]
    # u2 met q4 twice and q2 once; q4 shares its director and a genre with q5, q2 the genre
    reasons = ask_named(store, "path", {"user": "u2", "item": "q5"}).table
    assert reasons.rows() == [
        ("Alien", "DIRECTOR", "Ridley Scott", 2),
        ("Alien", "GENRE", "Science fiction", 2),
        ("Stalker", "GENRE", "Science fiction", 1),
    ]
    profile = ask_named(store, "genre-profile", {"user": "u1"}).table
    assert profile.rows() == [("Science fiction", 3, 2), ("Drama", 2, 1)]
    top = ask_named(store, "most-connected", {"label": "Item", "n": 1}).table
    assert top.rows() == [("q1", "Solaris", 7)]
    also = ask_named(store, "also-met", {"item": "q2"}).table
    assert also.rows() == [("q1", "Solaris", 1), ("q4", "Alien", 1)]


@pytest.mark.neo4j
def test_both_stores_answer_alike(neo4j, store):
    """Labels are fixed in questions, so this test needs User and Item for itself."""
    with neo4j.store() as server:
        taken = server._run("MATCH (n) WHERE n:User OR n:Item RETURN count(n)")[0][0]
        if taken:
            pytest.skip("the server holds users and items of somebody")
        server.write(films())
        try:
            for name, arguments, rows in ASKED:
                one = ask_named(server, name, arguments).table
                other = ask_named(store, name, arguments).table
                assert len(one) == rows, name
                assert one.columns == other.columns
                assert names(one) == names(other), name
                assert Drawing.of(ask_named(server, name, arguments, drawing=True).table).nodes
        finally:
            mine = " OR ".join(f"n:{label}" for label in films().nodes)
            server._write([(f"MATCH (n) WHERE {mine} DETACH DELETE n", {})])


def names(table) -> list[str]:
    """Rows without order: ties are broken by the engine, and lists collected as found."""
    rows = [tuple(sorted(v) if isinstance(v, list) else v for v in row) for row in table.rows()]
    return sorted(str([v for v in row if not isinstance(v, dict)]) for row in rows)


@pytest.mark.parametrize(
    ("name", "arguments", "why"),
    [
        ("neighbors", {}, "did you mean 'neighbours'"),
        ("neighbours", {}, "needs id"),
        ("neighbours", {"id": "q1", "label": "Nope"}, "the graph has User, Item"),
        ("neighbours", {"id": "q1", "n": "many"}, "must be a number from 1"),
        ("neighbours", {"id": "q1", "n": 0}, "must be a number from 1"),
        ("neighbours", {"id": "q1", "colour": "red"}, "takes no 'colour'"),
        ("genre-profile", {"user": "u1", "relation": "x`]-() DELETE n //"}, "the graph has"),
    ],
)
def test_wrong_use_is_refused_with_the_remedy(store, name, arguments, why):
    with pytest.raises(StoreError, match=why):
        ask_named(store, name, arguments)


@given(st.sampled_from(sorted(QUESTIONS)), st.text(), st.sampled_from(["neo4j", "embedded"]))
def test_no_text_of_a_user_becomes_cypher(name, text, dialect):
    schema = Schema({"User": {}, "Item": {"name": "string"}}, {("Item", "GENRE", "Item"): {}})
    given = {k: text for k, a in QUESTIONS[name].arguments.items() if a.kind == "id"}
    plain = dict.fromkeys(given, "x")
    cypher, parameters = statement(name, schema, dialect, given)
    assert cypher == statement(name, schema, dialect, plain)[0]
    assert {parameters[key] for key in given} <= {text}
    check(cypher, dialect)


@given(st.text(min_size=1, max_size=12))
def test_labels_of_any_spelling_stay_one_name(label):
    schema = Schema({label: {}}, {})
    try:
        cypher, _ = statement("most-connected", schema, "neo4j", {"label": label})
        tokens = tokens_of(cypher)
    except StoreError:  # control characters, back-slashes: refused, not passed on
        return
    assert [t.named for t in tokens if t.kind == "name"] == [label]


def test_a_graph_without_names_is_asked_by_id(tmp_path):
    graph = films()
    bare = KnowledgeGraph(
        {
            label: type(part)(part.vocabulary, part.properties.select())
            for label, part in graph.nodes.items()
        },
        graph.edges,
    )
    write_graph(bare, tmp_path / "graph")
    with open_store(tmp_path) as opened:
        table = ask_named(opened, "neighbours", {"id": "q1"}).table
    assert set(table["name"]) == {"p1", "sf", "drama", "u1", "q5"}
