"""The openCypher suite, where it lies beside the checkout: a part of it in every run.

``python -m benchmarks.cypher_suite ARCHIVE`` asks all of it.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchmarks.cypher_scenarios import scenarios
from benchmarks.cypher_suite import Outcome, difference, outcome, refused_by_guard
from benchmarks.cypher_values import comparable, parsed
from trefoil.kg.cypher.guard import check
from trefoil.kg.cypher.tokens import Refused
from trefoil.kg.stores.kglite.engine import Rows

BESIDE = Path(__file__).resolve().parents[2] / "../shared/tck/openCypher-tck.zip"
ARCHIVE = Path(os.environ.get("OPENCYPHER_TCK", BESIDE))
STEP = 12  # every twelfth reading scenario is asked
KNOWN = "temporal"  # the one group where answers are known to differ


@pytest.fixture(scope="module")
def suite():
    if not ARCHIVE.exists():
        pytest.skip(f"the openCypher suite is not at {ARCHIVE}; OPENCYPHER_TCK may name its zip")
    return scenarios(ARCHIVE)


@pytest.fixture(scope="module")
def outcomes(suite) -> list[Outcome]:
    return [outcome(one) for one in [one for one in suite if one.reads][::STEP]]


def test_every_scenario_of_the_suite_is_read(suite):
    assert len(suite) == 3897
    assert sum(one.reads for one in suite) == 2888
    assert all(one.query for one in suite)
    # outlines: one scenario for each row of their examples
    assert len({(one.group, one.name) for one in suite}) == len(suite)


def test_nine_of_ten_reading_scenarios_are_answered(outcomes):
    answered = sum(one.kind == "answered" for one in outcomes)
    assert answered >= 0.9 * len(outcomes)


def test_what_is_not_answered_is_refused_aloud(outcomes):
    other = [one for one in outcomes if one.kind == "other" and KNOWN not in one.scenario.group]
    assert not [(one.scenario.query, one.why) for one in other]


def test_the_guard_lets_reading_through_and_no_writing(suite):
    assert len(refused_by_guard(suite)) <= 5
    writing = {one.query for one in suite if one.writes and not one.procedures}
    writing |= {text for one in suite for text in one.setup}
    assert len(writing) > 600
    for query in writing:
        with pytest.raises(Refused):
            check(query, "neo4j")


def test_a_wrong_answer_is_no_answer(suite):
    """The measure can fail: a value, a column, a row and an order that are not due."""
    one = next(s for s in suite if s.reads and s.ordered and len(s.rows) > 1 and s.columns)
    rows = [[parsed(cell) for cell in row] for row in one.rows]
    columns = list(one.columns)
    assert difference(one, Rows(columns, rows[:-1], False))
    assert difference(one, Rows(["x"], rows, False))
    assert comparable([1, 1.0, None, "a", {"b": True}]) == parsed("[1, 1.0, null, 'a', {b: true}]")
    assert comparable(1) != parsed("1.0")
    assert parsed("(:A:B {a: 1})") != parsed("(:A {a: 1})")
    assert parsed("<(:A)-[:T]->(:B)>") != parsed("<(:A)<-[:T]-(:B)>")
    assert parsed("'P14DT16H'") == parsed("'P2WT16H'")
