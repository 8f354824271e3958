"""How fast stores take and give a graph: rows per second, seconds and peak memory.

    python -m benchmarks.graph_store [--kind wide|middling|large] [--engine kglite|ladybug]

Three graphs are stored in the engine that suits their size, or in the one that is named: a wide
one (300 labels, 300 relationship types, 2,000 properties), one of 100,000 edges, and one of
``--nodes`` and ``--edges``. Each has a process of its own, so that peak memory is its own; CPU
seconds are those of all its threads and of the processes that it starts. Neo4j is measured where
``NEO4J_URI`` names an empty database, and gets ``--neo4j-rows`` nodes and as many edges.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import polars as pl
from rich.console import Console
from rich.table import Table

from trefoil.data.vocabulary import Vocabulary
from trefoil.kg.graph import Edges, KnowledgeGraph, Nodes
from trefoil.kg.stores.open import MOST_IN_MEMORY, open_store, write_graph


def web(nodes: int, edges: int) -> KnowledgeGraph:
    """Entities with IRIs, names and a number; edges of twenty types between random ends."""
    rng = np.random.default_rng(0)
    properties = pl.DataFrame(
        {"name": [f"entity number {k}" for k in range(nodes)], "score": rng.random(nodes)}
    )
    part = Nodes(Vocabulary(f"http://example.org/entity/{k}" for k in range(nodes)), properties)
    each = edges // 20
    kinds = {
        ("Entity", f"RELATION_{k}", "Entity"): Edges(
            rng.integers(0, nodes, each), rng.integers(0, nodes, each)
        )
        for k in range(20)
    }
    return KnowledgeGraph({"Entity": part}, kinds)


def wide(labels: int = 300, types: int = 300, properties: int = 2000) -> KnowledgeGraph:
    """As many labels, types and properties as a whole vocabulary of the web has."""
    each = -(-properties // labels)
    nodes = {
        f"Class{k}": Nodes(
            Vocabulary(f"http://example.org/c{k}/{n}" for n in range(3)),
            pl.DataFrame({f"property{k * each + j}": [f"a{j}", None, "b"] for j in range(each)}),
        )
        for k in range(labels)
    }
    ends = np.arange(3)
    edges = {
        (f"Class{k % labels}", f"RELATION_{k}", f"Class{(7 * k + 1) % labels}"): Edges(
            ends, ends[::-1].copy()
        )
        for k in range(types)
    }
    return KnowledgeGraph(nodes, edges)


def cpu_seconds() -> float:
    """Of all threads of this process, and of the processes that it started and that ended."""
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(used.ru_utime + used.ru_stime for used in both)


def peak_mb() -> float:
    """Of this process or of the largest that it started, whichever is more."""
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return max(used.ru_maxrss for used in both) / 1024


def measured(name: str, rows: int, work: Callable[[], object]) -> dict[str, object]:
    """``cpu_s`` tells a slow machine from a busy one."""
    began, cpu = time.perf_counter(), cpu_seconds()
    work()
    seconds, cpu = time.perf_counter() - began, cpu_seconds() - cpu
    rate = rows / seconds
    return {"what": name, "rows": rows, "seconds": seconds, "cpu_s": cpu, "rows_per_s": rate}


def beside_a_run(graph: KnowledgeGraph, kind: str, engine: str | None) -> list[dict[str, object]]:
    """Write, open, read back, and ask; memory is that above the finished graph."""
    most = {None: MOST_IN_MEMORY, "kglite": sys.maxsize, "ladybug": 0}[engine]
    start, rows = peak_mb(), graph.node_count + graph.edge_count
    out = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "graph"
        out.append(measured("write", rows, lambda: write_graph(graph, path, most_in_memory=most)))
        out[0]["peak_mb_above_start"] = peak_mb() - start
        out[0]["size_mb"] = sum(file.stat().st_size for file in path.iterdir()) / 2**20
        label, part = next(iter(graph.nodes.items()))
        ids = part.vocabulary.ids

        def ask_once() -> None:
            with open_store(folder) as opened:
                opened.query(f"MATCH (n:{label}) RETURN n.id LIMIT 1")

        out.append(measured("open, ask, close", 1, ask_once))
        with open_store(folder) as store:
            out.append(measured("read back", rows, store.read))

            def look_up() -> None:
                for k in range(1000):
                    store.query(
                        f"MATCH (n:{label} {{id: $id}})-[r]->(m) RETURN type(r), m.id",
                        id=ids[k * 7919 % len(ids)],
                    )

            out.append(measured("neighbours of one node", 1000, look_up))
            name = type(store).__name__
    for row in out:
        row |= {"graph": kind, "store": name}
    return out


KINDS: dict[str, Callable[[int, int], KnowledgeGraph]] = {
    "wide": lambda _, __: wide(),
    "middling": lambda _, __: web(20_000, 100_000),
    "large": web,
}


def server(uri: str, rows: int) -> list[dict[str, object]]:
    """Write, write again, and read back."""
    graph = web(rows, rows)
    with open_store(uri, read_only=False) as store:
        if store.query("MATCH (n) RETURN count(n) AS n").item():
            raise SystemExit(f"{uri}: the database is not empty; give one that is")
        out = [
            measured("write", 2 * rows, lambda: store.write(graph)),
            measured("write again", 2 * rows, lambda: store.write(graph)),
            measured("read back", 2 * rows, store.read),
        ]
        assert store.verify(graph) == []
        while store.query(
            "MATCH (n) WITH n LIMIT 20000 DETACH DELETE n RETURN count(*) AS n", write=True
        ).item():
            pass
    for row in out:
        row |= {"graph": "as many", "store": type(store).__name__}
    return out


def main(argv: Sequence[str] | None = None) -> int:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--nodes", type=int, default=1_000_000)
    p.add_argument("--edges", type=int, default=5_000_000)
    p.add_argument("--neo4j-rows", type=int, default=100_000)
    p.add_argument("--json", type=Path, metavar="FILE")
    p.add_argument("--kind", action="append", choices=list(KINDS), help="these graphs alone")
    p.add_argument("--engine", choices=["kglite", "ladybug"], help="whatever the size")
    p.add_argument("--part", choices=list(KINDS), help=argparse.SUPPRESS)
    args = p.parse_args(argv)
    if args.part:
        graph = KINDS[args.part](args.nodes, args.edges)
        print(json.dumps(beside_a_run(graph, args.part, args.engine)))
        return 0
    results: list[dict[str, object]] = []
    for kind in args.kind or KINDS:
        own = [sys.executable, "-m", "benchmarks.graph_store", "--part", kind]
        own += ["--nodes", str(args.nodes), "--edges", str(args.edges)]
        own += ["--engine", args.engine] if args.engine else []
        done = subprocess.run(own, check=True, stdout=subprocess.PIPE, text=True)
        results += json.loads(done.stdout)
    if uri := os.environ.get("NEO4J_URI"):
        results += server(uri, args.neo4j_rows)
    table = Table(
        "graph", "store", "what", "rows", "s", "CPU s", "rows/s", "MB above start", box=None
    )
    for row in results:
        memory = row.get("peak_mb_above_start")
        table.add_row(
            *(str(row[part]) for part in ("graph", "store", "what")),
            f"{row['rows']:,}",
            f"{row['seconds']:.2f}",
            f"{row['cpu_s']:.2f}",
            f"{row['rows_per_s']:,.0f}",
            "" if memory is None else f"{memory:,.0f}",
        )
    Console().print(table)
    if args.json:
        args.json.write_text(json.dumps(results, indent=1))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
