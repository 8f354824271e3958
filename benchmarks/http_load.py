"""What the service costs over HTTP: ``python -m benchmarks.http_load RUN [RUN ...]``.

A service of so many ``--processes`` serves a run; clients ask it for users of the run: those of
wrk where it is installed, else clients in this process. "first" is the first question about each
of so many people, scored now; "again" the same questions over and over, whose scores and reasons
are remembered as far as there is room. Printed for each case: requests per second, milliseconds
at the median and at p99, CPU milliseconds of all processes per request, and for each run the
seconds to ready and memory. Service and clients share the cores of the machine: the clients' CPU
is told beside. With ``--updating`` a copy of the run is served and told an event, and a job learns
on from it, another where it has ended before the next line; behind each line stands whether it
still did when the line was measured.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import wrk
from benchmarks.http_client import Served, load, once, served
from trefoil.fusion.recommender import Recommender

SLOWEST = 100  # per second; first questions that take longer than that are not all asked


def cases(run: Path, users: int) -> dict[str, list[dict[str, Any]]]:
    """Bodies by the name of the case, in a random order that is always the same."""
    recommender = Recommender.load(run, live=False)
    ids = list(recommender.catalogue.users.ids)
    chosen = random.Random(7).sample(ids, min(users, len(ids)))
    none, one, filtered = chosen[0::3], chosen[1::3], chosen[2::3]  # nobody is asked for twice
    fifth = _a_fifth(recommender)
    return {
        "no reason": [{"user": user, "k": 10, "reasons": 0} for user in none],
        "one reason": [{"user": user, "k": 10, "reasons": 1} for user in one],
        "one reason, a fifth left out": [
            {"user": user, "k": 10, "reasons": 1, **fifth} for user in filtered
        ],
    }


def _a_fifth(recommender: Recommender) -> dict[str, Any]:
    """What leaves a fifth of the items out: a number that they must reach, or their ids."""
    items = recommender.catalogue.items
    for name, column in items.score.items():
        known = column[~np.isnan(column)]
        if len(known) == len(items) and len(np.unique(known)) > 10:
            return {"where": {name: {">=": float(np.quantile(known, 0.2))}}}
    return {"without": random.Random(8).sample(list(items.vocabulary.ids), len(items) // 5)}


def measure(
    one: Served, bodies: list[dict[str, Any]], clients: int, seconds: float, *, first: bool
) -> str:
    """One line of figures: of the ``first`` questions, or of the same again."""
    cpu, own = one.cpu_s(), time.process_time()
    if wrk.there():
        most = 1 + len(bodies) / SLOWEST if first else seconds
        found = wrk.run(one.port, bodies, clients=clients, seconds=most, once=first)
        n, wall, p50, p99, bad = found.requests, found.seconds, found.p50, found.p99, found.bad
        own -= found.cpu_s
    else:
        how = load(one.port, bodies, clients=clients, seconds=seconds, each_once=first)
        told = asyncio.run(how)
        n, wall, bad = len(told.seconds), told.wall_s, len(told.seconds) - told.statuses[200]
        p50, p99 = told.quantile_ms(0.5), told.quantile_ms(0.99)
    cpu, own = one.cpu_s() - cpu, time.process_time() - own
    return (
        f"{n / wall:7.0f}/s  p50 {p50:6.1f} ms  p99 {p99:6.1f} ms  CPU {1000 * cpu / n:5.2f} ms, "
        f"of clients {1000 * own / n:4.2f} ms, {n} in {wall:.1f} s"
        + (f"  failed: {bad}" if bad else "")
    )


async def all_there(one: Served, processes: int) -> None:
    """Wait until so many processes answer."""
    wanted = f"trefoil_processes {float(processes)}".encode()
    while wanted not in (await once(one.port, "GET", "/metrics"))[1]:
        await asyncio.sleep(0.05)


@dataclass
class Learning:
    """Jobs that learn on from one event, one after the other; ``jobs`` are their ids."""

    one: Served
    event: Mapping[str, str]
    jobs: list[str] = field(default_factory=list)

    async def state(self) -> str:
        """How the last job stands."""
        return (await self._job())["state"]

    async def go_on(self) -> None:
        """Return while a job learns: where the last has ended, begin another."""
        if self.jobs and await self.state() == "running":
            return
        await self._told("/v1/events", {"events": [self.event]})
        out = f"learned-on-{len(self.jobs)}"
        self.jobs.append((await self._told("/v1/jobs", {"kind": "update", "out": out}))["id"])
        while "learns on" not in (job := await self._job())["said"]:
            assert job["state"] in ("waiting", "running"), job
            await asyncio.sleep(0.1)

    async def _job(self) -> dict[str, Any]:
        return json.loads((await once(self.one.port, "GET", f"/v1/jobs/{self.jobs[-1]}"))[1])

    async def _told(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        status, reply = await once(self.one.port, "POST", path, body)
        assert status < 300, reply
        return json.loads(reply)


def learning_from(one: Served, run: Path) -> Learning:
    """What a service of this run learns on from: an event of its first user and item."""
    known = Recommender.load(run, live=False).catalogue
    return Learning(one, {"user": known.users.ids[0], "item": known.items.vocabulary.ids[0]})


@contextmanager
def to_serve(run: Path, *, copied: bool) -> Iterator[Path]:
    """The run, or a copy of it that goes afterwards with what was learned from it."""
    if not copied:
        yield run
        return
    with tempfile.TemporaryDirectory() as folder:
        yield shutil.copytree(run, Path(folder) / run.name)


def main() -> None:
    parser = argparse.ArgumentParser(description="What the service costs over HTTP")
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--processes", type=int, default=1, help="of the service")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=20.0, help='of each "again"')
    parser.add_argument("--users", type=int, default=2000, help="that are asked for")
    parser.add_argument("--starts", type=int, default=3)
    parser.add_argument("--updating", action="store_true", help="while a job learns on")
    args = parser.parse_args()
    clients = "wrk" if wrk.there() else "clients of this process"
    more = ("--processes", str(args.processes))
    print(f"{args.processes} processes, {args.clients} connections of {clients}")
    for run in args.runs:
        starts = []
        for _ in range(args.starts - 1):
            with served(run, *more) as one:
                starts.append(one.ready_s)
        with to_serve(run, copied=args.updating) as own, served(own, *more) as one:
            starts.append(one.ready_s)
            asyncio.run(all_there(one, args.processes))
            memory = " + ".join(f"{own:.0f}" for own in one.memory_mb())
            print(f"{run.name}: ready after {statistics.median(starts):.1f} s, {memory} MB")
            learning = learning_from(one, run) if args.updating else None
            tell(one, cases(run, args.users), args, learning)
            memory = " + ".join(f"{own:.0f}" for own in one.memory_mb())
            print(f"  memory afterwards: {memory} MB")


def tell(
    one: Served,
    asked: Mapping[str, list[dict[str, Any]]],
    args: argparse.Namespace,
    learning: Learning | None,
) -> None:
    """Print a line for each case, first and again, and how a job stood then."""
    for name, bodies in asked.items():
        warm = {**bodies[0], "user": None}  # filters are read, paths are there
        for _ in range(8 * args.processes):  # so that each process has answered one
            status, _ = asyncio.run(once(one.port, "POST", "/v1/recommend", warm))
            assert status == 200, status
        for when in ("first", "again"):
            if learning is not None:
                asyncio.run(learning.go_on())
            line = measure(one, bodies, args.clients, args.seconds, first=when == "first")
            beside = "" if learning is None else f"  job {asyncio.run(learning.state())}"
            print(f"  {name:29} {when} {line}{beside}", flush=True)


if __name__ == "__main__":
    main()
