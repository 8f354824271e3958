"""The embedded store: what goes in comes out, and nobody else can change it."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl
import pytest
from graph_strategies import assert_same, films, graphs
from hypothesis import HealthCheck, given, settings

from trefoil.data.errors import StoreError
from trefoil.data.vocabulary import Vocabulary
from trefoil.kg.graph import Edges, KnowledgeGraph, Nodes
from trefoil.kg.stores.comparison import digest
from trefoil.kg.stores.embedded.bulk_load import write_embedded
from trefoil.kg.stores.embedded.store import EmbeddedStore
from trefoil.kg.stores.open import open_store


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    run = tmp_path_factory.mktemp("run")
    write_embedded(films(), run / "graph")
    with open_store(run) as opened:
        yield opened


def test_a_run_carries_its_graph_and_answers_cypher(store):
    table = store.query(
        "MATCH (p:Person)<-[:DIRECTOR]-(i:Item) RETURN p.name AS name, count(i) AS films"
        " ORDER BY films DESC LIMIT $n",
        n=1,
    )
    assert table.to_dicts() == [{"name": "Andrei Tarkovsky", "films": 3}]


def test_everything_awkward_comes_back_as_it_was(store):
    assert_same(store.read(), films())


@given(graph=graphs())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_graph_comes_back_row_by_row(graph):
    with tempfile.TemporaryDirectory() as folder:
        write_embedded(graph, Path(folder) / "graph")
        with open_store(folder) as opened:
            assert_same(opened.read(), graph)


def test_a_folder_without_a_store_is_refused_by_name(tmp_path):
    with pytest.raises(StoreError, match="no graph store here"):
        EmbeddedStore(tmp_path)


def test_selections_keep_only_what_was_asked_for(store):
    part = store.read(labels=["Item", "Person"], relationships=["DIRECTOR"], properties=["name"])
    assert list(part.edges) == [("Item", "DIRECTOR", "Person")]
    assert part.nodes["Item"].properties.columns == ["name"]
    assert dict(part.predicates) == {"DIRECTOR": "http://schema.org/director"}
    for wrong in ({"labels": ["Nope"]}, {"relationships": ["NOPE"]}, {"properties": ["nope"]}):
        with pytest.raises(StoreError, match="in the store; it has"):
            store.read(**wrong)


def test_a_type_and_a_label_of_one_spelling_stay_apart(store):
    table = store.query(
        "MATCH (i:Item {id: 'q3'})-[r:GENRE]->(g:Genre) RETURN type(r) AS t, labels(g) AS l, r, g"
    )
    (row,) = table.to_dicts()
    assert (row["t"], row["l"]) == ("GENRE", ["Genre"])
    assert (row["r"]["type"], row["g"]["label"]) == ("GENRE", "Genre")
    assert (row["r"]["source"], row["r"]["target"]) == ("q3", "drama")
    assert "_row" not in row["g"]["properties"]


def test_iris_with_dots_may_be_labels(tmp_path):
    one, two = "http://example.org/Film", "http://example.org/film"
    nodes = {name: films().nodes["Genre"] for name in (one, two)}
    graph = KnowledgeGraph(nodes, {(one, "a.b", two): films().edges["Item", "THEME", "Theme"]})
    write_embedded(graph, tmp_path / "graph")
    with open_store(tmp_path) as opened:
        assert_same(opened.read(), graph)
        table = opened.query(f"MATCH (n:`{two}`) RETURN labels(n) AS l LIMIT 1")
        assert table["l"].to_list() == [[two]]


def test_columns_are_named_as_in_the_statement(store):
    table = store.query("MATCH (i:Item) RETURN i.name, count(*) AS n, toLower(i.name) LIMIT 1")
    assert table.columns == ["i.name", "n", "toLower(i.name)"]


def test_limits_stop_rows_and_time(store):
    answer = store.ask("UNWIND range(1, 1000) AS x RETURN x", limit=7)
    assert answer.cut
    assert len(answer.table) == 7
    assert not store.ask("UNWIND range(1, 7) AS x RETURN x", limit=7).cut
    with pytest.raises(StoreError, match="took longer than"):
        store.query(
            "UNWIND range(1, 1000000) AS x UNWIND range(1, 1000000) AS y RETURN sum(x + y) AS s",
            timeout_s=0.2,
        )
    # the statement that was stopped leaves the store as it was
    assert len(store.query("MATCH (n:Item) RETURN n.id")) == 6


def test_the_union_that_kills_the_engine_is_refused(store):
    part = "MATCH (m:{}) RETURN m.id AS id, m.id AS name{}"
    with pytest.raises(StoreError, match="twice crashes the embedded engine"):
        store.query(f"{part.format('Item', ' LIMIT 5')} UNION ALL {part.format('User', '')}")
    table = store.query(f"{part.format('Item', '')} UNION ALL {part.format('User', '')}")
    assert len(table) == 9


def test_threads_ask_one_store_at_once(store):
    def count(_: int) -> int:
        return store.query("MATCH (i:Item)-[:GENRE]->(g:Genre) RETURN count(*) AS n").item()

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(count, range(64))) == {8}


READER = """
import json, sys
from trefoil.kg.stores.comparison import digest
from trefoil.kg.stores.open import open_store
with open_store(sys.argv[1]) as store:
    print(json.dumps(digest(store.read())))
