"""numpy by one thread while single lists are made.

The products of a list are small: two threads make it no sooner, and cost twice the CPU, since the
one that waits for work spins.
"""

import threading
from functools import cached_property
from types import TracebackType
from typing import Any

from threadpoolctl import ThreadpoolController


class OneThread:
    """A context that several threads may be in.

    Some versions of a library keep the number for each thread, others one for all. So each thread
    sets it on its way in and out, to what the first one found when nobody was inside.
    """

    def __init__(self) -> None:
        self._lock, self._inside, self._before = threading.Lock(), 0, [1]

    @cached_property
    def _libraries(self) -> list[Any]:
        """Those that multiply for numpy and scipy; to look for them takes half a millisecond."""
        return ThreadpoolController().select(user_api="blas").lib_controllers

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._before = [one.get_num_threads() for one in self._libraries]
            self._inside += 1
            self._set([1] * len(self._before))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._lock:
            self._inside -= 1
            self._set(self._before)

    def _set(self, threads: list[int]) -> None:
        for one, many in zip(self._libraries, threads, strict=True):
            one.set_num_threads(many)


one_thread = OneThread()
