"""Answers that are kept for a while: the latest that were used, within a bound."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from trefoil.fusion.plan.asked import Reals

MOST_BYTES = 64_000_000  # of all scores that one plan keeps
T = TypeVar("T")


class Remembered(Generic[T]):
    """Values by key; what was not used for longest goes first. Threads may share one.

    ``size`` says how much of ``most`` a value takes.
    """

    def __init__(self, most: int, size: Callable[[T], int]) -> None:
        self.most, self.held = most, 0
        self._size = size
        self._kept: OrderedDict[Hashable, T] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """What is kept by this key, or what ``make`` returns, kept from now on."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        made = make()
        size = self._size(made)
        if size <= self.most:
            with self._lock:
                if key not in self._kept:
                    self._kept[key] = made
                    self.held += size
                while self.held > self.most:
                    self.held -= self._size(self._kept.popitem(last=False)[1])
        return made

    def has(self, key: Hashable) -> bool:
        """Whether something is kept by this key."""
        return key in self._kept

    def peek(self, key: Hashable) -> T | None:
        """What is kept by this key, if anything is."""
        return self._kept.get(key)

    def __len__(self) -> int:
        return len(self._kept)


def bytes_of(arrays: tuple[Reals, ...]) -> int:
    """Bytes of some arrays."""
    return sum(array.nbytes for array in arrays)
