"""Answers that are kept for a while: the latest that were used, within a bound of bytes."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable

import numpy as np

from trefoil.data.histories import Cases
from trefoil.fusion.plan.asked import Reals

MOST_BYTES = 64_000_000  # of all that one plan keeps


class Remembered:
    """Arrays by key; what was not used for longest goes first. Threads may share one.

    Arrays that were kept cannot be written to.
    """

    def __init__(self, most: int = MOST_BYTES) -> None:
        self.most, self.held = most, 0
        self._kept: OrderedDict[Hashable, Reals] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], Reals]) -> Reals:
        """What is kept by this key, or what ``make`` returns, kept from now on."""
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
                return found
        made = make()
        made.flags.writeable = False
        if made.nbytes <= self.most:
            self._keep(key, made)
        return made

    def _keep(self, key: Hashable, made: Reals) -> None:
        with self._lock:
            if key not in self._kept:
                self._kept[key] = made
                self.held += made.nbytes
            while self.held > self.most:
                self.held -= self._kept.popitem(last=False)[1].nbytes

    def __len__(self) -> int:
        return len(self._kept)


def key_of(cases: Cases) -> Hashable:
    """A digest of all that a score of these cases may depend on."""
    history = cases.history
    told = hashlib.blake2b(digest_size=20)
    columns = {f"now {name}": codes for name, codes in cases.scenario.items()}
    columns |= {f"then {name}": codes for name, codes in history.scenario.items()}
    fixed = {"user": cases.user, "moment": cases.at, "start": history.start, "item": history.item}
    for name, array in {**fixed, "at": history.at, "stars": history.stars, **columns}.items():
        if array is not None:
            told.update(f"{name} {len(array)} ".encode())
            told.update(np.ascontiguousarray(array))
    return told.digest()
