"""What ``dataset.toml`` may say, and where a line of it is wrong."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    FiniteFloat,
    NonNegativeInt,
    ValidationError,
)

from trefoil.data.errors import ConfigError
from trefoil.data.readers.tables import FileForm
from trefoil.data.refusals import explain, place_of

FILE = "dataset.toml"


def _listed(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def _numbered(value: object) -> object:
    """Columns without a header are called 1, 2 and so on; a bare number names one too."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Column = Annotated[str, BeforeValidator(_numbered)]
Names = Annotated[tuple[Column, ...], BeforeValidator(_listed)]


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TablePart(Part):
    """A file of rows, and how it is written where its suffix does not say; or a query.

    ``query`` is asked of the server ``neo4j``, without it of the one that another
    section names. Each column that it returns is one of the table.
    """

    file: str | None = None
    neo4j: str | None = None
    database: str | None = None
    query: str | None = None
    delimiter: Annotated[str, Field(min_length=1)] | None = None
    encoding: str | None = None
    header: bool = True
    columns: tuple[str, ...] = ()

    def form(self) -> FileForm:
        return FileForm(self.delimiter, self.encoding, self.header, self.columns)


class InteractionsPart(TablePart):
    user: Column
    item: Column
    rating: Column | None = None
    positive_from: FiniteFloat | None = None  # lower ratings are no positives
    time: Column | None = None
    time_format: str | None = None  # as strftime has it: "%d/%m/%Y %H:%M"
    time_unit: Literal["s", "ms", "us", "ns"] = "s"
    behaviour: Column | None = None  # kind of event: view, cart, buy
    target: Names = ()  # kinds that count as positives; without it all do
    interest: Names = ()  # other kinds that are learned from as well, and not asked for
    scenario: Names = ()
    split: Column | None = None  # train, valid or test
    pseudonyms: str | None = None  # "env:NAME": a key by which users are called other names


class EntitiesPart(TablePart):
    id: Column
    title: Column | None = None
    text: Names = ()
    category: Names = ()
    separator: str | None = None  # between the values of a category; "|" unless named
    numeric: Names = ()
    score: Names = ()  # another name for numeric


class GraphPart(Part):
    files: Names = ()
    neo4j: str | None = None
    database: str | None = None
    labels: Names = ()  # of nodes to read; without it all
    relationships: Names = ()  # types to read; without it all
    properties: Names = ()  # to read; without it all
    keys: dict[str, str] = {}  # the property of a label's ids; without it a unique one
    link: str | None = None
    iri: str | None = None  # "urn:item:{id}", of a server "{id}"
    names: dict[str, str] = {}
    languages: Names = ("en", "")
    allow: Names = ()
    deny: Names = ()
    same_as: bool = False
    base: str | None = None  # for relative IRIs; without it, the place of each file
    contexts: dict[str, str] = {}  # files for contexts that JSON-LD names by address
    title: Names = ()  # predicates that name nodes before all others


class CorpusPart(TablePart):
    """Texts that are learned beside the recommendations; a label or a number, or both."""

    text: Names
    label: Column | None = None  # a class
    number: Column | None = None


class SplitPart(Part):
    by: Literal["time", "ratio", "leave-one-out", "given", "rows"]
    valid: float = 0.1
    test: float = 0.1
    repeats: bool = False
    negatives: NonNegativeInt = 0  # items drawn for each case, among which it is ranked; 0: all


class Description(Part):
    """What ``dataset.toml`` may say; all but ``interactions`` is optional."""

    name: str | None = None
    licence: str | None = None
    max_bad_share: Annotated[float, Field(ge=0, le=1)] | None = None  # of the rows of a table
    missing_ids: Names | None = None  # words that are no id, instead of None, nan, NULL, ...
    interactions: InteractionsPart
    items: EntitiesPart | None = None
    users: EntitiesPart | None = None
    graph: GraphPart | None = None
    corpus: CorpusPart | None = None
    split: SplitPart | None = None


def read_description(path: Path) -> Description:
    """``dataset.toml``, checked. Raises ConfigError with line, key and the nearest key.

    A key that changes nothing is refused, as an unknown one is.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
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
        told = Description.model_validate(content)
    except ValidationError as fault:
        raise ConfigError(_told(fault, path, text)) from None
    for section, key, why in _idle(told):
        raise ConfigError(f"{_place(path, text, section, key)}{key} changes nothing {why}")
    return told


def _idle(told: Description) -> Iterator[tuple[str, str, str]]:
    """Section, key and reason of every key that is written and changes nothing."""
    files = {"interactions": told.interactions, "items": told.items, "users": told.users}
    files |= {"corpus": told.corpus}
    for section, part in files.items():
        if part is not None:
            idle = _idle_form(part) if part.query is None else _idle_query(part)
            yield from ((section, key, why) for key, why in idle)
    if told.graph is not None:
        yield from (("graph", key, why) for key, why in _idle_graph(told.graph))
    if told.split is not None:
        unused = {"leave-one-out": ("valid", "test"), "given": ("test",), "rows": ("repeats",)}
        for key in unused.get(told.split.by, ()):
            if key in told.split.model_fields_set:
                yield "split", key, f"where by = {told.split.by!r}; leave it away"


def _idle_query(part: TablePart) -> Iterator[tuple[str, str]]:
    for key in ("file", "delimiter", "encoding", "header", "columns"):
        if key in part.model_fields_set:
            yield key, "beside query; leave one of them away"


def _idle_form(part: TablePart) -> Iterator[tuple[str, str]]:
    written = part.model_fields_set
    for key in ("neo4j", "database"):
        if key in written:
            yield key, "without query, the statement whose rows are the table"
    file = (part.file or "").lower()
    kind = next((k for k in (".parquet", ".jsonl") if k in file), None)
    unused: dict[str, tuple[str, ...]] = {
        ".parquet": ("delimiter", "encoding", "header", "columns"),
        ".jsonl": ("delimiter", "header", "columns"),
    }
    for key in unused.get(kind or "", ()):
        if key in written:
            yield key, f"in a {kind} file; leave it away"
    if part.header and part.columns:
        yield "columns", "while the first line names the columns; add header = false"


def _idle_graph(part: GraphPart) -> Iterator[tuple[str, str]]:
    written = part.model_fields_set
    if part.link is not None and "iri" in written:
        yield "iri", "beside link, which names the entities; keep one of them"
    if part.neo4j is not None:
        for key in ("names", "languages", "same_as"):
            if key in written:
                yield key, "for a graph of a server; leave it away"
        if part.allow and part.relationships:
            yield "allow", "beside relationships, which says the same; keep one of them"
    else:
        for key in ("database", "labels", "relationships", "properties", "keys"):
            if key in written:
                yield key, "without neo4j, the address of a server; leave it away"


def _told(fault: ValidationError, path: Path, text: str) -> str:
    """The first fault, in words: where, what and what instead."""
    first, *rest = place_of(fault)
    section, key = (first, rest[0]) if rest and first in _SECTIONS else ("", first)
    return _place(path, text, section, key) + explain(fault, Description, "key", key)


_SECTIONS = ("interactions", "items", "users", "graph", "corpus", "split")


def _place(path: Path, text: str, section: str, key: str) -> str:
    line = _line(text, section, key)
    return f"{path}{f', line {line}' if line else ''}: {f'[{section}] ' if section else ''}"


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
