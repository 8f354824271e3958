"""Neo4j and the line to it fail in the middle of a load; the graph ends as it should."""

from __future__ import annotations

import threading

import numpy as np
import polars as pl
import pytest
from cutting_proxy import CuttingProxy

from trefoil.data.errors import StoreError
from trefoil.data.vocabulary import Vocabulary
from trefoil.kg.graph import Edges, KnowledgeGraph, Nodes
from trefoil.kg.stores.neo4j.store import Neo4jStore

pytestmark = pytest.mark.neo4j


def web(mark: str, nodes: int, edges: int) -> KnowledgeGraph:
    """Random edges, about one in ten of them parallel to another."""
    rng = np.random.default_rng(3)
    few = max(nodes // 20, 2)
    ends = [
        np.r_[rng.integers(0, nodes, edges - edges // 10), rng.integers(0, few, edges // 10)]
        for _ in "st"
    ]
    weights = pl.DataFrame({"weight": rng.random(edges)})
    part = Nodes(Vocabulary(f"n{k}" for k in range(nodes)), pl.DataFrame({"x": range(nodes)}))
    return KnowledgeGraph(
        {f"{mark}N": part}, {(f"{mark}N", f"{mark}R", f"{mark}N"): Edges(*ends, weights)}
    )


@pytest.mark.parametrize(
    ("share", "lost"),
    [(0.0, "requests"), (0.5, "requests"), (0.95, "replies")],
    ids=["at-boundaries", "in-the-middle", "after-the-commit"],
)
def test_a_line_cut_once_in_every_batch_leaves_an_equal_graph(neo4j, mark, share, lost):
    if neo4j.server is None:
        pytest.skip("the proxy needs the port of a server on this machine")
    graph = web(mark, 60, 120)
    with CuttingProxy(neo4j.server.port, cut_replies=lost == "replies") as proxy:
        with Neo4jStore(proxy.uri, auth=neo4j.auth, read_only=False) as store:
            sizes = sizes_of_batches(store, proxy, web(mark + "0", 60, 120))
            proxy.made = 0
            number = iter(range(len(sizes)))

            def cut(*_: object) -> None:
                # in the batch that follows, or in the few bytes that end the load;
                # 1 byte: before anything of it arrives
                size = [*sizes, 150][next(number) + 1]
                proxy.cut_after(max(int(share * size), 1))

            store.write(graph, cut, batch=40)
        assert proxy.made == len(sizes)
    with neo4j.store() as store:
        assert store.verify(graph) == []


def sizes_of_batches(store: Neo4jStore, proxy: CuttingProxy, graph: KnowledgeGraph) -> list[int]:
    """How many bytes each batch of such a graph takes on the line."""
    sent = []
    store.write(graph, lambda *_: sent.append(proxy.sent), batch=40)
    return [sent[1] - sent[0], *np.diff(sent).tolist()]


def test_a_killed_server_comes_back_and_the_load_goes_on(neo4j, mark):
    if neo4j.server is None:
        pytest.skip("only a server of our own can be killed")
    graph = web(mark, 3_000, 9_000)
    reached: list[int] = []

    def kill_halfway(done: int, total: int, _: str) -> None:
        reached.append(done)
        if done > total // 2 and neo4j.server.process.poll() is None and len(reached) < 100:
            neo4j.server.kill()

    with (
        neo4j.store(retry_s=0.5) as store,
        pytest.raises(StoreError, match="no Neo4j server answers"),
    ):
        store.write(graph, kill_halfway, batch=500)
    assert reached[-1] < graph.node_count + graph.edge_count
    neo4j.server.start()
    again: list[int] = []
    with neo4j.store() as store:
        sent = store._write

        def counted(statements):
            again.append(len(statements))
            sent(statements)

        store._write = counted  # type: ignore[method-assign]
        store.write(graph, batch=500)
        assert store.verify(graph) == []
    # the ledger: what was acknowledged before the kill was not sent again
    assert len(again) <= (graph.node_count + graph.edge_count - reached[-1]) // 500 + 2


def test_a_server_that_comes_back_in_time_is_not_even_noticed(neo4j, mark):
    if neo4j.server is None:
        pytest.skip("only a server of our own can be killed")
    graph = web(mark, 500, 1_500)
    restarts: list[threading.Thread] = []

    def kill_once(done: int, total: int, _: str) -> None:
        if done > total // 2 and not restarts:
            neo4j.server.kill()
            restarts.append(threading.Thread(target=neo4j.server.start))
            restarts[0].start()

    with neo4j.store(retry_s=90) as store:
        store.write(graph, kill_once, batch=200)
        restarts[0].join()
        assert store.verify(graph) == []


def test_two_loaders_at_once_make_no_duplicates(neo4j, mark):
    graph = web(mark, 300, 900)
    faults: list[Exception] = []

    def load() -> None:
        try:
            with neo4j.store() as store:
                store.write(graph, batch=100)
        except StoreError as fault:
            faults.append(fault)

    loaders = [threading.Thread(target=load) for _ in range(2)]
    for loader in loaders:
        loader.start()
    for loader in loaders:
        loader.join()
    with neo4j.store() as store:
        if faults:  # a writer may lose a race, and says so; trying again is harmless
            store.write(graph, batch=100)
        assert store.verify(graph) == []
