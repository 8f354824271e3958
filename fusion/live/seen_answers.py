"""Answers as they were given, counted: what a monitor remembers of them."""

import threading
from collections.abc import Sequence
from typing import Any


class Seen:
    """Counts over answers; nothing of who asked is kept. Threads may share one."""

    def __init__(self) -> None:
        self.answers = self.unknown = self.cold = self.short = self.unexplained = 0
        self._lock = threading.Lock()

    def saw(self, answer: Sequence[Any], k: int, *, reasons: int = 0) -> None:
        """Count an ``Answer`` to a request for ``k`` items with so many reasons each."""
        based: Any = getattr(answer, "based_on", None)
        unexplained = bool(reasons) and any(not one.reasons for one in answer)
        with self._lock:
            self.answers += 1
            self.unknown += bool(based is not None and based.unknown)
            self.cold += bool(based is not None and not based.events)
            self.short += len(answer) < k
            self.unexplained += unexplained
