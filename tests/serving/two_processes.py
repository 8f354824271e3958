"""A service of two processes, and a connection to each of them."""

import http.client
import json
import os
import shutil
import time
from contextlib import contextmanager
from pathlib import Path

from benchmarks.http_client import start
from trefoil.serving.access.keys import KeyFile

JSON = {"Content-Type": "application/json", "X-Request-Id": "same"}
TIMEOUT_S = 20


class Client:
    """A connection to one process of the service, which stays open."""

    def __init__(self, port, token):
        self.http = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
        self.http.connect()
        self.token = token

    def ask(self, method, path, body=None, token=None, **headers):
        """Status, headers and bytes of a reply."""
        sent = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        key = {"Authorization": f"Bearer {token or self.token}"}
        self.http.request(method, path, sent, {**JSON, **key, **headers})
        reply = self.http.getresponse()
        return reply.status, sorted(reply.getheaders()), reply.read()

    def json(self, method, path, body=None):
        status, _, told = self.ask(method, path, body)
        assert status < 300, told
        return json.loads(told)

    def process(self):
        """The process at the other end: who holds the socket that our port is joined with."""
        own = f"{self.http.sock.getsockname()[1]:04X}"
        rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        (inode,) = (row[9] for row in rows if row[2].endswith(f":{own}") and row[9] != "0")
        for place in Path("/proc").glob("[0-9]*/fd/*"):
            try:
                if os.readlink(place) == f"socket:[{inode}]":
                    return int(place.parts[2])
            except OSError:
                continue
        return None  # not let in yet


class Two:
    """A service that runs, and a client of each of its processes."""

    def __init__(self, folder, served_run, *more):
        shutil.copytree(served_run.parent, folder / "runs", ignore=shutil.ignore_patterns("data"))
        keys = KeyFile.load(folder / "keys.toml")
        self.token = keys.add("all", ["read", "events", "admin"])[1]
        self.slow = keys.add("slow", ["read"], rate=0.5)[1]
        self.other = keys.add("other", ["read"], runs=["books"])[1]
        self.run, self.more = folder / "runs" / "shop", ("--keys", str(folder / "keys.toml"), *more)
        self.clients = []
        self.begin()

    def begin(self):
        self.served = start(self.run, "--processes", "2", *self.more)
        self.first = self.served.process.pid
        self.settle()

    def settle(self):
        """Wait until both processes answer; a client of each."""
        until = time.monotonic() + TIMEOUT_S
        self.hang_up()
        while b"trefoil_processes 2.0" not in self.client().ask("GET", "/metrics")[2]:
            assert time.monotonic() < until
            time.sleep(0.05)
        found = {}
        while len(found) < 2:
            assert time.monotonic() < until
            one = self.client()
            one.json("POST", "/v1/recommend", {"user": "u1", "k": 1})
            found.setdefault(one.process(), one)
        self.writer = found.pop(self.first)
        ((self.reader_id, self.reader),) = found.items()
        self.both = (self.writer, self.reader)

    def client(self):
        self.clients.append(one := Client(self.served.port, self.token))
        return one

    def hang_up(self):
        for one in self.clients:
            one.http.close()
        self.clients = []

    def caught_up(self):
        """Wait until the reader answers itself again."""
        until = time.monotonic() + TIMEOUT_S
        while not self.alone():
            assert time.monotonic() < until
            time.sleep(0.02)

    def alone(self):
        """Whether the reader answers itself: it used CPU, and the first process little."""
        before = cpu_s(self.first), cpu_s(self.reader_id)
        for _ in range(40):
            self.reader.json("POST", "/v1/recommend", {"user": "u1", "k": 5, "reasons": 1})
        spent = cpu_s(self.first) - before[0], cpu_s(self.reader_id) - before[1]
        return spent[1] > 2 * spent[0]

    def end(self):
        self.hang_up()
        self.served.process.terminate()
        assert self.served.process.wait(timeout=TIMEOUT_S) == 0


def cpu_s(process):
    parts = Path(f"/proc/{process}/schedstat").read_text().split()
    return int(parts[0]) / 1e9


def gone(process):
    return not Path(f"/proc/{process}").exists()


@contextmanager
def two_of(folder, served_run):
    two = Two(folder, served_run)
    try:
        yield two
    finally:
        if two.served.process.poll() is None:
            two.end()
