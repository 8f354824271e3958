"""How fast stores take and give a graph: rows per second, seconds and peak memory.

The embedded store gets ``--nodes`` and ``--edges`` in a process of its own, so
that peak memory is its own. Neo4j is measured where ``NEO4J_URI`` names an
empty database, and gets ``--neo4j-rows`` nodes and as many edges.
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
from trefoil.kg.stores.embedded.bulk_load import write_embedded
from trefoil.kg.stores.open import open_store


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


def measured(name: str, rows: int, work: Callable[[], object]) -> dict[str, object]:
    """``cpu_s`` tells a slow machine from a busy one: all threads of this process."""
    began, cpu = time.perf_counter(), time.process_time()
    work()
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    rate = rows / seconds
    return {"what": name, "rows": rows, "seconds": seconds, "cpu_s": cpu, "rows_per_s": rate}


def embedded(nodes: int, edges: int) -> list[dict[str, object]]:
    """Write, read back, and ask; memory is that above the finished graph."""
    graph = web(nodes, edges)
    start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    out = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "graph"
        out.append(measured("embedded: write", nodes + edges, lambda: write_embedded(graph, path)))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        out[0]["peak_mb_above_start"] = (peak - start) / 1024
        out[0]["size_mb"] = sum(file.stat().st_size for file in path.iterdir()) / 2**20
        with open_store(folder) as store:
            out.append(measured("embedded: read back", nodes + edges, store.read))

            def look_up() -> None:
                for k in range(0, 1000):
                    store.query(
                        "MATCH (n:Entity {id: $id})-[r]->(m) RETURN type(r), m.id",
                        id=f"http://example.org/entity/{k * 7919 % nodes}",
                    )

            out.append(measured("embedded: neighbours of one node", 1000, look_up))
    return out


def server(uri: str, rows: int) -> list[dict[str, object]]:
    """Write, write again, and read back."""
    graph = web(rows, rows)
    with open_store(uri, read_only=False) as store:
        if store.query("MATCH (n) RETURN count(n) AS n").item():
            raise SystemExit(f"{uri}: the database is not empty; give one that is")
        out = [
            measured("neo4j: write", 2 * rows, lambda: store.write(graph)),
            measured("neo4j: write again", 2 * rows, lambda: store.write(graph)),
            measured("neo4j: read back", 2 * rows, store.read),
        ]
        assert store.verify(graph) == []
        while store.query(
            "MATCH (n) WITH n LIMIT 20000 DETACH DELETE n RETURN count(*) AS n", write=True
        ).item():
            pass
    return out


def main(argv: Sequence[str] | None = None) -> int:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--nodes", type=int, default=1_000_000)
    p.add_argument("--edges", type=int, default=5_000_000)
    p.add_argument("--neo4j-rows", type=int, default=100_000)
    p.add_argument("--json", type=Path, metavar="FILE")
    p.add_argument("--part", choices=["embedded"], help=argparse.SUPPRESS)
    args = p.parse_args(argv)
    if args.part:
        print(json.dumps(embedded(args.nodes, args.edges)))
        return 0
    own = [sys.executable, "-m", "benchmarks.graph_store", "--part", "embedded"]
    own += ["--nodes", str(args.nodes), "--edges", str(args.edges)]
    results = json.loads(subprocess.run(own, check=True, capture_output=True, text=True).stdout)
    if uri := os.environ.get("NEO4J_URI"):
        results += server(uri, args.neo4j_rows)
    table = Table("what", "rows", "s", "CPU s", "rows/s", "MB above start", box=None)
    for row in results:
        memory = row.get("peak_mb_above_start")
        table.add_row(
            str(row["what"]),
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
