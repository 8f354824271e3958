"""A folder with a ``dataset.toml`` to the tables it names."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from data.assemble import Tables
from data.dataset import GraphSource, SplitRule
from data.entities import EntityColumns
from data.errors import ConfigError, GraphDataError
from data.events import EventColumns
from data.suggest import closest
from data.tables import Table, read_table

FILE = "dataset.toml"


def _listed(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_listed)]


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class InteractionsPart(Part):
    file: str
    user: str
    item: str
    rating: str | None = None
    positive_from: float | None = None
    time: str | None = None
    behaviour: str | None = None
    scenario: Names = ()
    split: str | None = None


class EntitiesPart(Part):
    file: str
    id: str
    title: str | None = None
    text: Names = ()
    category: Names = ()
    separator: str = "|"
    score: Names = ()


class GraphPart(Part):
    files: Names = ()
    neo4j: str | None = None
    link: str | None = None
    iri: str = "urn:item:{id}"
    names: dict[str, str] = {}
    languages: Names = ("en", "")
    allow: Names = ()
    deny: Names = ()
    same_as: bool = False


class SplitPart(Part):
    by: Literal["time", "ratio", "leave-one-out", "given", "rows"]
    valid: float = 0.1
    test: float = 0.1
    repeats: bool = False


class Description(Part):
    """What ``dataset.toml`` may say; the guide explains every key."""

    name: str | None = None
    licence: str | None = None
    interactions: InteractionsPart
    items: EntitiesPart | None = None
    users: EntitiesPart | None = None
    graph: GraphPart | None = None
    split: SplitPart | None = None


def read_folder(folder: Path) -> tuple[Description, Tables, SplitRule]:
    """The description, the tables and the split rule of a folder.

    Without ``[split]``, a split column is used as given; else events with a time
    are split by time, others by ratio. Raises ConfigError and DataError.
    """
    path = folder / FILE
    told = read_description(path)
    events, items, users = told.interactions, told.items, told.users
    if events.positive_from is not None and events.rating is None:
        raise ConfigError(f"{path}: [interactions] positive_from needs rating, the stars' column")
    columns = EventColumns(
        events.user, events.item, events.rating, events.positive_from, events.time,
        events.behaviour, events.scenario, events.split,
    )  # fmt: skip
    tables = Tables(
        read_table(folder / events.file),
        columns,
        None if items is None else read_table(folder / items.file),
        None if items is None else _entity_columns(items),
        None if users is None else read_table(folder / users.file),
        None if users is None else _entity_columns(users),
        None if told.graph is None else _graph(told.graph, folder, path),
        _links(told, folder),
    )
    return told, tables, _rule(told, columns, path)


def default_rule(columns: EventColumns) -> SplitRule:
    """As given if there is a split column, else by time if there is a time, else by ratio."""
    if columns.split is not None:
        return SplitRule("given")
    return SplitRule("ratio" if columns.time is None else "time")


def read_description(path: Path) -> Description:
    """``dataset.toml``, checked. Raises ConfigError with line, key and the nearest key."""
    try:
        text = path.read_text(encoding="utf-8")
        content = tomllib.loads(text)
    except FileNotFoundError:
        raise ConfigError(f"{path.parent}: no {FILE}; it says which files mean what") from None
    except OSError as fault:
        raise ConfigError(f"{path}: cannot be read ({fault.strerror})") from None
    except UnicodeDecodeError as fault:
        raise ConfigError(f"{path}: not UTF-8 at byte {fault.start}; save it as UTF-8") from None
    except (tomllib.TOMLDecodeError, RecursionError) as fault:
        raise ConfigError(f"{path}: not TOML: {fault or 'nested too deeply'}") from None
    try:
        return Description.model_validate(content)
    except ValidationError as fault:
        raise ConfigError(_told(fault, path, text)) from None


def _told(fault: ValidationError, path: Path, text: str) -> str:
    """The first fault, in words: where, what and what instead."""
    error = fault.errors(include_url=False)[0]
    *sections, key = [str(one) for one in error["loc"]]
    section = sections[0] if sections else ""
    line = _line(text, section, key)
    where = f"{path}{f', line {line}' if line else ''}: {f'[{section}] ' if section else ''}"
    if error["type"] == "extra_forbidden":
        return f"{where}unknown key {key!r}; {closest(key, _keys(section))}"
    if error["type"] == "missing":
        return f"{where}{key!r} is missing; it is needed"
    return f"{where}{key!r} is {error['input']!r}: {error['msg'].lower()}"


def _keys(section: str) -> list[str]:
    parts = {
        "": Description,
        "interactions": InteractionsPart,
        "items": EntitiesPart,
        "users": EntitiesPart,
        "graph": GraphPart,
        "split": SplitPart,
    }
    return list(parts.get(section, Description).model_fields)


def _line(text: str, section: str, key: str) -> int | None:
    """The line where a key of a section is written, as far as plain reading can tell."""
    here = ""
    for number, line in enumerate(text.splitlines(), 1):
        header = re.match(r"\s*\[+\s*([^\]]+?)\s*\]", line)
        if header:
            here = header[1].strip("\"'")
            if not section and here == key:
                return number
        elif here == section and re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*[=.]", line):
            return number
    return None


def _entity_columns(part: EntitiesPart) -> EntityColumns:
    return EntityColumns(part.id, part.title, part.text, part.category, part.score, part.separator)


def _graph(part: GraphPart, folder: Path, path: Path) -> GraphSource:
    if part.files and part.neo4j is not None:
        raise ConfigError(f"{path}: [graph] names both files and neo4j; keep one of them")
    if not part.files and part.neo4j is None:
        raise ConfigError(f"{path}: [graph] names neither files nor neo4j; add one of them")
    if part.iri.count("{id}") != 1:
        raise ConfigError(f"{path}: [graph] iri is {part.iri!r}; it must hold {{id}} once")
    files = tuple(folder / name for name in part.files)
    for file in files:
        if not file.is_file():
            raise GraphDataError(f"{file}: no such graph file; mend [graph] files in {path}")
    return GraphSource(
        files, neo4j=part.neo4j, iri=part.iri, names=part.names, languages=part.languages,
        allow=part.allow, deny=part.deny, same_as=part.same_as,
    )  # fmt: skip


def _links(told: Description, folder: Path) -> Table | None:
    if told.graph is None or told.graph.link is None:
        return None
    return read_table(folder / told.graph.link)


def _rule(told: Description, columns: EventColumns, path: Path) -> SplitRule:
    part = told.split
    if part is None:
        return default_rule(columns)
    if part.by == "given" and columns.split is None:
        raise ConfigError(f"{path}: [split] by = 'given' needs [interactions] split, the column")
    if part.by in ("time", "leave-one-out") and columns.time is None:
        raise ConfigError(
            f"{path}: [split] by = {part.by!r} needs [interactions] time; name it, or use 'ratio'"
        )
    try:
        return SplitRule(part.by, part.valid, part.test, part.repeats)
    except ConfigError as fault:
        raise ConfigError(f"{path}: [split] {fault}") from None
