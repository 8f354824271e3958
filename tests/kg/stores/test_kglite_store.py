"""The store in memory: what goes in comes out, nothing is lost by a kill, a flip or a statement."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import polars as pl
import pytest
from graph_strategies import assert_same, films, graphs
from hypothesis import HealthCheck, given, settings

from trefoil.data.errors import StoreError
from trefoil.data.vocabulary import Vocabulary
from trefoil.kg.graph import Edges, KnowledgeGraph, Nodes
from trefoil.kg.stores.comparison import differences
from trefoil.kg.stores.embedded.store import EmbeddedStore
from trefoil.kg.stores.folder import replacing
from trefoil.kg.stores.kglite.card import COLUMNS, FILE, Card
from trefoil.kg.stores.kglite.changes import read_back
from trefoil.kg.stores.kglite.store import KgliteStore, write_kglite
from trefoil.kg.stores.open import check_kept, open_store, write_graph


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    run = tmp_path_factory.mktemp("run")
    write_graph(films(), run / "graph")
    with open_store(run) as opened:
        yield opened


@pytest.fixture
def writable(tmp_path):
    write_graph(films(), tmp_path / "graph")
    with open_store(tmp_path, read_only=False) as opened:
        yield opened


def test_a_run_carries_its_graph_and_answers_cypher(store):
    assert isinstance(store, KgliteStore)
    table = store.query(
        "MATCH (p:Person)<-[:DIRECTOR]-(i:Item) RETURN p.name AS name, count(i) AS films"
        " ORDER BY films DESC LIMIT $n",
        n=1,
    )
    assert table.to_dicts() == [{"name": "Andrei Tarkovsky", "films": 3}]


def test_everything_awkward_comes_back_as_it_was(store):
    assert_same(store.read(), films())
    assert store.verify(films()) == []


@given(graph=graphs())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_graph_comes_back_row_by_row_and_from_the_engine(graph):
    with tempfile.TemporaryDirectory() as folder:
        write_kglite(graph, Path(folder) / "graph")
        with open_store(folder) as opened:
            assert_same(opened.read(), graph)
            card, types = opened.card, list(opened.schema().types)
            held = read_back(opened.engine, card, list(card.nodes), types, None)
            assert differences(held, graph) == []
            assert opened.verify(graph) == []


def test_the_card_and_every_file_answer_for_themselves(tmp_path):
    write_graph(films(), tmp_path / "graph")
    for name in (FILE, COLUMNS, "graph.json"):
        file = tmp_path / "graph" / name
        whole = file.read_bytes()
        for at in range(0, len(whole), max(1, len(whole) // 60)):
            file.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
            with pytest.raises(StoreError, match=r"damaged|format|missing"):
                open_store(tmp_path)
        file.write_bytes(whole)
    assert open_store(tmp_path).verify(films()) == []


KILLED = """
import os, pathlib, signal, sys
sys.path.insert(0, sys.argv[1])
from graph_strategies import films
from trefoil.kg.stores.kglite.store import write_kglite
steps, last = [0], int(sys.argv[3])
def step(*_):
    steps[0] += 1
    if steps[0] == last:
        os.kill(os.getpid(), signal.SIGKILL)
real = pathlib.Path.rename
def renamed(self, target):
    step()
    found = real(self, target)
    step()
    return found
