"""Questions of a large catalogue that wait at once are scored at once, and answered one by one.

To score is to read all vectors of the items: for eight people that takes little longer than
for one. Whoever gets a thread first scores for all that wait; the others find their scores kept.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from trefoil.fusion.recommender import Recommender

MOST = 8  # people who are scored at once
PATIENCE_S = 5.0  # how long a question waits for whoever scores for it, before it asks itself


@dataclass(eq=False)
class Waiting:
    """A question: who is asked, what it says, and whether it was scored."""

    recommender: Recommender
    said: Mapping[str, Any]
    done: threading.Event = field(default_factory=threading.Event)


class Together:
    """The questions of one run that wait for a thread."""

    def __init__(self) -> None:
        self._waiting: list[Waiting] = []
        self._lock = threading.Lock()

    @contextmanager
    def waiting(
        self, recommender: Recommender, said: Mapping[str, Any]
    ) -> Iterator[Callable[[], None]]:
        """While this question waits; gives what its thread does first: score for all that do."""
        mine = Waiting(recommender, said)
        with self._lock:
            self._waiting.append(mine)

        def score_first() -> None:
            with self._lock:
                taken = self._taken(mine)
            try:
                if len(taken) > 1:
                    recommender.score_together([one.said for one in taken])
            finally:
                for one in taken:
                    one.done.set()
            mine.done.wait(PATIENCE_S)

        try:
            yield score_first
        finally:
            with self._lock:
                self._waiting = [one for one in self._waiting if one is not mine]

    def _taken(self, mine: Waiting) -> list[Waiting]:
        """This question and others of the same state, taken off the list; none if it was taken."""
        if mine not in self._waiting:
            return []
        state, others = mine.recommender.state, self._waiting
        alike = [one for one in others if one.recommender.state is state and one is not mine]
        taken = [mine, *alike[: MOST - 1]]
        self._waiting = [one for one in self._waiting if one not in taken]
        return taken
