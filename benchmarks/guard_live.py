"""What passes the read-only door to a real Neo4j: nothing that writes, nearly all that reads.

    NEO4J_URI=neo4j://localhost:7687 NEO4J_PASSWORD=... \
        python -m benchmarks.guard_live [openCypher-tck.zip] [--json FILE]

The database must be empty: a few films are put into it, and taken out again. The statements of
the openCypher suite and the attacks of ``guard_attacks.py`` go through ``ask`` of a store that
was opened for reading. After each one that was not refused, and at the end, everything that the
database holds is compared with what it held before.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.cypher_scenarios import scenarios, writes
from benchmarks.cypher_suite import plain
from benchmarks.cypher_values import parsed
from benchmarks.guard_attacks import ATTACKS
from trefoil.data.errors import StoreError
from trefoil.kg.cypher.tokens import Refused
from trefoil.kg.stores.neo4j.store import Neo4jStore

FILL = (
    "CREATE (:Film {id: 'f1', name: 'Solaris'})-[:DIRECTOR]->"
    "(p:Person {id: 'p1', name: 'Andrei Tarkovsky', born: date('1932-04-04')})"
    " CREATE (:Film {id: 'f2', name: 'Stalker'})-[:DIRECTOR {year: 1979}]->(p)"
    " CREATE (:Genre {id: 'g1', name: 'science fiction'})"
)
HELD = (
    "MATCH (n) RETURN elementId(n) AS id, labels(n) AS labels, properties(n) AS held ORDER BY id",
    "MATCH (a)-[r]->(b) RETURN elementId(r) AS id, elementId(a), elementId(b), type(r),"
    " properties(r) ORDER BY id",
    "CALL db.labels() YIELD label RETURN label ORDER BY label",
    "CALL db.relationshipTypes() YIELD relationshipType AS type RETURN type ORDER BY type",
    "CALL db.propertyKeys() YIELD propertyKey AS key RETURN key ORDER BY key",
    "SHOW INDEXES YIELD name RETURN name ORDER BY name",
    "SHOW CONSTRAINTS YIELD name RETURN name ORDER BY name",
    "SHOW USERS YIELD user RETURN user ORDER BY user",
    "SHOW DATABASES YIELD name, currentStatus RETURN name, currentStatus ORDER BY name",
)
ADDRESS = re.compile(r" at 0x[0-9a-f]+")  # of values that the driver cannot turn into Python's
LIMIT, SECONDS = 50, 5.0


def held(store: Neo4jStore) -> str:
    """Everything that the database holds, and what the server says of itself."""
    told = repr([store.server.rows(statement) for statement in HELD])
    return ADDRESS.sub("", told)


def sent(
    store: Neo4jStore, statements: Iterable[tuple[str, Mapping[str, Any]]]
) -> dict[str, list[str]]:
    """Statements by what became of them.

    ``guard``: refused before the server saw them; ``server``: refused there; ``ran``: answered;
    ``changed``: of those that the server saw, what the database was not the same after.
    """
    out: dict[str, list[str]] = {"guard": [], "server": [], "ran": [], "changed": []}
    before = held(store)
    for text, given in statements:
        try:
            store.ask(text, given, limit=LIMIT, timeout_s=SECONDS)
        except Refused as fault:
            out["guard"].append(f"{text}\n    {fault}")
            continue
        except StoreError as fault:
            out["server"].append(f"{text}\n    {fault}")
        else:
            out["ran"].append(text)
        after = held(store)
        if after != before:
            out["changed"].append(text)
            before = after
    return out


def understood(store: Neo4jStore, statements: Iterable[str]) -> int:
    """How many the server would run if they were sent to it as they are."""
    count = 0
    for text in statements:
        try:
            store.server.plan(text)
        except (StoreError, UnicodeError):
            continue
        count += 1
    return count


def of_the_suite(archive: Path, *, writing: bool) -> list[tuple[str, Mapping[str, Any]]]:
    """Distinct statements with their parameters: all that write, or the questions that read."""
    found: dict[str, Mapping[str, Any]] = {}
    for one in scenarios(archive):
        if writing:
            found |= {text: {} for text in one.setup if writes(text)}
        if one.writes if writing else one.reads:
            found[one.query] = {name: plain(parsed(value)) for name, value in one.parameters}
    return list(found.items())


def counted(store: Neo4jStore, archive: Path | None) -> dict[str, dict[str, list[str]]]:
    """What became of the attacks, and of the suite's statements where it is at hand."""
    out = {"attacks": sent(store, [(text, {}) for text in ATTACKS])}
    if archive is not None:
        out["suite, writing"] = sent(store, of_the_suite(archive, writing=True))
        out["suite, reading"] = sent(store, of_the_suite(archive, writing=False))
    return out


def main(argv: Sequence[str] | None = None) -> int:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("archive", type=Path, nargs="?", help="the zip of feature files")
    p.add_argument("--json", type=Path, metavar="FILE", help="every statement and its fate")
    args = p.parse_args(argv)
    uri = os.environ.get("NEO4J_URI")
    if not uri:
        raise SystemExit("set NEO4J_URI and NEO4J_PASSWORD to an empty database")
    with Neo4jStore(uri, read_only=False) as writer:
        if writer.query("MATCH (n) RETURN count(n) AS n").item():
            raise SystemExit(f"{uri}: the database is not empty; give one that is")
        writer.query(FILL, write=True)
        try:
            with Neo4jStore(uri) as store:
                found = counted(store, args.archive)
                known = understood(store, ATTACKS)
        finally:
            writer.query("MATCH (n) DETACH DELETE n", write=True)
    table = Table("statements", "sent", "guard refused", "server refused", "ran", "changed it")
    for name, fates in found.items():
        total = sum(len(fates[fate]) for fate in ("guard", "server", "ran"))
        table.add_row(name, str(total), *(str(len(rows)) for rows in fates.values()))
    Console().print(table)
    Console().print(f"of {len(ATTACKS)} attacks the server would run {known} as they are")
    if args.json:
        args.json.write_text(json.dumps(found, indent=1, ensure_ascii=False), encoding="utf-8")
    return int(bool(found["attacks"]["ran"] or any(f["changed"] for f in found.values())))


if __name__ == "__main__":
    sys.exit(main())
