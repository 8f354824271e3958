"""Neo4j for the tests that carry the marker: one server for the whole session."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from neo4j_server import HOW, PASSWORD, STARTER, Server

from trefoil.kg.stores.neo4j.manifest import LABEL
from trefoil.kg.stores.neo4j.store import Neo4jStore

TLS = (
    "server.bolt.tls_level=OPTIONAL dbms.ssl.policy.bolt.enabled=true"
    " dbms.ssl.policy.bolt.base_directory=certificates/bolt"
    " dbms.ssl.policy.bolt.client_auth=NONE"
)
MARK = "TrefoilTest"
_marks = itertools.count(1)


@dataclass(frozen=True)
class Place:
    """Where the tests find Neo4j; ``server`` only where it is ours to kill."""

    uri: str
    auth: tuple[str, str]
    server: Server | None = None

    def store(self, **options) -> Neo4jStore:
        return Neo4jStore(self.uri, auth=self.auth, **{"read_only": False, **options})


@pytest.fixture(scope="session")
def neo4j(tmp_path_factory) -> Iterator[Place]:
    """A server: of the environment, or started beside the checkout, or the test is skipped."""
    if uri := os.environ.get("NEO4J_URI"):
        user = os.environ.get("NEO4J_USERNAME", "neo4j")
        place = Place(uri, (user, os.environ.get("NEO4J_PASSWORD", "")))
        print(f"Neo4j tests: the server {uri} of NEO4J_URI", file=sys.stderr)
        with left_as_found(place):
            yield place
    elif STARTER.exists():
        folder = tmp_path_factory.mktemp("neo4j")
        certify(folder / "certificates/bolt")
        server = Server(folder, settings=TLS)
        print(f"Neo4j tests: a server of our own, {server.uri}", file=sys.stderr)
        try:
            server.start()
            yield Place(server.uri, ("neo4j", PASSWORD), server)
        finally:
            server.kill()
    else:
        pytest.skip(f"no Neo4j; start one and set NEO4J_URI: {HOW}")


@pytest.fixture
def mark() -> str:
    """What labels of this test begin with, so that tests share a server."""
    return f"{MARK}{next(_marks)}_"


class left_as_found:
    """Takes away what tests put into somebody's server: nodes, constraints, the card."""

    def __init__(self, place: Place) -> None:
        self.place = place

    def __enter__(self) -> None:
        with self.place.store() as store:
            self.card = store._run(f"MATCH (c:{LABEL}) RETURN c.card")
            self.constraints = constraints(store)

    def __exit__(self, *_: object) -> None:
        with self.place.store() as store:
            mine = f"MATCH (n) WHERE any(l IN labels(n) WHERE l STARTS WITH '{MARK}')"
            store._write([(f"{mine} DETACH DELETE n", {})])
            for name in constraints(store) - self.constraints:
                store._write([(f"DROP CONSTRAINT `{name}`", {})])
            if self.card:
                store._write([(f"MATCH (c:{LABEL}) SET c.card = $card", {"card": self.card[0][0]})])
            else:
                store._write([(f"MATCH (c:{LABEL}) DELETE c", {})])


def constraints(store: Neo4jStore) -> set[str]:
    return {row[0] for row in store._run("SHOW CONSTRAINTS YIELD name RETURN name")}


def certify(folder) -> None:
    """A self-signed certificate for 127.0.0.1."""
    folder.mkdir(parents=True)
    subprocess.run(
        [
            *["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"],
            *["-subj", "/CN=localhost"],
            *["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
            *["-keyout", str(folder / "private.key"), "-out", str(folder / "public.crt")],
        ],
        check=True,
        capture_output=True,
    )
