"""How much one key may ask in a while: a bucket of tokens that fills at a rate."""

import time
from collections import OrderedDict
from collections.abc import Callable

MOST_BUCKETS = 10_000  # the least used is forgotten


class Buckets:
    """Token buckets by name. A bucket holds up to ``burst`` seconds of its rate."""

    def __init__(
        self, rate: float, burst_s: float = 2.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """``rate`` is requests per second for whoever has none of his own; 0 is no limit."""
        self.rate, self.burst_s, self.clock = rate, burst_s, clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()  # tokens, when

    def take(self, name: str, rate: float = 0.0, cost: float = 1.0) -> float:
        """Take tokens; 0 where there were enough, else seconds until there will be."""
        rate = rate or self.rate
        if rate <= 0:
            return 0.0
        most, now = max(rate * self.burst_s, 1.0), self.clock()
        cost = min(cost, most)
        tokens, then = self._left.pop(name, (most, now))
        tokens = min(most, tokens + (now - then) * rate)
        if tokens < cost:
            self._left[name] = (tokens, now)
            return (cost - tokens) / rate
        self._left[name] = (tokens - cost, now)
        if len(self._left) > MOST_BUCKETS:
            self._left.popitem(last=False)
        return 0.0
