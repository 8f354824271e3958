"""A real Neo4j: what is written comes back, whoever wrote it, plain and over TLS."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl
import pytest
from graph_strategies import films, marked, marked_query
from neo4j_server import free_port

from trefoil.data.errors import StoreError
from trefoil.data.neo4j.server import refuse_old
from trefoil.data.vocabulary import Vocabulary
from trefoil.kg.graph import Edges, KnowledgeGraph, Nodes
from trefoil.kg.stores.comparison import differences
from trefoil.kg.stores.open import open_store, read_neo4j

pytestmark = pytest.mark.neo4j


def test_everything_awkward_comes_back(neo4j, mark):
    graph = marked(films(), mark)
    seen = []
    with neo4j.store() as store:
        store.write(graph, lambda done, total, what: seen.append((what, done, total)))
        found = store.read(labels=list(graph.nodes))
        assert differences(found, graph) == []
        assert store.verify(graph) == []
    assert seen[-1][1:] == (38, 38)
    item = found.nodes[mark + "Item"]
    assert item.vocabulary.ids == tuple(sorted(graph.nodes[mark + "Item"].vocabulary))
    assert item.properties.schema == films().nodes["Item"].properties.schema


def test_writing_again_changes_nothing_and_a_changed_property_changes(neo4j, mark):
    graph = marked(films(), mark)
    with neo4j.store() as store:
        store.write(graph, batch=4)
        store.write(graph, batch=3)
        assert store.verify(graph) == []
        people = Nodes(Vocabulary(["p1", "p2"]), pl.DataFrame({"name": ["A. Tarkovsky", None]}))
        renamed = KnowledgeGraph({mark + "Person": people}, {})
        store.write(renamed)
        assert store.verify(renamed) == []
        assert store.verify(graph) == [
            f"(:{mark}Person): 2 each, but their ends or properties differ"
        ]


def test_types_that_neo4j_lacks_are_restored(neo4j, mark):
    properties = pl.DataFrame(
        {
            "small": pl.Series([1, None], dtype=pl.Int8),
            "berlin": pl.Series(
                [dt.datetime(2020, 7, 1, tzinfo=dt.UTC), None], dtype=pl.Datetime("us", "UTC")
            ).dt.convert_time_zone("Europe/Berlin"),
            "took": [dt.timedelta(days=400, microseconds=7), None],
            "bytes": [b"\x00\xff", None],
            "numbers": [[1.5, 2.0], []],
            "kind": pl.Series(["a", "b"], dtype=pl.Categorical),
            "nothing": pl.Series([None, None], dtype=pl.Null),
            "odd `name`": ["x", "y"],
        }
    )
    graph = KnowledgeGraph({f"{mark}La `bel`": Nodes(Vocabulary(["b", "a"]), properties)}, {})
    with neo4j.store() as store:
        store.write(graph)
        found = store.read(labels=list(graph.nodes))
    assert differences(found, graph) == []


def test_selections_keep_only_what_was_asked_for(neo4j, mark):
    graph = marked(films(), mark)
    with neo4j.store() as store:
        store.write(graph)
    part = read_neo4j(
        neo4j.uri,
        auth=neo4j.auth,
        labels=[f"{mark}Item", f"{mark}Person"],
        relationships=[f"{mark}DIRECTOR"],
        properties=["name"],
    )
    assert list(part.edges) == [(f"{mark}Item", f"{mark}DIRECTOR", f"{mark}Person")]
    assert part.edge_count == 5
    assert part.nodes[f"{mark}Item"].properties.columns == ["name"]
    with pytest.raises(StoreError, match="no label 'Nonsense'"):
        read_neo4j(neo4j.uri, auth=neo4j.auth, labels=["Nonsense"])


def test_a_database_that_others_filled_is_read_as_it_is(neo4j, mark):
    with neo4j.store() as store:
        a, b, r = f"`{mark}A`", f"`{mark}B`", f"`{mark}R`"
        store._write(
            [
                (f"CREATE (:{a} {{uid: 2, x: 1, y: 'a'}}), (:{a} {{uid: 1, x: 2.5, y: 7}})", {}),
                (f"CREATE (:{a}:{b} {{uid: 'both'}})", {}),
                (f"MATCH (n:{a} {{uid: 1}}), (m:{b}) CREATE (n)-[:{r} {{w: 1}}]->(m)", {}),
                (f"MATCH (n:{a} {{uid: 1}}), (m:{b}) CREATE (n)-[:{r} {{w: 2}}]->(m)", {}),
            ]
        )
        labels = [f"{mark}B", f"{mark}A"]
        graph = store.read(labels=labels, relationships=[f"{mark}R"], key="uid")
        assert graph.nodes[f"{mark}A"].vocabulary.ids == ("1", "2")
        assert graph.nodes[f"{mark}A"].properties["x"].to_list() == [2.5, 1.0]
        assert graph.nodes[f"{mark}A"].properties["y"].to_list() == ["7", "a"]
        assert graph.nodes[f"{mark}B"].vocabulary.ids == ("both",)
        edges = graph.edges[f"{mark}A", f"{mark}R", f"{mark}B"]
        assert edges.source.tolist() == [0, 0]
        assert sorted(edges.properties["w"]) == [1, 2]
        made_up = store.read(labels=[f"{mark}B"])
        assert made_up.nodes[f"{mark}B"].vocabulary[0].startswith("neo4j:")


def test_edges_of_others_are_found_and_not_doubled(neo4j, mark):
    graph = marked(films(), mark)
    with neo4j.store() as store:
        store.write(graph)
        store._write([(f"MATCH (:`{mark}User`)-[r]->() REMOVE r._key", {})])
        store.write(graph)
        assert store.verify(graph) == []
        count = store.query(f"MATCH (:`{mark}User`)-[r]->() RETURN count(r) AS n")
    assert count["n"].to_list() == [7]


def test_ids_that_occur_twice_are_refused_by_name(neo4j, mark):
    with neo4j.store() as store:
        store._write([(f"CREATE (:`{mark}A` {{id: 'x'}}), (:`{mark}A` {{id: 'x'}})", {})])
        with pytest.raises(StoreError, match="have the id 'x'; make it unique"):
            store.read(labels=[f"{mark}A"])


def test_answers_are_the_cells_of_every_store(neo4j, mark, tmp_path):
    from trefoil.kg.stores.embedded.bulk_load import write_embedded

    graph = marked(films(), mark)
    write_embedded(graph, tmp_path / "graph")
    questions = [
        "MATCH (i:Item {id: 'q4'})-[r:GENRE]->(g:Genre) RETURN i, r, g ORDER BY g.id",
        "MATCH p = (:User {id: 'u1'})-->(:Item {id: 'q2'})-[:GENRE]->(:Genre) RETURN p",
        "MATCH (i:Item) RETURN i.name, i.year AS year, i.tags, i.released, i.colour ORDER BY i.id",
        "MATCH (i:Item)-[r]->(x) RETURN type(r) AS t, labels(x) AS l, count(*) AS n ORDER BY t",
        "MATCH (u:User)-[r:INTERACTED]->(i:Item) RETURN r ORDER BY u.id, i.id, r.stars, r.kind",
    ]
    with neo4j.store() as server, open_store(tmp_path) as embedded:
        server.write(graph)
        for question in questions:
            text = marked_query(question, mark)
            one, other = server.query(text), embedded.query(text)
            columns = [c for c in one.columns if one[c].dtype != pl.Struct]
            assert one.columns == other.columns
            assert one.select(columns).equals(other.select(columns)), question


def test_limits_stop_rows_and_time(neo4j):
    with neo4j.store() as store:
        answer = store.ask("UNWIND range(1, 1000000) AS x RETURN x", limit=7)
        assert answer.cut
        assert answer.table["x"].to_list() == [1, 2, 3, 4, 5, 6, 7]
        with pytest.raises(StoreError, match="took longer than"):
            store.query(
                "UNWIND range(1, 100000) AS x UNWIND range(1, 100000) AS y RETURN sum(x * y) AS s",
                timeout_s=0.5,
            )


def test_tls_with_a_trusted_or_any_certificate_and_no_other(neo4j, monkeypatch):
    if neo4j.server is None:
        pytest.skip("the server of NEO4J_URI has its own certificate")
    certificate = neo4j.server.folder / "certificates/bolt/public.crt"
    for scheme in ("bolt+ssc", "neo4j+ssc"):
        with open_with(monkeypatch, neo4j, scheme) as store:
            assert store.query("RETURN 1 AS one")["one"].to_list() == [1]
    with pytest.raises(StoreError, match="no Neo4j server answers"):
        open_with(monkeypatch, neo4j, "bolt+s")
    monkeypatch.setenv("NEO4J_CERTIFICATE", str(certificate))
    with open_with(monkeypatch, neo4j, "bolt+s") as store:
        assert store.query("RETURN 1 AS one")["one"].to_list() == [1]
    monkeypatch.setenv("NEO4J_CERTIFICATE", "/nowhere")
    with pytest.raises(StoreError, match="NEO4J_CERTIFICATE='/nowhere' is not a file"):
        open_with(monkeypatch, neo4j, "bolt+s")


def open_with(monkeypatch, place, scheme: str):
    """As users do: the address as an argument, the rest in the environment."""
    monkeypatch.setenv("NEO4J_USERNAME", place.auth[0])
    monkeypatch.setenv("NEO4J_PASSWORD", place.auth[1])
    return open_store(place.uri.replace("bolt", scheme))


def test_refusals_say_what_is_wrong(neo4j):
    with pytest.raises(StoreError, match="refused user 'neo4j' or the password"):
        read_neo4j(neo4j.uri, auth=("neo4j", "wrong"))
    with pytest.raises(StoreError, match="there is no database 'nothere'"):
        read_neo4j(neo4j.uri, auth=neo4j.auth, database="nothere")
    with pytest.raises(StoreError, match="opened read-only"), neo4j.store(read_only=True) as store:
        store.write(films())


def test_an_absent_server_is_named_with_the_way_to_start_one():
    with pytest.raises(StoreError, match=r"no Neo4j server answers.*docker run"):
        open_store(f"bolt://127.0.0.1:{free_port()}")
    with pytest.raises(StoreError, match="give neo4j://"):
        open_store("http://127.0.0.1:7474")


@pytest.mark.parametrize("agent", ["Neo4j/4.4.30", "Neo4j/3.5.0"])
def test_an_old_server_is_refused_by_version(agent):
    with pytest.raises(StoreError, match="needs 5 or later"):
        refuse_old(agent)


@pytest.mark.parametrize("agent", ["Neo4j/5.26.12", "Neo4j/2025.01.0", "ArcadeDB/26"])
def test_newer_servers_are_not(agent):
    refuse_old(agent)


def test_values_that_neo4j_cannot_keep_are_refused_before_sending(neo4j, mark):
    def graph(**columns) -> KnowledgeGraph:
        return KnowledgeGraph({f"{mark}A": Nodes(Vocabulary(["x"]), pl.DataFrame(columns))}, {})

    bad = [
        (graph(v=[["a", None]]), "has a null"),
        (graph(v=pl.Series([2**63], dtype=pl.UInt64)), "up to 2"),
        (graph(v=[{"a": 1}]), "cannot keep without loss"),
        (graph(id=["y"]), "the store's own"),
    ]
    with neo4j.store() as store:
        for wrong, why in bad:
            with pytest.raises(StoreError, match=why):
                store.write(wrong)
        loop = Edges(np.array([0]), np.array([0]), pl.DataFrame({"_key": [3]}))
        nodes = {f"{mark}A": Nodes(Vocabulary(["x"]), pl.DataFrame())}
        with pytest.raises(StoreError, match="the store's own"):
            store.write(KnowledgeGraph(nodes, {(f"{mark}A", "R", f"{mark}A"): loop}))
