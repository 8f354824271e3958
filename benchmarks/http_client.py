"""A service in a process of its own, and clients that ask it over connections that stay open."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PSS = re.compile(r"^Pss:\s+(\d+) kB", re.MULTILINE)
READY = re.compile(r"ready at http://\S+:(\d+)/")


@dataclass
class Served:
    """A service that runs: where it listens, and its process, beside which others may read."""

    process: subprocess.Popen[bytes]
    port: int
    ready_s: float

    def processes(self) -> list[int]:
        """Its processes, the first one first."""
        first = self.process.pid
        readers = Path(f"/proc/{first}/task/{first}/children").read_text().split()
        return [first, *map(int, readers)]

    def cpu_s(self) -> float:
        """CPU seconds that its processes have used."""
        parts = [
            Path(f"/proc/{one}/stat").read_text().rsplit(")", 1)[1].split()
            for one in self.processes()
        ]
        return sum(int(one[11]) + int(one[12]) for one in parts) / os.sysconf("SC_CLK_TCK")

    def memory_mb(self) -> list[float]:
        """Memory of each process; what several have in common is shared out among them."""
        told = [Path(f"/proc/{one}/smaps_rollup").read_text() for one in self.processes()]
        return [int(found[1]) / 1e3 for one in told if (found := PSS.search(one))]


def start(run: Path, *more: str) -> Served:
    """Start ``serve.py`` with a run and wait until it is ready.

    The service chooses its port: one that was found free here could be another program's by
    the time the service has imported what it needs and asks for it.
    """
    known = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(known), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "trefoil.serve", str(run), "--port", "0", *more]
    began = time.perf_counter()
    with tempfile.NamedTemporaryFile() as told:  # the service writes to it as long as it runs
        process = subprocess.Popen(command, env=environment, stderr=told)
        port = None
        while True:
            ended, said = process.poll(), Path(told.name).read_text(errors="replace")
            if ended is not None:
                raise SystemExit(f"{' '.join(command)}: ended with {ended}: {said[-500:].strip()}")
            if port is None and (found := READY.search(said)):
                port = int(found[1])
            with suppress(OSError):
                if port is not None and asyncio.run(once(port, "GET", "/ready"))[0] == 200:
                    return Served(process, port, time.perf_counter() - began)
            time.sleep(0.02)


@contextmanager
def served(run: Path, *more: str) -> Iterator[Served]:
    """A service for as long as it is needed."""
    one = start(run, *more)
    try:
        yield one
    finally:
        one.process.terminate()
        one.process.wait(timeout=20)


class Connection:
    """One HTTP/1.1 connection that stays open."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def ask(self, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
        """Status and body of one reply. Raises OSError where the connection breaks."""
        if self._writer is None:
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self.port)
        assert self._reader is not None
        sent = b"" if body is None else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        if sent:
            head += f"Content-Type: application/json\r\nContent-Length: {len(sent)}\r\n"
        self._writer.write(head.encode() + b"\r\n" + sent)
        try:
            told = await self._reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            raise ConnectionError("the service closed the connection") from None
        lines = told.lower().split(b"\r\n")
        length = next(int(one[15:]) for one in lines if one.startswith(b"content-length:"))
        try:
            return int(lines[0][9:12]), await self._reader.readexactly(length)
        except asyncio.IncompleteReadError:
            raise ConnectionError("the service closed the connection") from None

    def close(self) -> None:
        """Give the connection back."""
        if self._writer is not None:
            self._writer.close()


async def once(port: int, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
    """One request on a connection of its own."""
    connection = Connection(port)
    try:
        return await connection.ask(method, path, body)
    finally:
        connection.close()


@dataclass
class Load:
    """What clients met: seconds of each reply, statuses by count."""

    seconds: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
    wall_s: float = 0.0

    def quantile_ms(self, q: float) -> float:
        """Milliseconds within which this share of the replies came."""
        times = sorted(self.seconds)
        return 1000 * times[min(int(q * len(times)), len(times) - 1)] if times else float("nan")


async def load(
    port: int,
    bodies: Sequence[Any],
    *,
    clients: int = 8,
    seconds: float = 10.0,
    path: str = "/v1/recommend",
    look: Callable[[int, bytes], None] | None = None,
    each_once: bool = False,
) -> Load:
    """Ask again and again, each client in its own order, and note how long each reply took.

    With ``each_once`` every body is asked once, by whichever client is free.
    """
    found, until = Load(), float("inf") if each_once else time.perf_counter() + seconds
    left = iter(bodies)

    async def client(number: int) -> None:
        connection, at = Connection(port), number * 7919
        while (began := time.perf_counter()) < until:
            asked = next(left, None) if each_once else bodies[at % len(bodies)]
            if asked is None:
                break
            status, body = await connection.ask("POST", path, asked)
            found.seconds.append(time.perf_counter() - began)
            found.statuses[status] = found.statuses.get(status, 0) + 1
            if look is not None:
                look(status, body)
            at += 1
        connection.close()

    began = time.perf_counter()
    await asyncio.gather(*(client(number) for number in range(clients)))
    found.wall_s = time.perf_counter() - began
    return found
