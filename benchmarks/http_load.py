"""What the service costs over HTTP: ``python -m benchmarks.http_load RUN [RUN ...]``.

A process serves a run; clients in this one ask it for users of the run, each scored now.
Printed for each case: requests per second, milliseconds at the median and at p99, CPU
milliseconds of the service per request, and for each run the seconds to ready and memory.
Both share the cores of the machine: the clients' CPU is told beside.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import time
from pathlib import Path
from typing import Any

from benchmarks.http_client import Served, load, once, served
from trefoil.fusion.recommender import Recommender


def cases(run: Path, users: int) -> dict[str, list[dict[str, Any]]]:
    """Bodies by the name of the case, in a random order that is always the same."""
    recommender = Recommender.load(run, live=False)
    ids = list(recommender.catalogue.users.ids)
    chosen = random.Random(7).sample(ids, min(users, len(ids)))
    items = list(recommender.catalogue.items.vocabulary.ids)
    left = random.Random(8).sample(items, len(items) // 5)
    return {
        "no reason": [{"user": user, "k": 10, "reasons": 0} for user in chosen],
        "one reason": [{"user": user, "k": 10, "reasons": 1} for user in chosen],
        "one reason, a fifth left out": [
            {"user": user, "k": 10, "reasons": 1, "without": left} for user in chosen
        ],
    }


def measure(one: Served, bodies: list[dict[str, Any]], clients: int, seconds: float) -> str:
    """One line of figures."""
    asyncio.run(load(one.port, bodies, clients=clients, seconds=min(2.0, seconds)))
    cpu, own = one.cpu_s(), time.process_time()
    found = asyncio.run(load(one.port, bodies, clients=clients, seconds=seconds))
    n = len(found.seconds)
    cpu, own = one.cpu_s() - cpu, time.process_time() - own
    bad = {status: count for status, count in found.statuses.items() if status != 200}
    return (
        f"{n / found.wall_s:7.0f}/s  p50 {found.quantile_ms(0.5):6.1f} ms  "
        f"p99 {found.quantile_ms(0.99):6.1f} ms  CPU {1000 * cpu / n:5.2f} ms, "
        f"of clients {1000 * own / n:4.2f} ms" + (f"  not 200: {bad}" if bad else "")
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="What the service costs over HTTP")
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=20.0, help="for each case")
    parser.add_argument("--users", type=int, default=2000, help="that are asked for in turn")
    parser.add_argument("--starts", type=int, default=3)
    args = parser.parse_args()
    for run in args.runs:
        starts = []
        for _ in range(args.starts - 1):
            with served(run) as one:
                starts.append(one.ready_s)
        with served(run) as one:
            starts.append(one.ready_s)
            asked = cases(run, args.users)
            memory = one.rss_mb()
            print(f"{run.name}: ready after {statistics.median(starts):.1f} s, {memory:.0f} MB")
            for name, bodies in asked.items():
                status, _ = asyncio.run(once(one.port, "POST", "/v1/recommend", bodies[0]))
                assert status == 200, status
                print(f"  {name:30} {measure(one, bodies, args.clients, args.seconds)}")
            print(f"  memory afterwards: {one.rss_mb():.0f} MB")


if __name__ == "__main__":
    main()
