"""The processes that read: started, and started again where one ends."""

import asyncio
import json
import logging
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
    """So many processes of one command. They share the listening socket, and do not outlive us."""

    def __init__(self, count: int, listening: int, told: Mapping[str, Any]) -> None:
        """``listening`` is the socket's file descriptor, ``told`` what each reader has to know."""
        self.count, self.listening, self.told = count, listening, told
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin; call it in the event loop."""
        self._tasks = [asyncio.create_task(self._kept_up()) for _ in range(self.count)]

    async def stop(self) -> None:
        """Let all finish what they do."""
        for one in self._tasks:
            one.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _kept_up(self) -> None:
        pause = PAUSE_S
        while True:
            began, process = time.monotonic(), await self._started()
            try:
                status = await process.wait()
            except asyncio.CancelledError:
                await _ended(process)
                raise
            pause = PAUSE_S if time.monotonic() - began > LONGEST_PAUSE_S else pause
            log.warning("a reader ended with %s; another starts in %.1f s", status, pause)
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_S)

    async def _started(self) -> asyncio.subprocess.Process:
        """A new process of a fresh interpreter: nothing is forked once threads run."""
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", READER, json.dumps({**self.told, "socket": self.listening})),
            stdin=asyncio.subprocess.DEVNULL,
            pass_fds=(self.listening,),
            env=environment(),
            start_new_session=True,  # Ctrl-C is for the first process, which then ends the others
        )


async def _ended(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), PATIENCE_S)
        except TimeoutError:
            process.kill()
            await process.wait()