pathlib.Path.rename = renamed
write_kglite(films(), sys.argv[2])
"""


def test_a_writer_killed_between_the_renames_leaves_a_whole_store(tmp_path):
    smaller = KnowledgeGraph({"Item": films().nodes["Item"]}, {})
    write_graph(smaller, tmp_path / "graph")
    here = str(Path(__file__).parents[1])
    code = subprocess.run(
        [sys.executable, "-c", KILLED, here, str(tmp_path / "graph"), "2"],
        cwd=Path(__file__).parents[3],
        timeout=120,
    ).returncode
    assert code == -signal.SIGKILL
    assert not (tmp_path / "graph").exists()
    with open_store(tmp_path) as opened:
        assert opened.verify(films()) == []
    write_graph(smaller, tmp_path / "graph")
    assert [file.name for file in tmp_path.iterdir()] == ["graph"]


def test_what_killed_writers_leave_is_found_or_passed_over(tmp_path):
    """A half new store beside the old one, the old one alone, an old one beside the new."""
    gone = 2**22 + 1  # no process has this number
    write_graph(films(), tmp_path / "graph")
    half = tmp_path / f".graph.new-{gone}"
    half.mkdir()
    (half / FILE).write_text("half")
    assert open_store(tmp_path).verify(films()) == []
    (tmp_path / "graph").rename(tmp_path / f".graph.old-{gone}")
    assert open_store(tmp_path).verify(films()) == []
    write_graph(films(), tmp_path / "graph")
    assert [file.name for file in tmp_path.iterdir()] == ["graph"]


def test_a_file_of_another_engine_is_built_again_from_the_columns(tmp_path):
    write_graph(films(), tmp_path / "graph")
    folder = tmp_path / "graph"
    card = Card.load(folder)
    (folder / FILE).write_bytes(b"a format that this engine does not know")
    card.save(folder)
    with open_store(tmp_path) as opened:
        assert opened.query("MATCH (n:Item) RETURN count(n) AS n").item() == 6
        assert opened.verify(films()) == []


def test_older_stores_still_open_and_large_graphs_go_to_disk(tmp_path):
    with EmbeddedStore(tmp_path / "old/graph", read_only=False) as old:
        old.write(films())
    with open_store(tmp_path / "old") as opened:
        assert isinstance(opened, EmbeddedStore)
        assert opened.verify(films()) == []
    write_graph(films(), tmp_path / "large/graph", most_in_memory=10)
    with open_store(tmp_path / "large") as opened:
        assert isinstance(opened, EmbeddedStore)
    huge = pl.DataFrame({"n": pl.Series([2**63], dtype=pl.UInt64)})
    numbers = KnowledgeGraph({"A": Nodes(Vocabulary(["x"]), huge)}, {})
    write_graph(numbers, tmp_path / "numbers/graph")
    with open_store(tmp_path / "numbers") as opened:
        assert opened.verify(numbers) == []


@pytest.mark.parametrize("name", ["title", "type", "label", "name", "id", "start", "node_type"])
def test_a_property_that_the_engine_answers_itself_is_that_of_the_graph(tmp_path, name):
    one = pl.DataFrame({name: ["own", None]}, schema={name: pl.String})
    edge = pl.DataFrame({name: ["of the edge"]})
    nodes = {"A": Nodes(Vocabulary(["x", "y"]), one if name != "id" else pl.DataFrame())}
    ends = {("A", "R", "A"): Edges(pl.Series([0]).to_numpy(), pl.Series([1]).to_numpy(), edge)}
    write_graph(KnowledgeGraph(nodes, ends), tmp_path / "graph")
    with open_store(tmp_path) as opened:
        table = opened.query(
            f"MATCH (a:A)-[r:R]->(b:A) RETURN a.{name} AS a, b.{name} AS b, r.{name} AS r,"
            f" keys(b) AS keys, a['{name}'] AS index, $m.{name} AS given,"
            f" {{{name}: 1}}.{name} AS map,"
            f" '{name}' IN keys(a) AS has, a[head(['{name}'])] AS computed, a {{.{name}}} AS part",
            m={name: 5},
        )
        first = "x" if name == "id" else "own"
        assert table.to_dicts() == [
            {
                "a": first, "b": "y" if name == "id" else None, "r": "of the edge", "keys": ["id"],
                "index": first, "given": 5, "map": 1, "has": True, "computed": first,
                "part": {name: first},
            }
        ]  # fmt: skip


def test_a_node_a_relationship_and_a_path_hold_what_was_written(store):
    (row,) = store.query(
        "MATCH p = (u:User {id: 'u2'})-[r:INTERACTED {kind: 'buy'}]->(i) RETURN p, r, i"
    ).to_dicts()
    assert row["r"]["source"] == "u2"
    assert row["r"]["target"] == row["i"]["id"]
    assert json.loads(row["r"]["properties"]) == {"stars": 2.0, "at": 60, "kind": "buy"}
    properties = json.loads(row["i"]["properties"])
    assert {"type", "title", "id", ".t"} & set(properties) == set()
    assert [node["id"] for node in row["p"]["nodes"]] == ["u2", row["i"]["id"]]
    edges = store.query("MATCH ()-[r:DIRECTOR]->() RETURN r")["r"].to_list()
    assert {edge["source_label"] for edge in edges} == {"Item"}
    assert {edge["target"] for edge in edges} == {"p1", "p2"}


def test_parallel_edges_of_a_later_load_stay_apart(store):
    """``INFLUENCED_BY`` joins people, and items to items twice."""
    table = store.query("MATCH (a)-[r:INFLUENCED_BY]->(b) RETURN a.id AS a, count(r) AS n")
    assert sorted(table.rows()) == [("p1", 1), ("p2", 1), ("q5", 2)]


def test_a_star_without_an_end_has_none(tmp_path):
    chain = Nodes(Vocabulary([f"n{k}" for k in range(61)]), pl.DataFrame())
    ends = pl.int_range(61, eager=True).to_numpy()
    edges = {("A", "T", "A"): Edges(ends[:-1], ends[1:])}
    write_graph(KnowledgeGraph({"A": chain}, edges), tmp_path / "graph")
    with open_store(tmp_path) as opened:
        for steps in ("*", "*1..", "*..60", "*0..60"):
            table = opened.query(f"MATCH (a {{id: 'n0'}})-[r:T{steps}]->(b) RETURN count(b) AS n")
            assert table.item() == 60 + (steps[1:2] == "0"), steps


def test_steps_are_listed_in_the_order_of_the_pattern(store):
    text = "MATCH (:User {id: 'u1'})-[r*2]->(b:Person) RETURN DISTINCT [x IN r | type(x)] AS t"
    assert store.query(text)["t"].to_list() == [["INTERACTED", "DIRECTOR"]]
    text = "MATCH (a)-[r*2]->(b:Person {id: 'p2'}) RETURN DISTINCT [x IN r | type(x)] AS t"
    assert ["INTERACTED", "DIRECTOR"] in store.query(text)["t"].to_list()
    assert ["DIRECTOR", "INTERACTED"] not in store.query(text)["t"].to_list()


def test_what_is_not_given_and_what_is_too_long_is_said(store):
    with pytest.raises(StoreError, match=r"uses \$id, which was not given"):
        store.query("MATCH (i:Item {id: $id}) RETURN count(i)")
    with pytest.raises(StoreError, match=r"uses \$id, which was not given; given: other"):
        store.query("MATCH (i:Item {id: $id}) RETURN count(i)", other=1)
    with pytest.raises(StoreError, match="returns more than 10000 rows"):
        store.query("UNWIND range(1, 50000) AS x RETURN x")
    for text in (
        "UNWIND range(1, 50) AS x RETURN x",
        "UNWIND range(1, 50) AS x RETURN x LIMIT 40",
        "UNWIND range(1, 50) AS x RETURN x UNION ALL UNWIND range(1, 50) AS x RETURN x",
        "UNWIND range(1, 50) AS x RETURN x ORDER BY x LIMIT $n",
    ):
        given = {"n": 40} if "$n" in text else {}
        answer = store.ask(text, given, limit=10)
        assert (answer.cut, len(answer.table)) == (True, 10)
    assert not store.ask("UNWIND range(1, 10) AS x RETURN x", limit=10).cut


def test_time_is_bounded(store):
    with pytest.raises(StoreError, match="took longer than"):
        store.query(
            "UNWIND range(1, 1000000) AS x UNWIND range(1, 1000000) AS y RETURN sum(x + y) AS s",
            timeout_s=0.2,
        )
    assert len(store.query("MATCH (n:Item) RETURN n.id")) == 6


def test_ctrl_c_stops_the_statement_and_nothing_else(store):
    pid = os.getpid()
    stop = subprocess.Popen([sys.executable, "-c", f"""
