"""Swaps and kills under load: ``python -m benchmarks.http_changes RUN --swaps 1000 --kills 20``.

Swaps: two copies of a run take turns while clients ask; a reply that fails, or whose scores
are not those of the model that it names, is counted. Kills: the service is ended with
SIGKILL while events come, and started again; every event that was acknowledged must be
there, and none twice.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import shutil
import sqlite3
import tempfile
import threading
import time
from contextlib import closing
from pathlib import Path

from benchmarks.http_client import Connection, served, start
from trefoil.fusion.catalogue import Catalogue
from trefoil.fusion.live.log import FILE, place_of
from trefoil.fusion.recommender import Recommender

PATH = "/v1/recommend"


def swaps(run: Path, other: Path, count: int, clients: int, *more: str) -> str:
    """Swap so often between two runs while clients ask; ``more`` is for ``serve.py``."""
    with tempfile.TemporaryDirectory() as folder:
        names = ("left", "right")
        expected = {}
        for name, source in zip(names, (run, other), strict=True):
            shutil.copytree(source, Path(folder) / name)
            own = Recommender.load(source, live=False)
            users = own.catalogue.users.ids[:20]
            expected[name] = {user: [one.score for one in own.recommend(user, 5)] for user in users}
        users = list(expected["left"])
        with served(Path(folder) / "left", *more) as one:
            return asyncio.run(_swapped(one.port, expected, users, count, clients))


async def _swapped(
    port: int, expected: dict[str, dict[str, list[float]]], users: list[str], count: int, n: int
) -> str:
    asked, failed, mixed, done = 0, 0, 0, asyncio.Event()

    async def client(number: int) -> None:
        nonlocal asked, failed, mixed
        connection, chance = Connection(port), random.Random(number)
        while not done.is_set():
            user = chance.choice(users)
            status, body = await connection.ask("POST", PATH, {"user": user, "k": 5})
            asked += 1
            if status != 200:
                failed += 1
                continue
            told = json.loads(body)
            own = expected[told["model"].partition("@")[0]][user]
            scores = [item["score"] for item in told["items"]]
            mixed += any(abs(a - b) > 1e-3 for a, b in zip(scores, own, strict=True))
        connection.close()

    clients = [asyncio.create_task(client(number)) for number in range(n)]
    connection, refused, began = Connection(port), 0, time.perf_counter()
    for place in range(count):
        name = ("right", "left")[place % 2]
        status, _ = await connection.ask("POST", "/v1/models/current", {"run": name})
        refused += status != 200
    seconds = time.perf_counter() - began
    done.set()
    await asyncio.gather(*clients)
    return (
        f"{count} swaps in {seconds:.0f} s, {refused} refused; {asked} requests meanwhile: "
        f"{failed} failed, {mixed} mixed"
    )


def kills(run: Path, count: int, *more: str) -> str:
    """End the service so often while events come; what the log holds in the end."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / run.name
        shutil.copytree(run, copy)
        known = Recommender.load(run, live=False).catalogue
        chance, sent, kept = random.Random(5), 0, set()
        for _ in range(count):
            one = start(copy, *more)
            killer = threading.Timer(chance.uniform(0.05, 0.6), one.process.kill)
            killer.start()
            told = asyncio.run(_told(one.port, sent, known, chance))
            killer.join()
            one.process.wait(timeout=20)
            sent, kept = sent + told[0], kept | told[1]
        with closing(sqlite3.connect(place_of(copy) / FILE)) as log:
            rows = log.execute("SELECT id FROM changes WHERE what = 'event'")
            there = [id for (id,) in rows]
    lost, doubled = len(kept - set(there)), len(there) - len(set(there))
    return (
        f"{count} kills: {len(kept)} events acknowledged of {sent} sent, {len(there)} in the log, "
        f"{lost} lost, {doubled} doubled"
    )


async def _told(
    port: int, first: int, known: Catalogue, chance: random.Random
) -> tuple[int, set[str]]:
    """Events one after the other until the service is gone: how many, and those acknowledged."""
    connection, number, kept = Connection(port), first, set()
    while True:
        item = chance.choice(known.items.vocabulary.ids)
        event = {"id": f"e-{number}", "user": chance.choice(known.users.ids), "item": item}
        number += 1
        try:
            status, _ = await connection.ask("POST", "/v1/events", {"events": [event]})
        except OSError:
            return number - first, kept
        if status == 201:
            kept.add(event["id"])


def main() -> None:
    parser = argparse.ArgumentParser(description="Swaps and kills under load")
    parser.add_argument("run", type=Path)
    parser.add_argument("--other", type=Path, help="another run of the same data, to swap with")
    parser.add_argument("--swaps", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--processes", type=int, default=1, help="of the service")
    args = parser.parse_args()
    more = ("--processes", str(args.processes))
    if args.swaps:
        print(swaps(args.run, args.other or args.run, args.swaps, args.clients, *more))
    if args.kills:
        print(kills(args.run, args.kills, *more))


if __name__ == "__main__":
    main()
