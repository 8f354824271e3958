"""Threads that score. So many requests may wait; more are sent away at once."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from trefoil.serving.problems import Problem

T = TypeVar("T")


class Workers:
    """A pool of threads with a bounded queue, asked from the event loop alone."""

    def __init__(self, threads: int, most_waiting: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="scoring")
        self.threads, self.most = threads, threads + most_waiting
        self.busy = self.shed = 0

    async def run(self, work: Callable[[], T]) -> T:
        """What ``work`` returns, from a thread. Raises Problem 503 where too many wait."""
        if self.busy >= self.most:
            self.shed += 1
            raise Problem(
                503,
                f"{self.busy} requests are waiting, as many as this service lets wait",
                headers={"Retry-After": "1"},
            )
        self.busy += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self.busy -= 1

    def close(self) -> None:
        """Begin nothing more; what runs is finished."""
        self._pool.shutdown(wait=True, cancel_futures=True)
