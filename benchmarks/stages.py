"""What each stage of a training costs in CPU seconds, as its progress tells where one begins."""

from __future__ import annotations

import time
from collections.abc import Callable


class Stages:
    """Hears the progress of a fit and counts CPU seconds by stage.

    An announcement without a total begins a stage, and what comes with one is of the stage that
    runs or, under another name, was work of its own that just got so far. ``seconds`` has them
    in order; what went before the first announcement is "data".
    """

    def __init__(self, clock: Callable[[], float] = time.process_time) -> None:
        self.clock, self.before, self.stage = clock, clock(), "data"
        self.seconds: dict[str, float] = {}

    def tell(self, done: int, total: int, what: str) -> None:
        """A progress, to be handed to a fit."""
        del done
        name = what.partition(":")[0]
        within = total == 0 or self.stage.startswith(name)
        self._count(self.stage if within else name)
        if total == 0:
            self.stage = name

    def end(self) -> dict[str, float]:
        """CPU seconds by stage, the last included."""
        self._count(self.stage)
        return self.seconds

    def _count(self, name: str) -> None:
        now = self.clock()
        self.seconds[name] = self.seconds.get(name, 0.0) + now - self.before
        self.before = now


def told(seconds: dict[str, float], least: float = 1.0) -> str:
    """The stages that took longer than ``least`` seconds, longest first."""
    long = sorted((one for one in seconds.items() if one[1] >= least), key=lambda one: -one[1])
    return ", ".join(f"{name} {spent:.0f}" for name, spent in long)
