"""From a database to a recommender and back: events left out, lists written once."""

from __future__ import annotations

import numpy as np
import pytest
from planted_shop import TINY

from trefoil.data.errors import ConfigError, DataError, GraphDataError, StoreError
from trefoil.data.read import read_dataset
from trefoil.fusion.recommender import Recommender
from trefoil.fusion.settings import load_settings
from trefoil.kg.construction.build import build

pytestmark = pytest.mark.neo4j

FILL = """
UNWIND range(0, 29) AS k CREATE (:{0}Film {{number: k, title: 'Film ' + k, year: 1950 + k}})
WITH count(*) AS films
UNWIND range(0, 2) AS g CREATE (:{0}Genre {{name: 'genre ' + g}})
WITH count(*) AS genres
MATCH (f:{0}Film), (g:{0}Genre) WHERE g.name = 'genre ' + (f.number % 3)
CREATE (f)-[:{0}OF_GENRE]->(g)
WITH count(*) AS joined
UNWIND range(0, 39) AS u CREATE (v:{0}Viewer {{number: u}})
WITH v, u UNWIND range(0, 5) AS k
MATCH (f:{0}Film {{number: (u + 3 * k) % 30}})
WITH v, f, k, datetime({{epochSeconds: 1000000 + 100 * k + u}}) AS at
CREATE (v)-[:{0}SAW {{stars: 3.0 + k % 3, at: at}}]->(f)
"""
QUERY = (
    "MATCH (v:{0}Viewer)-[s:{0}SAW]->(f:{0}Film)"
    " RETURN v.number AS user, f.number AS item, s.stars AS stars, s.at AS at"
)
TOML = """
[interactions]
query = "{2}"
user = "user"
item = "item"
rating = "stars"
time = "at"

[items]
query = "MATCH (f:{0}Film) RETURN f.number AS id, f.title AS title, f.year AS year"
id = "id"
title = "title"
numeric = "year"

[graph]
neo4j = "{1}"
labels = ["{0}Film", "{0}Genre", "{0}Viewer"]
"""
FILE = """
[interactions]
file = "events.csv"
user = "user"
item = "item"

[graph]
neo4j = "{1}"
labels = ["{0}Film", "{0}Genre", "{0}Viewer"]
keys = {{{0}Film = "number", {0}Viewer = "number"}}
"""


@pytest.fixture
def place(neo4j, mark, tmp_path, monkeypatch):
    """A filled database and a folder whose dataset.toml asks it."""
    monkeypatch.setenv("NEO4J_USERNAME", neo4j.auth[0])
    monkeypatch.setenv("NEO4J_PASSWORD", neo4j.auth[1])
    with neo4j.store() as store:
        store._write([(FILL.format(mark), {})])
    told = TOML.format(mark, neo4j.uri, QUERY.format(mark))
    tmp_path.joinpath("dataset.toml").write_text(told)
    return tmp_path


def counts(store, mark):
    """Nodes and relationships of this test, by labels and by type."""
    mine = f"any(l IN labels(n) WHERE l STARTS WITH '{mark}')"
    nodes = store._run(f"MATCH (n) WHERE {mine} RETURN labels(n)[0], count(*)")
    edges = store._run(f"MATCH (n)-[r]->() WHERE {mine} RETURN type(r), count(*)")
    return dict(nodes), {name.removeprefix(mark): count for name, count in edges}