import os, signal, time
time.sleep(0.5)
os.kill({pid}, signal.SIGINT)
"""])  # fmt: skip
    with pytest.raises(KeyboardInterrupt):
        store.query(
            "UNWIND range(1, 1000000) AS x UNWIND range(1, 1000000) AS y RETURN sum(x + y) AS s"
        )
    stop.wait()
    assert store.query("RETURN 1 AS x").item() == 1


def test_statements_that_write_are_kept_and_read_back(writable):
    writable.query(
        "CREATE (n:Item {id: 'new', name: 'N'}) SET n.year = 5, n.more = [1, 2]", write=True
    )
    writable.query(
        "MATCH (a {id: 'new'}), (p:Person {id: 'p1'}) CREATE (a)-[:DIRECTOR]->(p)", write=True
    )
    with open_store(writable.path) as other:
        graph = other.read()
        items = graph.nodes["Item"]
        assert items.vocabulary.ids[-1] == "new"
        assert items.properties.schema["more"] == pl.List(pl.Int64)
        assert items.properties["year"].to_list()[-1] == 5
        assert len(graph.edges["Item", "DIRECTOR", "Person"]) == 6
        assert items.properties.head(6).drop("more").equals(films().nodes["Item"].properties)
        assert other.verify(graph) == []


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("CREATE (n:Item {name: 'x'})", "NOT NULL"),
        ("CREATE (n:Item {id: 'q1'})", "already exists"),
        ("CREATE (n:New {id: 7})", "has 7 as its id"),
        ("CREATE (n:New)", "has None as its id"),
        ("CREATE (:New {id: 'a'}), (:New {id: 'a'})", "two nodes .:New. have the id 'a'"),
    ],
)
def test_a_node_without_an_id_of_its_own_changes_nothing(writable, text, why):
    with pytest.raises(StoreError, match=why):
        writable.query(text, write=True)
    assert writable.verify(films()) == []
    assert writable.query("MATCH (n:New) RETURN count(n) AS n").item() == 0


def test_a_block_that_fails_leaves_the_old_folder(tmp_path):
    write_graph(films(), tmp_path / "graph")
    with pytest.raises(FileNotFoundError), replacing(tmp_path / "graph") as fresh:
        (fresh / "nowhere" / FILE).write_text("half")
    assert [file.name for file in tmp_path.iterdir()] == ["graph"]
    wrong = KnowledgeGraph({"A": Nodes(Vocabulary(["x"]), pl.DataFrame({"v": [{"a": 1}]}))}, {})
    with pytest.raises(StoreError, match="property 'v' has type"):
        write_graph(wrong, tmp_path / "graph")
    nameless = KnowledgeGraph({"": Nodes(Vocabulary(["x"]), pl.DataFrame())}, {})
    with pytest.raises(StoreError, match="rename it"):
        write_graph(nameless, tmp_path / "graph")
    assert open_store(tmp_path).verify(films()) == []


def test_a_closed_store_says_so(tmp_path):
    write_graph(films(), tmp_path / "graph")
    store = open_store(tmp_path / "graph" / FILE)
    store.close()
    store.close()
    with pytest.raises(StoreError, match="is closed"):
        store.query("RETURN 1")


@pytest.mark.parametrize(
    "name", ["Film", "电影", "é", "0", "a:b", "a|b", "a&b", "!a", "a`b", "__x", "]", "a b", "'"]
)
def test_labels_and_types_are_what_they_are_called(tmp_path, name):
    nodes = {name: Nodes(Vocabulary(["x", "y"]), pl.DataFrame()), "B": films().nodes["Person"]}
    ends = {(name, name, name): Edges(pl.Series([0]).to_numpy(), pl.Series([1]).to_numpy())}
    write_graph(KnowledgeGraph(nodes, ends), tmp_path / "graph")
    quoted = "`" + name.replace("`", "``") + "`"
    with open_store(tmp_path) as opened:
        (row,) = opened.query(
            f"MATCH (a:{quoted})-[r:{quoted}*1..2]->(b:B|{quoted}) WHERE a:{quoted} AND NOT b:B"
            f" RETURN labels(a) AS l, [x IN r | type(x)] AS t, $name IN labels(b) AS has, a, r",
            name=name,
        ).to_dicts()
        assert (row["l"], row["t"], row["has"]) == ([name], [name], True)
        assert (row["a"]["label"], row["r"][0]["type"]) == (name, name)
        assert opened.verify(KnowledgeGraph(nodes, ends)) == []


@pytest.mark.parametrize(
    ("graph", "why"),
    [
        (KnowledgeGraph({"": Nodes(Vocabulary(["x"]), pl.DataFrame())}, {}), "rename it"),
        (
            KnowledgeGraph({"A": Nodes(Vocabulary(["x"]), pl.DataFrame({"v": [{"a": 1}]}))}, {}),
            "label 'A': property 'v' has type",
        ),
        (
            KnowledgeGraph({"A": Nodes(Vocabulary(["x"]), pl.DataFrame({"a\nb": [1]}))}, {}),
            "rename it",
        ),
    ],
)
def test_what_no_store_keeps_is_said_before_training(graph, why):
    with pytest.raises(StoreError, match=why):
        check_kept(graph)
    check_kept(films())


def test_a_wide_graph_costs_what_it_holds(tmp_path):
    """Two hundred labels and types: one table each cost the older engine gigabytes."""
    nodes = {
        f"C{k}": Nodes(Vocabulary([f"x{k}"]), pl.DataFrame({f"p{k}": [k]})) for k in range(200)
    }
    one = pl.Series([0]).to_numpy()
    edges = {(f"C{k}", f"T{k}", f"C{(k + 1) % 200}"): Edges(one, one) for k in range(200)}
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    write_graph(KnowledgeGraph(nodes, edges), tmp_path / "graph")
    with open_store(tmp_path) as opened:
        table = opened.query("MATCH (a:C0)-[*1..3]->(b) RETURN b.id AS id LIMIT 5")
        assert set(table["id"]) == {"x1", "x2", "x3"}
        assert len(opened.schema().types) == 200
    used_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert used_kb < 300_000