"""


def test_other_processes_read_beside_us_and_see_an_equal_graph(tmp_path):
    write_embedded(films(), tmp_path / "graph")
    root = Path(__file__).parents[3]
    with open_store(tmp_path):
        readers = [
            subprocess.Popen(
                [sys.executable, "-c", READER, str(tmp_path)],
                cwd=root,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(2)
        ]
        outputs = [reader.communicate(timeout=120)[0] for reader in readers]
    wanted = {name: list(found) for name, found in digest(films()).items()}
    assert [json.loads(text) for text in outputs] == [wanted, wanted]


def test_a_store_is_replaced_as_a_whole_and_readers_keep_theirs(tmp_path):
    write_embedded(films(), tmp_path / "graph")
    smaller = KnowledgeGraph({"Item": films().nodes["Item"]}, {})
    with open_store(tmp_path) as old:
        with open_store(tmp_path, read_only=False) as writer:
            writer.write(smaller)
            assert_same(writer.read(), smaller)
        assert_same(old.read(), films())
    with open_store(tmp_path) as new:
        assert new.verify(smaller) == []
        with pytest.raises(StoreError, match="opened read-only"):
            new.write(smaller)
    assert [file.name for file in tmp_path.iterdir()] == ["graph"]


def test_a_failed_write_leaves_the_old_store(tmp_path):
    write_embedded(films(), tmp_path / "graph")
    wrong = KnowledgeGraph({"A": Nodes(Vocabulary(["x"]), pl.DataFrame({"v": [{"a": 1}]}))}, {})
    with pytest.raises(StoreError, match="property 'v' has type"):
        write_embedded(wrong, tmp_path / "graph")
    nameless = KnowledgeGraph({"": Nodes(Vocabulary(["x"]), pl.DataFrame())}, {})
    with pytest.raises(StoreError, match="rename it"):
        write_embedded(nameless, tmp_path / "graph")
    with open_store(tmp_path) as store:
        assert store.verify(films()) == []
    assert [file.name for file in tmp_path.iterdir()] == ["graph"]


def test_progress_counts_every_row_once(tmp_path):
    seen: list[tuple[int, int, str]] = []
    write_embedded(films(), tmp_path / "graph", progress=lambda *step: seen.append(step))
    assert [done for done, _, _ in seen] == sorted(done for done, _, _ in seen)
    assert seen[-1][:2] == (38, 38)


def test_verify_names_what_differs(store):
    graph = films()
    edges = graph.edges["Item", "GENRE", "Genre"]
    fewer = {**graph.edges, ("Item", "GENRE", "Genre"): Edges(edges.source[1:], edges.target[1:])}
    assert store.verify(KnowledgeGraph(graph.nodes, fewer, graph.predicates)) == [
        "(:Item)-[:GENRE]->(:Genre): 8 against 7"
    ]


def test_a_closed_store_says_so(tmp_path):
    write_embedded(films(), tmp_path / "graph")
    store = open_store(tmp_path / "graph/graph.lbdb")
    store.close()
    store.close()
    with pytest.raises(StoreError, match="is closed"):
        store.query("RETURN 1")
