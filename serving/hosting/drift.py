"""Whether what comes in still looks like what was learned; a look reads all events."""

import threading
import time
from collections.abc import Callable

from trefoil.fusion.live.drift import Drift
from trefoil.fusion.recommender import Recommender

EVERY_S = 30.0


class LastDrift:
    """The drift of a run, as it was at most ``EVERY_S`` seconds ago."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._last: tuple[str, float, Drift] | None = None

    def of(self, recommender: Recommender) -> Drift:
        """Of the state that answers; an unchanged state is looked at once."""
        with self._lock:
            state, now, last = recommender.state.token, self._clock(), self._last
            if last is not None and (last[0] == state or now - last[1] < EVERY_S):
                return last[2]
            found = recommender.drift()
            self._last = state, now, found
            return found
