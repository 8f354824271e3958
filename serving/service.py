"""All that one process serves: runs, keys, limits, workers, what was answered and counted."""

import logging
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from trefoil.data.errors import ConfigError
from trefoil.serving.access.keys import ANYBODY, Key, KeyFile
from trefoil.serving.access.limits import Buckets
from trefoil.serving.access.scopes import Scope
from trefoil.serving.hosting.graph_store import GraphStores
from trefoil.serving.hosting.host import Host, Model
from trefoil.serving.hosting.kept_answers import KeptAnswers
from trefoil.serving.hosting.workers import Workers
from trefoil.serving.jobs.runner import Runner
from trefoil.serving.jobs.store import JobStore
from trefoil.serving.metrics import Counts, Metrics
from trefoil.serving.problems import Elsewhere, Problem

log = logging.getLogger(__name__)
LOOPBACK = ("127.0.0.1", "localhost", "::1")
# a run of such a name would hide a route of /v1
TAKEN = {
    "answers", "card", "cypher", "events", "explain", "health", "items", "jobs", "mcp", "models",
    "nodes", "rank", "recommend", "runs", "schema", "score", "search", "similar", "triples",
    "users", "users-for", "what-if", "why-not",
}  # fmt: skip
REFRESH_S = 1.0  # how often the file of keys is looked at


@dataclass(frozen=True)
class Limits:
    """What a service lets through. ``rate`` is requests per second and key, 0 for no limit."""

    rate: float = 0.0
    body_bytes: int = 1 << 20
    threads: int = 2
    waiting: int = 64  # requests that may wait for a thread
    kept_answers: int = 10_000
    kept_s: float = 3600.0


class First(Counts, Protocol):
    """The process that another one reads for: it counts and keeps what that one answers."""

    def keep(self, run: str, id: str, user: str | None, body: bytes, known: bool) -> None:
        """Keep an answer; ``known`` says whether the run knew the user when it was made."""
        ...


@dataclass
class Service:
    """What the routes share. Made by ``service_of``, closed when the process ends."""

    hosts: dict[str, Host]
    limits: Limits
    keys: KeyFile | None
    names: tuple[str, ...]  # hosts that it answers to; none for any
    metrics: Metrics
    kept: KeptAnswers
    workers: Workers
    statements: Workers  # for Cypher: a slow statement holds up no list
    slow: Workers  # loading
    changes: Workers  # one at a time, in the order they came
    buckets: Buckets
    stores: GraphStores = field(default_factory=GraphStores)
    jobs: JobStore | None = None
    runner: Runner | None = None
    first: First | None = None  # whom this process reads for, if it does
    ready: bool = True
    _looked_at: float = 0.0

    @property
    def counts(self) -> Counts:
        """Who counts what is answered here."""
        return self.first or self.metrics

    def leave(self) -> None:
        """Raises Elsewhere in a process that reads for another: that one answers the question."""
        if self.first is not None:
            raise Elsewhere

    def keep(self, run: str, id: str, user: str | None, body: bytes, known: bool) -> None:
        """Keep an answer, here or where the first process keeps it; see ``First.keep``."""
        if self.first is not None:
            self.first.keep(run, id, user, body, known)
        else:
            self.kept.keep(id, run, user, body)

    def host(self, name: str | None) -> Host:
        """A run by name, the first without one. Raises Problem 404."""
        if name is None:
            return next(iter(self.hosts.values()))
        if name not in self.hosts:
            known = ", ".join(repr(one) for one in self.hosts)
            raise Problem(404, f"no run {name!r} is served here", f"there is {known}", kind="run")
        return self.hosts[name]

    def admit(self, scope: Scope, token: str | None, run: str | None, *, any_run: bool) -> Key:
        """Who asks. Raises Problem 401, 403 or 429 where that may not be.

        ``any_run`` is for what concerns no run: a key for other runs opens it too.
        """
        if scope == "open":
            return ANYBODY
        key = self._key(token)
        if not key.may(scope):
            self.counts.refuse("scope")
            raise Problem(403, f"this route needs the scope {scope!r}; the key has not got it")
        if not any_run and key.runs and (run or next(iter(self.hosts))) not in key.runs:
            self.counts.refuse("run")
            raise Problem(403, "the key is not for this run", f"it is for {', '.join(key.runs)}")
        self.charge(key)
        return key

    def charge(self, key: Key, requests: int = 1) -> None:
        """Count so many requests of a key. Raises Problem 429 where it asks too often."""
        if key.rate or self.limits.rate:
            self.leave()  # one process counts for all
        if requests and (wait := self.buckets.take(key.id, key.rate, requests)):
            self.counts.refuse("rate")
            raise Problem(
                429,
                "this key asks more often than it may",
                headers={"Retry-After": str(math.ceil(wait))},
            )

    def _key(self, token: str | None) -> Key:
        if self.keys is None:
            return ANYBODY
        now = time.monotonic()
        if now - self._looked_at > REFRESH_S:
            self._looked_at = now
            try:
                self.keys.refresh()
            except ConfigError as fault:  # while somebody edits it: the keys from before hold
                log.error("%s", fault)
        found = self.keys.find(token) if token else None
        if found is None:
            self.counts.refuse("key")
            detail = "there is no such key" if token else "this route needs a key"
            raise Problem(401, detail, headers={"WWW-Authenticate": "Bearer"})
        return found

    def close(self) -> None:
        """Finish what runs, and give back threads and files."""
        self.ready = False
        for workers in (self.workers, self.statements, self.slow, self.changes):
            workers.close()
        self.stores.close()
        for model in (model for host in self.hosts.values() for model in host.line.models):
            model.recommender.close()
        if self.runner is not None:
            self.runner.close()
        if self.jobs is not None:
            self.jobs.close()


