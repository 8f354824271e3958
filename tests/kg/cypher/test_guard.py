"""The guard: nothing that writes or reaches out passes, nothing honest is refused."""

from __future__ import annotations

import contextlib
import re
import time

import pytest
from attacks import ATTACKS, PLAIN
from graph_strategies import films, marked, marked_query
from honest_questions import EMBEDDED_ONLY, NEO4J_ONLY, PARAMETERS, PORTABLE
from hypothesis import given
from hypothesis import strategies as st

from trefoil.data.errors import StoreError
from trefoil.kg.cypher.functions import words
from trefoil.kg.cypher.guard import check
from trefoil.kg.cypher.tokens import Refused, text_of, tokens_of
from trefoil.kg.stores.embedded.bulk_load import write_embedded
from trefoil.kg.stores.open import open_store, write_graph

HONEST = {
    "neo4j": [*PORTABLE, *NEO4J_ONLY],
    "kglite": [*PORTABLE, *NEO4J_ONLY],
    "embedded": [*PORTABLE, *EMBEDDED_ONLY],
}
# what the store in memory refuses, each with the words that work
BEYOND = re.compile(r"SHORTEST|COLLECT \{|&!|^CALL db\.(propertyKeys|schema)|point\(")


def used(cypher: str) -> dict[str, object]:
    """The parameters that a statement names: the embedded engine wants no others."""
    return {k: v for k, v in PARAMETERS.items() if re.search(rf"\${k}\b", cypher)}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    run = tmp_path_factory.mktemp("run")
    write_embedded(films(), run / "graph")
    with open_store(run) as opened:
        yield opened


def test_the_corpora_are_as_large_as_promised():
    assert len(PLAIN) >= 300
    assert len(ATTACKS) >= 1000
    assert min(map(len, HONEST.values())) >= 100


@pytest.mark.parametrize("dialect", ["neo4j", "embedded", "kglite"])
def test_no_attack_passes(dialect):
    passed = []
    for attack in ATTACKS:
        try:
            check(attack, dialect)
        except Refused:
            continue
        passed.append(attack)
    assert passed == []


@pytest.mark.parametrize("question", HONEST["embedded"])
def test_honest_questions_run_embedded(store, question):
    store.query(question, timeout_s=20, **used(question))


@pytest.fixture(scope="module")
def memory(tmp_path_factory):
    run = tmp_path_factory.mktemp("run")
    write_graph(films(), run / "graph")
    with open_store(run) as opened:
        yield opened


@pytest.mark.parametrize("question", HONEST["kglite"])
def test_honest_questions_run_in_memory_or_are_refused_with_what_works(memory, question):
    if not BEYOND.search(question):
        memory.query(question, timeout_s=20, **used(question))
        return
    with pytest.raises(
        StoreError, match=r"shortestPath|CALL \(n\)|NOT n:Label|Neo4j|docs/cypher|not allowed"
    ):
        memory.query(question, **used(question))


def test_attacks_leave_the_store_in_memory_alone_and_so_does_the_engine(memory):
    for attack in ATTACKS[::7]:
        with pytest.raises(StoreError):
            memory.query(attack)
    with pytest.raises(StoreError, match="immutable snapshot"):
        memory.engine.run("CREATE (n:Hacked)")
    assert memory.verify(films()) == []


@pytest.mark.neo4j
def test_honest_questions_run_on_neo4j_and_attacks_leave_it_alone(neo4j, mark):
    graph = marked(films(), mark)
    with neo4j.store() as opened:
        opened.write(graph)
    with neo4j.store(read_only=True) as opened:
        for question in HONEST["neo4j"]:
            opened.query(marked_query(question, mark), **used(question))
        for attack in ATTACKS:
            with pytest.raises(StoreError):
                opened.query(attack)
        assert opened.verify(graph) == []
        hacked = opened.query("MATCH (n) WHERE any(l IN labels(n) WHERE l = 'Hacked') RETURN n")
        assert len(hacked) == 0


@pytest.mark.neo4j
def test_behind_the_guard_neo4j_itself_refuses_to_write(neo4j):
    with neo4j.store() as opened, pytest.raises(StoreError, match="read access mode"):
        opened._run("CREATE (n:Hacked)")


def test_behind_the_guard_the_embedded_file_is_read_only(store):
    with store._connection() as connection, pytest.raises(RuntimeError, match="read-only"):
        connection.execute("CREATE (n:Item {id: 'x'})")
    assert store.query("MATCH (n:Item) RETURN count(*) AS n")["n"].to_list() == [6]


def test_a_file_that_an_attack_would_write_is_not_written(store, tmp_path):
    for text in (
        f"COPY (MATCH (n) RETURN n) TO '{tmp_path}/x.csv'",
        f"EXPORT DATABASE '{tmp_path}/x'",
    ):
        with pytest.raises(Refused):
            store.query(text)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        (
            "MATCH (n)\nDELETE n",
            "line 2, column 1: DELETE would change the graph; it needs --write",
        ),
        ("RETURN 1; RETURN 2", "line 1, column 9: one statement at a time"),
        ("MATCH (n) RETURN n.naïve", "LATIN SMALL LETTER I WITH DIAERESIS"),
        ("LOAD CSV FROM 'x' AS l RETURN l", "put it in back-ticks if it is a name"),
        ("RETURN apoc.load.json('x')", "the function apoc.load.json() is not allowed"),
        ("", "for example: MATCH (n) RETURN n LIMIT 10"),
    ],
)
def test_refusals_say_where_what_and_what_to_do(statement, why):
    with pytest.raises(Refused) as refusal:
        check(statement, "neo4j")
    assert why in str(refusal.value)


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("MATCH (n) RETURN COUNT { WHERE n.x } AS c", "column 26: 'WHERE' is not allowed here"),
        ("MATCH (n) WHERE EXISTS { UNION MATCH (m) RETURN m } RETURN n", "'UNION' is not allowed"),
        ("MATCH (n) RETURN COLLECT { n } AS c", "'N' is not allowed here"),
    ],
)
@pytest.mark.parametrize("dialect", ["neo4j", "embedded"])
def test_a_subquery_begins_like_a_statement(statement, why, dialect):
    with pytest.raises(Refused, match=why):
        check(statement, dialect)


