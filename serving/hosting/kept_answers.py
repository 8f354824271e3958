"""Answers that were given, kept for a while: an id leads back to all that was said."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Kept:
    """A reply as it was sent, for whom and when (monotonic seconds)."""

    run: str
    user: str | None
    body: bytes
    at: float


class KeptAnswers:
    """The last answers by id, up to a count and an age."""

    def __init__(
        self, most: int, seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.most, self.seconds, self.clock = most, seconds, clock
        self._kept: OrderedDict[str, Kept] = OrderedDict()
        self._lock = threading.Lock()

    def keep(self, id: str, run: str, user: str | None, body: bytes) -> None:
        """Keep one; the oldest goes where there are too many."""
        with self._lock:
            self._kept[id] = Kept(run, user, body, self.clock())
            while len(self._kept) > self.most:
                self._kept.popitem(last=False)

    def find(self, id: str, run: str) -> bytes | None:
        """The reply of an id, None where it is gone or was of another run."""
        with self._lock:
            found = self._kept.get(id)
            if found is None or found.run != run:
                return None
            if self.clock() - found.at > self.seconds:
                del self._kept[id]
                return None
            return found.body

    def forget(self, run: str, user: str) -> int:
        """Drop all answers to a user; how many there were."""
        with self._lock:
            gone = [id for id, one in self._kept.items() if (one.run, one.user) == (run, user)]
            for id in gone:
                del self._kept[id]
            return len(gone)

    def __len__(self) -> int:
        return len(self._kept)