def service_of(
    runs: Sequence[Path] | Mapping[str, Path],
    *,
    host: str = "127.0.0.1",
    keys: Path | None = None,
    names: Sequence[str] = (),
    limits: Limits | None = None,
    jobs: Path | None = None,
    first: First | None = None,
) -> Service:
    """Load runs and put a service together.

    ``runs`` are folders, or folders by the name that each answers to. ``host`` is the address
    that will be bound: off loopback nothing starts without keys. ``names`` are host names that
    clients use. ``first`` is the process that this one reads for. Raises ConfigError and
    DataError.
    """
    limits = limits or Limits()
    file = None if keys is None else KeyFile.load(keys)
    if file is not None and not file.keys:
        raise ConfigError(
            f"{keys}: no key in it; make one: python serve.py keys add --scope read --keys {keys}"
        )
    if file is None and host not in LOOPBACK:
        raise ConfigError(
            f"--host {host}: others could reach this service without a key; make one with: "
            "python serve.py keys add --scope read, then give --keys FILE; or use --host 127.0.0.1"
        )
    named = runs if isinstance(runs, Mapping) else _named(runs)
    hosts = {name: Host(name, Model.load(folder)) for name, folder in named.items()}
    store = None if jobs is None else JobStore(jobs)
    return Service(
        hosts,
        limits,
        file,
        tuple(names) or (LOOPBACK if host in LOOPBACK else ()),
        Metrics(),
        KeptAnswers(limits.kept_answers, limits.kept_s),
        Workers(limits.threads, limits.waiting),
        Workers(2, 16),
        Workers(1, 8),
        Workers(1, 256),
        Buckets(limits.rate),
        jobs=store,
        runner=None if store is None else Runner(store),
        first=first,
    )


def _named(runs: Sequence[Path]) -> dict[str, Path]:
    """Runs by the names of their folders. Raises ConfigError for a name that cannot be served."""
    named: dict[str, Path] = {}
    for run in runs:
        name = run.absolute().name
        if name in named or name in TAKEN:
            why = "is given twice" if name in named else "is a word of the service's own addresses"
            raise ConfigError(f"{run}: the name {name!r} {why}; rename the folder")
        named[name] = run
    if not named:
        raise ConfigError("no run to serve; give one, or --demo")
    return named
