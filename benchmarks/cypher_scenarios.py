"""The openCypher suite (Gherkin files) as scenarios: graph, statement, and the answer that is due.

Only the part of Gherkin is read that the suite uses. Scenario outlines become one
scenario for each row of their examples.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

_STEP = re.compile(r"(Given|When|Then|And|But) (.*)")
_WRITES = re.compile(r"\b(create|merge|set|delete|remove|foreach)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Scenario:
    """One question of the suite; ``columns`` is None where an error is due."""

    name: str
    group: str  # the folder of its file: clauses/match, expressions/list, ...
    graph: str = ""  # a named graph, where the scenario starts from one
    setup: tuple[str, ...] = ()
    parameters: tuple[tuple[str, str], ...] = ()
    query: str = ""
    columns: tuple[str, ...] | None = None
    rows: tuple[tuple[str, ...], ...] = ()
    ordered: bool = False
    lists_ordered: bool = True
    error: bool = False
    side_effects: bool = False
    procedures: bool = False

    @property
    def reads(self) -> bool:
        """It only reads, and an answer is due."""
        return self.columns is not None and not (
            self.side_effects or self.procedures or self.error or self.writes
        )

    @property
    def writes(self) -> bool:
        """Its statement has a writing clause."""
        return writes(self.query)


def writes(statement: str) -> bool:
    """Whether a statement has a writing clause."""
    return _WRITES.search(re.sub(r"'[^']*'|\"[^\"]*\"|`[^`]*`", "", statement)) is not None


@dataclass
class _Step:
    text: str
    block: list[str] = field(default_factory=list)  # lines between triple quotes
    table: list[list[str]] = field(default_factory=list)


def scenarios(archive: Path) -> list[Scenario]:
    """All scenarios of a zip of feature files, in order of file."""
    with zipfile.ZipFile(archive) as files:
        names = sorted(name for name in files.namelist() if name.endswith(".feature"))
        return [
            scenario
            for name in names
            for scenario in _of_file(name, files.read(name).decode("utf-8"))
        ]


def _of_file(name: str, text: str) -> Iterator[Scenario]:
    group = "/".join(Path(name).parts[-3:-1])
    background: list[_Step] = []
    title, steps, outline, examples = "", [], False, []
    for kind, words, found in _parts(text):
        if kind == "Background":
            background = found
        elif kind == "Examples":
            examples += [
                dict(zip(found[0].table[0], row, strict=True)) for row in found[0].table[1:]
            ]
        else:
            yield from _filled(group, title, steps, outline, examples)
            title, outline, examples = f"{Path(name).stem} {words}", "Outline" in kind, []
            steps = background + found
    yield from _filled(group, title, steps, outline, examples)


def _parts(text: str) -> Iterator[tuple[str, str, list[_Step]]]:
    """Each block of a file: its kind, the words behind the colon, its steps."""
    kind, words, steps, quoted = "", "", [], False
    for line in text.splitlines():
        bare = line.strip()
        if bare == '"""':
            quoted = not quoted
        elif quoted:
            steps[-1].block.append(line)
        elif begun := re.match(
            r"(Background|Scenario Outline|Scenario|Examples|Feature):(.*)", bare
        ):
            if kind in ("Background", "Scenario", "Scenario Outline", "Examples"):
                yield kind, words, steps
            kind, words = begun[1], begun[2].strip()
            steps = [_Step("")] if kind == "Examples" else []
        elif bare.startswith("|"):
            cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", bare)[1:-1]]
            steps[-1].table.append([re.sub(r"\\([|\\])", r"\1", cell) for cell in cells])
        elif step := _STEP.match(bare):
            steps.append(_Step(step[2]))
    yield kind, words, steps


def _filled(
    group: str, title: str, steps: list[_Step], outline: bool, examples: list[dict[str, str]]
) -> Iterator[Scenario]:
    if not steps:
        return
    for number, values in enumerate(examples if outline else [{}]):
        name = f"{title} #{number + 1}" if outline else title
        yield _scenario(Scenario(name, group), [_with(step, values) for step in steps])


def _with(step: _Step, values: dict[str, str]) -> _Step:
    def put(text: str) -> str:
        for name, value in values.items():
            text = text.replace(f"<{name}>", value)
        return text

    table = [[put(cell) for cell in row] for row in step.table]
    return _Step(put(step.text), [put(line) for line in step.block], table)


def _scenario(found: Scenario, steps: list[_Step]) -> Scenario:
    for step in steps:
        text, block = step.text, "\n".join(step.block)
        if text.endswith(" graph") and text.startswith("the "):
            found = replace(found, graph=text.split()[1])
        elif text.startswith("having executed"):
            found = replace(found, setup=(*found.setup, block))
        elif text.startswith("parameters are"):
            found = replace(found, parameters=tuple((row[0], row[1]) for row in step.table))
        elif text.startswith("there exists a procedure"):
            found = replace(found, procedures=True)
        elif text.startswith("executing query"):
            found = replace(found, query=block)
        elif text.startswith("executing control query"):
            return found  # what follows is about another statement
        elif text.startswith("the result should be"):
            found = _due(found, text, step.table)
        elif "should be raised" in text:
            found = replace(found, error=True)
        elif text.startswith("the side effects should be"):
            found = replace(found, side_effects=True)
    return found


def _due(found: Scenario, text: str, table: list[list[str]]) -> Scenario:
    return replace(
        found,
        columns=tuple(table[0]) if table else (),
        rows=tuple(tuple(row) for row in table[1:]),
        ordered="in order" in text,
        lists_ordered="ignoring element order" not in text,
    )
