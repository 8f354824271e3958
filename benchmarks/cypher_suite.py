"""How much of the openCypher suite the embedded store answers, and what the guard refuses.

    python -m benchmarks.cypher_suite openCypher-tck.zip [--misses FILE]

A scenario is answered when the columns have the same names and the rows the same
values, through guard, dialect and engine. Errors by kind and side effects are not
compared. A graph is set up by the scenario's own statements.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import kglite
from rich.console import Console
from rich.table import Table

from benchmarks.cypher_scenarios import Scenario, scenarios
from benchmarks.cypher_values import comparable, parsed
from trefoil.data.errors import StoreError
from trefoil.kg.cypher.guard import check
from trefoil.kg.cypher.tokens import Refused
from trefoil.kg.stores.kglite.engine import Engine, Rows

SECONDS, ROWS = 10.0, 10_000


@dataclass(frozen=True)
class Outcome:
    """How a scenario went: answered, other, error, refused, or no graph; and why."""

    scenario: Scenario
    kind: str
    why: str = ""


def outcome(scenario: Scenario) -> Outcome:
    """What the embedded store makes of a scenario."""
    if scenario.graph and scenario.graph not in ("empty", "any"):
        return Outcome(scenario, "no graph", f"the suite's {scenario.graph} is not in the archive")
    engine = Engine(kglite.KnowledgeGraph())
    try:
        for statement in scenario.setup:
            engine.ask(check(statement, "kglite", write=True), limit=ROWS, timeout_s=SECONDS)
        checked = check(scenario.query, "kglite")
        given = {name: plain(parsed(value)) for name, value in scenario.parameters}
        found = engine.ask(checked, given, limit=ROWS, timeout_s=SECONDS)
    except Refused as fault:
        return Outcome(scenario, "refused", str(fault))
    except StoreError as fault:
        return Outcome(scenario, "error", str(fault))
    why = difference(scenario, found)
    return Outcome(scenario, "other" if why else "answered", why)


def difference(scenario: Scenario, found: Rows) -> str:
    """What is otherwise than the suite says; empty where nothing is."""
    if not scenario.columns and not found.rows:
        return ""
    columns = {_bare(name): k for k, name in enumerate(found.columns)}
    wanted = [_bare(name) for name in scenario.columns or ()]
    if sorted(columns) != sorted(wanted):
        return f"columns {found.columns} for {list(scenario.columns or ())}"

    def keyed(values: list[Any]) -> str:
        return repr(values if scenario.lists_ordered else [_loose(value) for value in values])

    due = [keyed([parsed(cell) for cell in row]) for row in scenario.rows]
    got = [keyed([comparable(row[columns[name]]) for name in wanted]) for row in found.rows]
    if not scenario.ordered:
        due, got = sorted(due), sorted(got)
    return "" if due == got else f"{got[:5]} for {due[:5]}"


def _bare(name: str) -> str:
    return "".join(name.replace("`", "").split())


def _loose(value: Any) -> Any:
    """Lists without their order."""
    if isinstance(value, tuple) and value[:1] == ("list",):
        return ("list", *sorted(map(_loose, value[1:]), key=repr))
    return value


def plain(value: Any) -> Any:
    """A parsed value as a parameter."""
    if not isinstance(value, tuple):
        return value
    if value[0] == "list":
        return [plain(part) for part in value[1:]]
    if value[0] == "map":
        return {name: plain(part) for name, part in value[1:]}
    return value[1] if len(value) == 2 else value


def refused_by_guard(found: Sequence[Scenario]) -> list[tuple[str, str]]:
    """Statements of reading scenarios that the guard for Neo4j refuses, each with its reason."""
    out = []
    for query in dict.fromkeys(one.query for one in found if one.reads):
        try:
            check(query, "neo4j")
        except Refused as fault:
            out.append((query, str(fault)))
    return out


def main(argv: Sequence[str] | None = None) -> int:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("archive", type=Path, help="the zip of feature files")
    p.add_argument("--misses", type=Path, help="write what was not answered, one JSON a line")
    p.add_argument("--group", default="", help="only groups that begin so")
    args = p.parse_args(argv)
    reading = [
        one for one in scenarios(args.archive) if one.reads and one.group.startswith(args.group)
    ]
    outcomes = [outcome(one) for one in reading]
    print_table(outcomes)
    if args.misses:
        lines = [
            json.dumps(
                [o.kind, o.scenario.group, o.scenario.name, o.scenario.query, o.why],
                ensure_ascii=False,
            )
            for o in outcomes
            if o.kind != "answered"
        ]
        args.misses.write_text("\n".join(lines), encoding="utf-8")
    refused = refused_by_guard(reading)
    distinct = len({one.query for one in reading})
    Console().print(f"the guard for Neo4j refuses {len(refused)} of {distinct} statements")
    return 0


def print_table(outcomes: Sequence[Outcome]) -> None:
    kinds = ("answered", "other", "error", "refused", "no graph")
    table = Table("group", "scenarios", *kinds, box=None)
    counted: dict[str, Counter[str]] = {}
    for one in outcomes:
        counted.setdefault(one.scenario.group, Counter())[one.kind] += 1
    counted["all"] = sum(counted.values(), Counter())
    for group, counts in counted.items():
        table.add_row(group, str(counts.total()), *(str(counts[kind]) for kind in kinds))
    Console().print(table)


if __name__ == "__main__":
    sys.exit(main())