def test_a_database_is_read_learned_from_and_written_into(neo4j, mark, place):
    dataset = read_dataset(place)
    assert len(dataset.interactions) == 240
    assert dataset.items.titles[0] == "Film 0"
    settings = load_settings(None, [*TINY, "text.on=false"])
    Recommender(settings).fit(dataset, final=True).save(place / "run")
    recommender = Recommender.load(place / "run")
    kinds = {kind[1].removeprefix(mark) for kind in recommender.graph.edges}
    assert kinds == {"INTERACTED", "OF_GENRE"}
    with neo4j.store() as store:
        nodes, edges = counts(store, mark)
        for earlier in (0, 120):
            done = recommender.write_to(neo4j.uri, f"{mark}FOR_YOU", k=3)
            assert (done.relationships, done.users, done.removed) == (120, 40, earlier)
            assert counts(store, mark) == (nodes, {**edges, "FOR_YOU": 120})
        found = store._run(
            f"MATCH (v:{mark}Viewer {{number: 7}})-[r:{mark}FOR_YOU]->(f:{mark}Film)"
            " RETURN toString(f.number), r.rank, r.score, r.reason, r.run, r.by ORDER BY r.rank"
        )
        answer = recommender.recommend("7", k=3)
        assert [row[0] for row in found] == [one.item for one in answer]
        assert [row[2] for row in found] == pytest.approx([one.score for one in answer], abs=1e-5)
        reasons = [one.reasons[0].text if one.reasons else None for one in answer]
        assert [row[3] for row in found] == reasons
        assert {row[4:] for row in found} == {("run", "trefoil")}
        less = recommender.write_to(neo4j.uri, f"{mark}FOR_YOU", k=2, users=["7"])
        assert (less.relationships, less.removed) == (2, 3)
        why = recommender.explain("7", answer[0].item)[0]
        assert f"`{mark}Viewer`" in why.cypher
        assert f"`{mark}SAW`" in why.cypher
        assert why.parameters["n0"] == 7
        assert len(store.query(why.cypher, **why.parameters)) == 1
        like = (
            "MATCH (a:{0}Film {{number: 1}}), (b:{0}Film {{number: 2}}) CREATE (a)-[:{0}LIKE]->(b)"
        )
        store._write([(like.format(mark), {})])
        before = counts(store, mark)
        with pytest.raises(StoreError, match="that Trefoil did not write"):
            recommender.write_to(neo4j.uri, f"{mark}LIKE")
        with pytest.raises(StoreError, match="no recommendation has both its nodes"):
            recommender.write_to(neo4j.uri, f"{mark}MORE", user=f"{mark}Viewer.name")
        with pytest.raises(ConfigError, match=r"write Label\.property"):
            recommender.write_to(neo4j.uri, f"{mark}MORE", user="Viewer")
        assert counts(store, mark) == before


def test_no_held_out_event_is_in_the_training_graph(neo4j, mark, place):
    dataset = read_dataset(place)
    graph = build(dataset, np.arange(50))
    edges = {kind[1].removeprefix(mark): len(part) for kind, part in graph.edges.items()}
    assert edges == {"INTERACTED": 50, "OF_GENRE": 30}
    assert not any("Viewer" in name for name in graph.nodes)
    assert graph.report.counts["items with an entity"] == 30
    assert any("named in the query of the events" in line for line in graph.report.warnings)
    # the same events from a file: found by comparing pairs
    events, users, items = dataset.interactions, dataset.users.vocabulary, dataset.items.vocabulary
    rows = [f"{users[u]},{items[i]}" for u, i in zip(events.user, events.item, strict=True)]
    (place / "events.csv").write_text("\n".join(["user,item", *rows]))
    (place / "dataset.toml").write_text(FILE.format(mark, neo4j.uri))
    graph = build(read_dataset(place), np.arange(50))
    assert graph.edge_count == 80
    assert any("found by comparing pairs" in line for line in graph.report.warnings)


def test_no_linked_item_is_an_error_that_names_the_key(mark, place):
    toml = place / "dataset.toml"
    toml.write_text(toml.read_text() + f'keys = {{{mark}Film = "title"}}\n')
    with pytest.raises(GraphDataError, match=rf'keys = {{{mark}Film = "number"}}'):
        build(read_dataset(place), np.arange(50))


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("CREATE (n) RETURN n", "would write"),
        ("LOAD CSV FROM 'file:///x.csv' AS user RETURN user, user AS item", "LOAD CSV reads files"),
        ("CALL db.labels() YIELD label AS user RETURN user, user AS item", "a procedure may"),
        ("MATCH (user) RETURN user, user AS item LIMIT 1", "holds nodes or relationships"),
        ("RETURN nonsense", "not defined"),
    ],
)
def test_a_query_that_does_more_than_read_values_is_refused(neo4j, mark, place, query, said):
    (place / "dataset.toml").write_text(TOML.format(mark, neo4j.uri, query))
    with pytest.raises(DataError, match=rf"\[interactions\] query.*{said}"):
        read_dataset(place)
