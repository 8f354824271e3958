"""RDF files to triples: every common format, streamed, checked, and the same in any order."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Protocol

import pyoxigraph as ox

from trefoil.data.compression import open_bytes
from trefoil.data.errors import GraphDataError
from trefoil.data.report import Quarantined
from trefoil.kg.triples.blank_nodes import name_blanks
from trefoil.kg.triples.lines import broken_share, read_lines
from trefoil.kg.triples.ntriples import WRITTEN, Statements, TooLong
from trefoil.kg.triples.safety import Guarded, Limits, checked_json, turtle_check, xml_check
from trefoil.kg.triples.selection import Selection, merge_same, select
from trefoil.kg.triples.triples import Columns, Triples, assemble

FORMATS = {
    ".nt": ox.RdfFormat.N_TRIPLES,
    ".nq": ox.RdfFormat.N_QUADS,
    ".ttl": ox.RdfFormat.TURTLE,
    ".turtle": ox.RdfFormat.TURTLE,
    ".trig": ox.RdfFormat.TRIG,
    ".rdf": ox.RdfFormat.RDF_XML,
    ".xml": ox.RdfFormat.RDF_XML,
    ".owl": ox.RdfFormat.RDF_XML,
    ".jsonld": ox.RdfFormat.JSON_LD,
    ".json": ox.RdfFormat.JSON_LD,
    ".n3": ox.RdfFormat.N3,
}
_BY_LINE = (ox.RdfFormat.N_TRIPLES, ox.RdfFormat.N_QUADS)
_BATCH, _BATCH_BYTES = 500, 16 << 20  # statements written at a time, text handed on at a time

Paths = Path | str | Sequence[Path | str]


class Source(Protocol):
    """Bytes that are read piece by piece."""

    def read(self, size: int = -1) -> bytes: ...


def read_triples(
    paths: Paths,
    *,
    selection: Selection | None = None,
    same_as: bool = False,
    base: str | None = None,
    limits: Limits | None = None,
    max_bad_share: float = 0.01,
) -> Triples:
    """Every statement of some RDF files or folders of them, plain, .gz or .zst.

    The format is known by the suffix: .nt, .nq, .ttl, .trig, .rdf, .xml, .owl,
    .jsonld, .json, .n3. ``same_as`` merges entities that ``owl:sameAs`` joins;
    ``base`` resolves relative IRIs. Statements of named graphs join the others,
    and are counted. Nothing is ever fetched.

    Raises GraphDataError, with file and line, for bad syntax, for what
    ``kg.triples.safety`` refuses, and where more than ``max_bad_share`` of the lines
    of an N-Triples or N-Quads file are broken; fewer are set aside.
    """
    limits = limits or Limits()
    into = Statements(limits.literal, limits.iri)
    bad: list[Quarantined] = []
    for scope, path in enumerate(files_of(paths)):
        with open_bytes(path, GraphDataError) as stream:
            form, name = format_of(path), str(path)
            if form in _BY_LINE:
                lines, broken = read_lines(
                    stream, form, into, name=name, scope=str(scope), limits=limits
                )
                broken_share(broken, lines, max_bad_share)
                bad += broken
            else:
                source = _guarded(path, stream, form, limits)
                _read_parsed(source, form, into, path, str(scope), base)
    return finish(into, selection=selection, same_as=same_as, quarantined=bad)


def finish(
    into: Statements,
    *,
    selection: Selection | None = None,
    same_as: bool = False,
    quarantined: Sequence[Quarantined] = (),
) -> Triples:
    """Statements as read to triples: blank nodes named, selected, merged, numbered, sorted."""
    columns = name_blanks(Columns(*into.columns()))
    tally, aliases = Counter(into.notes), {}
    if same_as:
        columns, aliases = merge_same(columns, tally)
    if selection is not None:
        columns = select(columns, selection, tally)
    order = sorted(quarantined, key=lambda one: (one.file, one.line))
    return assemble(columns, aliases=aliases, counts=tally, quarantined=order)


def files_of(paths: Paths, suffixes: Iterable[str] = tuple(FORMATS)) -> list[Path]:
    """The files meant: those named, and those of a known kind in the folders named."""
    known, found = set(suffixes), []
    for path in map(Path, [paths] if isinstance(paths, (str, Path)) else paths):
        if not path.is_dir():
            found.append(path)
            continue
        inside = [p for p in sorted(path.rglob("*")) if p.is_file() and suffix_of(p) in known]
        if not inside:
            raise GraphDataError(f"{path}: no file in this folder ends in {', '.join(known)}")
        found += inside
    if not found:
        raise GraphDataError("no graph file is named")
    return found


def suffix_of(path: Path) -> str:
    """The suffix that tells the format: ``.nt`` of ``a.nt.gz``."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] in (".gz", ".zst"):
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def format_of(path: Path) -> ox.RdfFormat:
    """Raises GraphDataError where the suffix tells no RDF format."""
    form = FORMATS.get(suffix_of(path))
    if form is None:
        raise GraphDataError(
            f"{path}: no RDF format known by this name; use {', '.join(FORMATS)}, "
            "plain or with .gz or .zst"
        )
    return form


