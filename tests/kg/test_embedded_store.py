"""The embedded store: what goes in comes out, and nobody else can change it."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from graph_strategies import films, graphs
from hypothesis import HealthCheck, given, settings

from data.errors import StoreError
from kg.embedded_store import EmbeddedStore, write_embedded
from kg.equality import differences
from kg.graph import KnowledgeGraph
from kg.store import open_store


def assert_same(found: KnowledgeGraph, wanted: KnowledgeGraph) -> None:
    """Equal to the last row number, not only as sets."""
    assert list(found.nodes) == list(wanted.nodes)
    assert list(found.edges) == list(wanted.edges)
    assert dict(found.predicates) == dict(wanted.predicates)
    for label, part in wanted.nodes.items():
        assert found.nodes[label].vocabulary == part.vocabulary
        assert found.nodes[label].properties.equals(part.properties), label
        assert found.nodes[label].properties.schema == part.properties.schema
    for ends, part in wanted.edges.items():
        assert np.array_equal(found.edges[ends].source, part.source)
        assert np.array_equal(found.edges[ends].target, part.target)
        assert found.edges[ends].properties.equals(part.properties), ends
    assert differences(found, wanted) == []


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
