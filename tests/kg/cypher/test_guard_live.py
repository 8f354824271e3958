"""A real Neo4j behind the read-only door: a sample of what ``benchmarks.guard_live`` counts."""

from __future__ import annotations

import pytest

from benchmarks.guard_attacks import ATTACKS, WRITING
from benchmarks.guard_live import sent
from trefoil.kg.cypher.guard import check
from trefoil.kg.cypher.tokens import Refused
from trefoil.kg.stores.neo4j import store as neo4j_store

HONEST = [
    ("MATCH (n) RETURN count(*) AS n", {}),
    ("WITH 1 AS `create`, 'DELETE x' AS text RETURN `create`, text", {}),
    ("MATCH (n) WHERE EXISTS { MATCH (n)-->(m) RETURN m } RETURN n LIMIT $n", {"n": 3}),
    ("UNWIND [3, 1] AS x CALL (x) { RETURN x * 2 AS y } RETURN y ORDER BY y", {}),
    ("RETURN duration({days: 999999999999}) AS long", {}),
]


def test_no_attack_passes_the_guard():
    passed = []
    for text in ATTACKS:
        try:
            check(text, "neo4j")
        except Refused:
            continue
        passed.append(text)
    assert passed == []
    assert len(ATTACKS) >= 500


@pytest.mark.neo4j
def test_attacks_are_refused_and_questions_answered(neo4j):
    with neo4j.store(read_only=True) as store:
        found = sent(store, [(text, {}) for text in ATTACKS[::20]])
        assert len(found["guard"]) == len(ATTACKS[::20])
        assert sent(store, HONEST)["ran"] == [text for text, _ in HONEST]


@pytest.mark.neo4j
def test_behind_the_guard_the_server_is_asked_to_read_alone(neo4j, monkeypatch):
    """What writes is refused there too, if it ever passed."""
    monkeypatch.setattr(
        neo4j_store, "check", lambda text, dialect, **_: check(text, dialect, write=True)
    )
    plain = [(text, {}) for text in WRITING if "FOREACH" not in text and "LOAD" not in text]
    with neo4j.store(read_only=True) as store:
        found = sent(store, plain)
    assert {fate: told for fate, told in found.items() if told and fate != "server"} == {}
    assert len(found["server"]) == len(plain)
