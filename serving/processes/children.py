"""The processes that read: started, and started again where one ends."""

import asyncio
import json
import logging
import socket
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from trefoil.serving.jobs.runner import environment

log = logging.getLogger(__name__)
READER = "trefoil.serving.processes.reader"
PAUSE_S, LONGEST_PAUSE_S = 0.5, 60.0  # before one that ended is started again
PATIENCE_S = 15.0  # with one that was told to end: it finishes what it was asked


class Children:
    """So many processes of one command; by number, the ways on which each takes connections."""

    def __init__(self, count: int, told: Mapping[str, Any]) -> None:
        """``told`` is what each reader has to know."""
        self.count, self.told = count, told
        self.ways: dict[int, socket.socket] = {}
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin; call it in the event loop."""
        self._tasks = [asyncio.create_task(self._kept_up(number)) for number in range(self.count)]

    async def stop(self) -> None:
        """Let all finish what they do."""
        for one in self._tasks:
            one.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _kept_up(self, number: int) -> None:
        pause = PAUSE_S
        while True:
            began, process = time.monotonic(), await self._started(number)
            try:
                status = await process.wait()
            except asyncio.CancelledError:
                await _ended(process)
                raise
            finally:
                self.ways.pop(number).close()
            pause = PAUSE_S if time.monotonic() - began > LONGEST_PAUSE_S else pause
            log.warning("a reader ended with %s; another starts in %.1f s", status, pause)
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_S)

    async def _started(self, number: int) -> asyncio.subprocess.Process:
        """A new process of a fresh interpreter: nothing is forked once threads run."""
        self.ways[number], theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.ways[number].setblocking(False)
        with theirs:
            told = {**self.told, "number": number, "way": theirs.fileno()}
            return await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", READER, json.dumps(told)),
                stdin=asyncio.subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                env=environment(),
            )


async def _ended(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), PATIENCE_S)
        except TimeoutError:
            process.kill()
            await process.wait()
