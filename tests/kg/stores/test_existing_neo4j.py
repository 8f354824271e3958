"""A database that others filled: read as it is, and written back without a double."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from trefoil.data.errors import StoreError
from trefoil.data.vocabulary import Vocabulary
from trefoil.kg.graph import Key, Nodes
from trefoil.kg.stores.embedded.bulk_load import write_embedded
from trefoil.kg.stores.neo4j.manifest import Card
from trefoil.kg.stores.neo4j.matching import is_ours
from trefoil.kg.stores.neo4j.pages import node_pages, relationship_pages

pytestmark = pytest.mark.neo4j


def counted(store, mark):
    """How many nodes and relationships of this test there are."""
    mine = f"any(l IN labels(n) WHERE l STARTS WITH '{mark}')"
    return (
        store._run(f"MATCH (n) WHERE {mine} RETURN count(n)")[0][0],
        store._run(f"MATCH (n)-[r]->() WHERE {mine} RETURN count(r)")[0][0],
    )


def read(store, mark, *labels, **options):
    return store.read(labels=[mark + label for label in labels], **options)


def test_a_constraint_names_the_key_and_all_labels_are_kept(neo4j, mark):
    person, actor, film = (f"`{mark}{name}`" for name in ("Person", "Actor", "Film"))
    with neo4j.store() as store:
        store._write(
            [(f"CREATE CONSTRAINT FOR (n:{person}) REQUIRE n.tmdb IS UNIQUE", {})],
        )
        store._write(
            [
                (
                    f"CREATE (:{person} {{tmdb: 7, id: 'x'}}),"
                    f" (:{person}:{actor} {{tmdb: 8}})-[:ACTED_IN {{as: 'Sam'}}]->"
                    f"(:{film} {{id: 1}})",
                    {},
                )
            ]
        )
        graph = read(store, mark, "Person", "Film")
        people = graph.nodes[f"{mark}Person"]
        assert people.vocabulary.ids == ("7", "8")
        assert people.properties["tmdb"].to_list() == [7, 8]
        assert people.properties["id_"].to_list() == ["x", None]
        assert people.properties["labels"].to_list() == [
            [f"{mark}Person"],
            [f"{mark}Person", f"{mark}Actor"],
        ]
        assert graph.origin.keys == {
            f"{mark}Person": Key(f"{mark}Person", "tmdb", True),
            f"{mark}Film": Key(f"{mark}Film", "id", True),
        }
        assert graph.edge_count == 1
        with pytest.raises(StoreError, match="a key for label 'Nobody'"):
            read(store, mark, "Person", key={"Nobody": "x"})
        with pytest.raises(StoreError, match="no relationship type 'NOWHERE'"):
            read(store, mark, "Person", deny=["NOWHERE"])
        assert not read(store, mark, "Person", "Film", deny=["ACTED_IN"]).edge_count


def test_one_odd_value_does_not_block_a_database(neo4j, mark, tmp_path):
    shop = f"`{mark}Shop`"
    with neo4j.store() as store:
        store._write(
            [
                (
                    f"CREATE (:{shop} {{id: 'a', founded: date('-0044-03-15'),"
                    " opens: time('08:30:00+01:00'), at: point({latitude: 52.5, longitude: 13.4}),"
                    " lease: duration('P1Y2M'), seen: datetime('2019-10-30T07:54:02.129790999Z')}),"
                    f" (:{shop} {{id: 'b', founded: date('2001-01-01'), lease: duration('PT1H'),"
                    " days: [date('2001-01-01')]})",
                    {},
                )
            ]
        )
        graph = read(store, mark, "Shop")
        rows = graph.nodes[f"{mark}Shop"].properties.to_dicts()
        assert rows[0]["founded"] is None
        assert rows[0]["opens"] == "08:30:00+01:00"
        assert rows[0]["at"] == "SRID=4326;POINT (13.4 52.5)"
        assert [row["lease"] for row in rows] == ["P1Y2M", "PT1H"]
        assert str(rows[1]["founded"]) == "2001-01-01"
        assert str(rows[1]["days"][0]) == "2001-01-01"
        assert graph.report.counts["nanoseconds cut to microseconds"] == 1
        assert graph.report.counts["points, kept as ISO text"] == 1
        told = graph.report.quarantined[0].row
        assert (told["id"], told["property"], told["value"]) == ("a", "founded", "-0044-03-15")
        assert any("founded is -0044-03-15" in line for line in graph.report.warnings)
        write_embedded(graph, tmp_path / "graph")
        before = counted(store, mark)
        store.write(graph)
        assert counted(store, mark) == before
        kept = store._run(f"MATCH (n:{shop} {{id: 'a'}}) RETURN toString(n.founded), n.at.srid")
        assert kept == [("-0044-03-15", 4326)]


@pytest.mark.parametrize(
    "made",
    [
        "CREATE (:{0}Film {{movieId: '1', title: 'Heat'}})-[:{0}IN]->(:{0}Genre {{name: 'Crime'}})",
        "CREATE (:{0}Film {{id: 1, title: 'Heat'}})-[:{0}IN]->(:{0}Genre {{id: 7, name: 'Crime'}})",
    ],
    ids=["made-up ids", "whole numbers"],
)
def test_what_was_read_is_written_into_the_nodes_it_came_from(neo4j, mark, made):
    with neo4j.store() as store:
        store._write([(made.format(mark), {})])
        graph = read(store, mark, "Film", "Genre")
        sent = []
        store.write(graph, lambda *said: sent.append(said))
        assert counted(store, mark) == (2, 1)
        assert len(sent) == 1  # that it is done
        film = graph.nodes[f"{mark}Film"]
        named = film.properties.with_columns(title=pl.lit("Heat (1995)"), stars=pl.lit(4.5))
        changed = replace(
            graph, nodes={**graph.nodes, f"{mark}Film": Nodes(film.vocabulary, named)}
        )
        store.write(changed)
        assert counted(store, mark) == (2, 1)
        again = read(store, mark, "Film", "Genre")
        assert again.nodes[f"{mark}Film"].properties["title"].to_list() == ["Heat (1995)"]
        assert again.nodes[f"{mark}Film"].properties["stars"].to_list() == [4.5]
        assert again.nodes[f"{mark}Film"].vocabulary.ids == film.vocabulary.ids
        assert not store._run(f"MATCH (n:{mark}Genre) WHERE n.stars IS NOT NULL RETURN n")


def test_new_nodes_and_relationships_are_made_by_their_key_once(neo4j, mark):
    with neo4j.store() as store:
        store._write([(f"CREATE CONSTRAINT FOR (n:{mark}Film) REQUIRE n.key IS UNIQUE", {})])
        made = "CREATE (:{0}Film {{key: 1}})-[:{0}SEQUEL {{n: 2}}]->(:{0}Film {{key: 2}})"
        store._write([(made.format(mark), {})])
        graph = read(store, mark, "Film")
        name, ends = f"{mark}Film", (f"{mark}Film", f"{mark}SEQUEL", f"{mark}Film")
        more = Nodes(
            Vocabulary(["1", "2", "3"]),
            pl.DataFrame({"key": [1, 2, 3], "title": [None, None, "C"]}),
        )
        edges = replace(
            graph.edges[ends],
            source=np.array([0, 1]),
            target=np.array([1, 2]),
            properties=pl.DataFrame({"n": [5, 3]}),
        )
        grown = replace(graph, nodes={name: more}, edges={ends: edges})
        for _ in range(2):
            store.write(grown)
            assert counted(store, mark) == (3, 2)
        found = read(store, mark, "Film")
        assert found.nodes[name].vocabulary.ids == ("1", "2", "3")
        assert found.edges[ends].properties["n"].to_list() == [5, 3]


def test_nodes_that_are_gone_and_graphs_of_runs_are_refused(neo4j, mark):
    with neo4j.store() as store:
        store._write([(f"CREATE (:{mark}Film {{title: 'Heat'}})", {})])
        graph = read(store, mark, "Film")
        store._write([(f"CREATE (:{mark}Film {{title: 'Ran'}})", {})])  # before: ids are reused
        store._write([(f"MATCH (n:{mark}Film {{title: 'Heat'}}) DELETE n", {})])
        with pytest.raises(StoreError, match="is not in the database any more"):
            store.write(graph)
        keys = {"Item": Key(f"{mark}Film", "title")}
        run = replace(
            graph,
            nodes={"Item": graph.nodes[f"{mark}Film"]},
            origin=replace(graph.origin, keys=keys),
        )
        wrote_items_before = Card({"Item": {}})  # as after the graph of another run
        assert not is_ours(run, graph.origin.database, wrote_items_before)
        with pytest.raises(StoreError, match="this is the graph of a run"):
            store.write(run)
        assert counted(store, mark) == (1, 0)


def test_pages_of_any_size_hold_everything_once(neo4j, mark):
    with neo4j.store() as store:
        store._write(
            [
                (f"UNWIND range(1, 23) AS k CREATE (:{mark}A {{id: toString(k), x: k}})", {}),
                (
                    f"MATCH (a:{mark}A), (b:{mark}A) WHERE a.x < b.x AND b.x % a.x = 0"
                    f" CREATE (a)-[:{mark}R {{q: b.x / a.x}}]->(b)",
                    {},
                ),
            ]
        )
        pages = list(node_pages(store._run, f"{mark}A", None, size=5))
        assert [len(page.ids) for page in pages] == [5, 5, 5, 5, 3]
        ids = [one for page in pages for one in page.ids]
        degrees = [one for page in pages for one in page.degrees]
        x = [one for page in pages for one in page.values["x"]]
        assert sorted(x) == list(range(1, 24))
        found = list(relationship_pages(store._run, ids, degrees, [f"{mark}R"], None, load=4))
        assert len(found) > 3
        joins = {
            (x[s], x[t], q)
            for p in found
            for s, t, q in zip(p.source, p.target, p.values["q"], strict=True)
        }
        assert joins == {
            (a, b, b // a) for a in range(1, 24) for b in range(a + 1, 24) if b % a == 0
        }
        assert sum(len(p.source) for p in found) == len(joins)