def _guarded(path: Path, stream: IO[bytes], form: ox.RdfFormat, limits: Limits) -> Source:
    name = str(path)
    if form == ox.RdfFormat.JSON_LD:
        return _Whole(checked_json(name, stream, limits))
    if form == ox.RdfFormat.RDF_XML:
        return Guarded(stream, xml_check(name, limits))
    return Guarded(stream, turtle_check(name, limits, lambda: open_bytes(path, GraphDataError)))


class _Whole:
    """A document in memory, read like a stream."""

    def __init__(self, content: bytes) -> None:
        self._content, self.position = content, 0

    def read(self, size: int = -1) -> bytes:
        end = len(self._content) if size < 0 else self.position + size
        out = self._content[self.position : end]
        self.position += len(out)
        return out


def _read_parsed(
    source: Source,
    form: ox.RdfFormat,
    into: Statements,
    path: Path,
    scope: str,
    base: str | None,
) -> None:
    """Parsed statements are written out as N-Quads text again: text is what columns are cut from.

    It costs a tenth of the parse; an object per term costs twice the parse.
    """
    quoted = form == ox.RdfFormat.N3  # a formula is quoted, not said
    try:
        parser = ox.parse(source, format=form, base_iri=base)  # type: ignore[arg-type]
        while text := _written(parser):
            lost = ~into.add(text, grammar=WRITTEN, scope=scope, named=not quoted)
            into.notes["with a triple term, left out"] += int(lost.sum())
    except SyntaxError as fault:
        place = f", line {fault.lineno}, column {fault.offset}" if fault.lineno else ""
        raise GraphDataError(f"{path}{place}: {fault.args[0]}; mend the file") from None
    except TooLong as fault:
        _, what, size, limit, text = fault.args
        raise GraphDataError(
            f"{path}{_found(path, text)}: {what} of {size} bytes ({text[:40]}...); "
            f"the limit is {limit}; shorten it, or raise the limit"
        ) from None
    except MemoryError as fault:
        raise GraphDataError(f"{path}: a token is too long for the parser ({fault})") from None


def _written(parser: Iterator[ox.Quad]) -> bytes:
    """The next statements as N-Quads, about so many bytes; empty at the end."""
    parts, size = [], 0
    while size < _BATCH_BYTES:
        text = ox.serialize(itertools.islice(parser, _BATCH), format=ox.RdfFormat.N_QUADS)
        if not text:
            break
        parts.append(text)
        size += len(text)
    return b"".join(parts)


def _found(path: Path, text: str) -> str:
    """The line where a term begins, looked for by its first characters."""
    piece = text.lstrip('"<')[:200].split("\\")[0].encode()
    short, lines, rest = piece[-60:], 0, b""
    with open_bytes(path, GraphDataError) as stream:
        while chunk := stream.read(1 << 20):
            data = rest + chunk
            at = data.find(short) if short else -1
            if at >= 0:
                line = lines + data.count(b"\n", 0, at) + 1
                return f", line {line}"
            rest = data[-len(short) :]
            lines += data.count(b"\n", 0, len(data) - len(rest))
    return ""