@pytest.mark.parametrize(
    "name", ["`duration`.between", "duration.`between`", "`date`", "`apoc.load.json`"]
)
def test_back_ticks_make_no_function_of_a_name(name):
    check("RETURN duration.between(date('2020-01-01'), date('2021-01-01'))", "neo4j")
    with pytest.raises(Refused, match=r"is not allowed; see docs/cypher\.md"):
        check(f"RETURN {name}(date('2020-01-01'), date('2021-01-01'))", "neo4j")


WRITING = [
    "CREATE (n:Item {id: 'x'})",
    "MATCH (n:Item {id: 'x'}) SET n.name = 'y' RETURN n",
    "MERGE (n:Item {id: 'x'}) ON CREATE SET n.name = 'a' ON MATCH SET n.name = 'b'",
    "MATCH (n:Item {id: 'x'}) DETACH DELETE n",
]


@pytest.mark.parametrize("statement", WRITING)
def test_writing_is_possible_on_request(statement):
    check(statement, "neo4j", write=True)
    with pytest.raises(Refused):
        check(statement, "neo4j")


@pytest.mark.parametrize(
    "statement",
    [
        "LOAD CSV FROM 'file:///etc/passwd' AS l CREATE (n {x: l})",
        "CREATE NODE TABLE X(id STRING PRIMARY KEY)",
        "CREATE CONSTRAINT FOR (n:Item) REQUIRE n.id IS UNIQUE",
        "CREATE INDEX x FOR (n:Item) ON (n.id)",
        "CREATE DATABASE x",
        "CREATE USER x SET PASSWORD 'y'",
        "DROP TABLE Item",
        "COPY Item TO '/tmp/x'",
        "CALL apoc.load.json('x')",
        "CREATE (n); DROP TABLE Item",
        "MATCH (n) CALL { WITH n DELETE n } IN TRANSACTIONS",
    ],
)
def test_writing_reaches_no_further_than_nodes_and_relationships(statement):
    for dialect in ("neo4j", "embedded", "kglite"):
        with pytest.raises(Refused):
            check(statement, dialect, write=True)


def test_a_writing_statement_changes_an_embedded_store_opened_for_it(tmp_path):
    write_embedded(films(), tmp_path / "graph")
    with open_store(tmp_path) as opened, pytest.raises(StoreError, match="opened read-only"):
        opened.query(WRITING[0], write=True)
    with open_store(tmp_path, read_only=False) as opened:
        for statement in WRITING[:3]:
            opened.query(statement, write=True)
    with open_store(tmp_path) as opened:
        assert opened.query("MATCH (n:Item {id: 'x'}) RETURN n.name")["n.name"].to_list() == ["b"]
        graph = opened.read()
        assert graph.nodes["Item"].vocabulary[-1] == "x"
        assert graph.edges["Item", "GENRE", "Genre"].source.tolist() == [0, 0, 1, 2, 3, 3, 4, 5]
    with open_store(tmp_path, read_only=False) as opened:
        opened.query("MATCH (n:Item {id: 'q1'}) DETACH DELETE n", write=True)
        graph = opened.read()  # rows moved up, edges with them
        assert graph.edges["Item", "GENRE", "Genre"].source.tolist() == [0, 1, 2, 2, 3, 4]


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text):
    try:
        tokens = tokens_of(text)
    except Refused:
        return
    assert [t.text for t in tokens_of(text_of(tokens))] == [t.text for t in tokens]


_pieces = st.sampled_from(
    sorted(
        words(
            "MATCH (n) WITH n RETURN 1 AS x ( ) [ ] { } . , ; : | * -> 'a' `b` $p 2 NOT CASE END"
            " COUNT CALL EXISTS UNION ALL WHERE true NULL LIMIT .. // /* */"
        )
    )
)


@given(
    st.lists(_pieces, max_size=12), st.sampled_from(["CREATE", "DELETE", "LOAD", "DROP"]), st.data()
)
def test_no_surrounding_lets_a_forbidden_clause_through(pieces, clause, data):
    at = data.draw(st.integers(0, len(pieces)))
    text = " ".join([*pieces[:at], clause, "(m)", *pieces[at:]])
    try:
        tokens = check(text, "neo4j").tokens
    except Refused:
        return
    # it passed, so the word is a name (n.CREATE, {CREATE: 1}, :CREATE) or in a comment
    for k, token in enumerate(tokens):
        if token.word == clause:
            assert tokens[k - 1].text in (":", ".", "|", "{", ","), text


def test_reading_a_hostile_statement_takes_linear_time():
    def seconds(text: str) -> float:
        started = time.perf_counter()
        for _ in range(3):
            with contextlib.suppress(Refused):
                check(text, "neo4j")
        return time.perf_counter() - started

    for text in ("'", "/*", "`a", "((", "'\\\\", "a.", "CALL (", "1"):
        assert seconds(text * 24_000) < 5, text
