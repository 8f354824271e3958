"""How soon is a change in the next list? ``python -m benchmarks.told RUN [--processes 2]``.

A copy of the run is served. An event, a new item with a fact, or a fact of a known item is told,
and the user's list with a reason is asked for with the ``state`` of the reply: milliseconds from
the first request to the list, the median and the longest of ``--times``. A list that does not show
the change, or is of an earlier state, is counted as wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.http_client import Connection, served
from trefoil.fusion.recommender import Recommender


class Teller:
    """One client that tells a service of changes and looks for them in lists."""

    def __init__(self, connection: Connection, recommender: Recommender) -> None:
        self.connection = connection
        self.began = self.ended = 0.0  # of the change that was told last, seconds of a clock
        self.users = recommender.catalogue.users.ids
        self.items = recommender.catalogue.items.vocabulary.ids

    async def event(self, n: int) -> bool:
        """The item that leads the list is met, and leaves it."""
        user = self.users[n % len(self.users)]
        first = (await self._list(user, {}))["items"][0]["item"]
        self.began = time.perf_counter()
        token = await self._tell("/v1/events", {"events": [{"user": user, "item": first}]})
        found = await self._list(user, token)
        return first not in [one["item"] for one in found["items"]] and _after(found, token)

    async def item(self, n: int) -> bool:
        """A new item is in the list of whoever asks for it alone."""
        fact = await self._fact(n)
        new = {"id": f"told-{n}", "title": f"Told {n}"}
        self.began = time.perf_counter()
        told = {"items": [new], "triples": [[new["id"], *fact]] if fact else []}
        token = await self._tell("/v1/items", told)
        found = await self._list(self.users[n % len(self.users)], {**token, "only": [new["id"]]})
        return [one["item"] for one in found["items"]] == [new["id"]] and _after(found, token)

    async def fact(self, n: int) -> bool:
        """An item has a fact of another, which /v1/items tells afterwards."""
        fact = await self._fact(n + 1)
        if fact is None:
            return True
        item = self.items[n % len(self.items)]
        self.began = time.perf_counter()
        token = await self._tell("/v1/triples", {"triples": [[item, *fact]]})
        found = await self._list(self.users[n % len(self.users)], token)
        self.ended = time.perf_counter()
        facts = (await self._ask("GET", f"/v1/items/{item}"))["facts"]
        return fact in [[one["relation"], one["id"]] for one in facts] and _after(found, token)

    async def _fact(self, n: int) -> list[str] | None:
        facts = (await self._ask("GET", f"/v1/items/{self.items[n % len(self.items)]}"))["facts"]
        return [facts[0]["relation"], facts[0]["id"]] if facts else None

    async def _tell(self, path: str, body: Any) -> dict[str, str]:
        return {"state": (await self._ask("POST", path, body))["state"]}

    async def _list(self, user: str, more: dict[str, Any]) -> Any:
        found = await self._ask("POST", "/v1/recommend", {"user": user, "k": 10, **more})
        self.ended = time.perf_counter()
        return found

    async def _ask(self, method: str, path: str, body: Any = None) -> Any:
        status, reply = await self.connection.ask(method, path, body)
        if status >= 300:
            raise SystemExit(f"{method} {path}: {status} {reply[:300]!r}")
        return json.loads(reply)


def _after(found: Any, token: dict[str, str]) -> bool:
    """Whether a list is of the state that was asked for, or of a later one."""
    number = [int(one["state"].split("-")[0]) for one in (found, token)]
    return number[0] >= number[1]


async def told(port: int, recommender: Recommender, times: int) -> list[str]:
    """A line for each kind of change."""
    teller = Teller(Connection(port), recommender)
    lines = []
    for kind in (teller.event, teller.item, teller.fact):
        took, wrong = [], 0
        for n in range(times + 1):
            wrong += not await kind(n)
            took.append(1000 * (teller.ended - teller.began))
        first, *rest = took
        lines.append(
            f"  {kind.__name__:6} median {statistics.median(rest):6.1f} ms  longest "
            f"{max(rest):6.1f} ms  the first {first:6.1f} ms  wrong {wrong} of {times + 1}"
        )
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description="How soon a change is in the next list")
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--processes", type=int, default=1, help="of the service")
    parser.add_argument("--times", type=int, default=20, help="that each kind is told")
    args = parser.parse_args()
    for run in args.runs:
        with tempfile.TemporaryDirectory() as folder:
            own = shutil.copytree(run, Path(folder) / run.name)
            recommender = Recommender.load(run, live=False)
            with served(own, "--processes", str(args.processes)) as one:
                lines = asyncio.run(told(one.port, recommender, args.times))
        print(run.name, *lines, sep="\n", flush=True)


if __name__ == "__main__":
    main()
