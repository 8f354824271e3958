"""What happens in the service, as numbers: for Prometheus, and in short for the page."""

import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.process_collector import ProcessCollector

SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
WINDOW_S, MOST = 300.0, 20_000  # what the page sums up
NOT_COUNTED = ("/assets/{name:path}", "/live", "/ready", "/metrics", "/health")


@dataclass(frozen=True)
class Told:
    """Of one answer: what it rests on, ids of the call that are unknown, whether it is short."""

    based_on: str
    cold: bool
    unknown: int
    short: bool


class Counts(Protocol):
    """Who counts what a process does: its own metrics, or those of the process it reads for."""

    def request(self, route: str, method: str, status: int, seconds: float) -> None:
        """One request was answered."""
        ...

    def answer(self, run: str, told: Told) -> None:
        """One list was given."""
        ...

    def refuse(self, why: str) -> None:
        """One request was refused."""
        ...


class Metrics:
    """Counters of one service, in a registry of its own."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.registry, self.clock, self.began = CollectorRegistry(), clock, clock()
        ProcessCollector(registry=self.registry)

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"trefoil_{name}", text, labels, registry=self.registry)

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(f"trefoil_{name}", text, labels, registry=self.registry)

        self.requests = counter("requests", "Requests", "route", "method", "status")
        self.seconds = Histogram(
            "trefoil_request_seconds",
            "Seconds from a request to its reply",
            ["route"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self.answers = counter("answers", "Lists given, by what they rest on", "run", "based_on")
        self.cold = counter("cold_answers", "Lists for users without a known event", "run")
        self.short = counter("short_answers", "Lists with fewer items than asked for", "run")
        self.unknown = counter("unknown_ids", "Ids and contexts of calls never seen", "run")
        self.refused = counter("refused", "Requests refused", "why")
        self.processes = gauge("processes", "Processes that answer")
        self.processes.set(1)
        self.waiting = gauge("waiting", "Requests that are scored or wait for it")
        self.model = gauge("model_info", "1 for each model that is loaded", "run", "model", "role")
        self.canary = gauge("canary_share", "Share of users the canary answers", "run")
        self.swaps = gauge("swaps", "Models swapped in since the start", "run")
        self.drift = gauge("drift", "How far what comes in is from what was learned", "run", "kind")
        self._children: dict[tuple[int, tuple[str, ...]], Any] = {}
        self._recent: deque[tuple[float, float, int]] = deque(maxlen=MOST)
        self._told: deque[tuple[float, Told]] = deque(maxlen=MOST)

    def request(self, route: str, method: str, status: int, seconds: float) -> None:
        """One request was answered."""
        self._child(self.requests, route, method, str(status)).inc()
        self._child(self.seconds, route).observe(seconds)
        if route not in NOT_COUNTED:
            self._recent.append((self.clock(), seconds, status))

    def answer(self, run: str, told: Told) -> None:
        """One list was given."""
        self._child(self.answers, run, told.based_on).inc()
        if told.cold:
            self.cold.labels(run).inc()
        if told.short:
            self.short.labels(run).inc()
        if told.unknown:
            self.unknown.labels(run).inc(told.unknown)
        self._told.append((self.clock(), told))

    def refuse(self, why: str) -> None:
        """One request was refused."""
        self.refused.labels(why).inc()

    def _child(self, of: Any, *values: str) -> Any:
        """The counter of these labels, looked up without their being checked again."""
        key = id(of), values
        found = self._children.get(key)
        if found is None:
            found = self._children[key] = of.labels(*values)
        return found

    def text(self) -> bytes:
        """All of it as Prometheus reads it."""
        return generate_latest(self.registry)

    def recent(self) -> dict[str, Any]:
        """The last minutes in short: rates, latencies in ms, shares."""
        since = self.clock() - WINDOW_S
        times = sorted(seconds for at, seconds, _ in self._recent if at >= since)
        statuses = [status for at, _, status in self._recent if at >= since]
        told = [one for at, one in self._told if at >= since]
        span = max(min(WINDOW_S, self.clock() - self.began), 1e-9)

        def quantile(q: float) -> float | None:
            place = min(math.ceil(q * len(times)), len(times)) - 1
            return round(1000 * times[max(place, 0)], 2) if times else None

        def share(kept: int) -> float | None:
            return round(kept / len(told), 4) if told else None

        return {
            "window_s": round(span, 1),
            "requests": len(times),
            "per_second": round(len(times) / span, 2),
            "p50_ms": quantile(0.5),
            "p99_ms": quantile(0.99),
            "faults": sum(status == 500 for status in statuses),  # 503, 504: it said no
            "refused": sum(400 <= status < 500 for status in statuses),
            "answers": len(told),
            "cold_share": share(sum(one.cold for one in told)),
            "short_share": share(sum(one.short for one in told)),
            "unknown_share": share(sum(one.unknown > 0 for one in told)),
        }
