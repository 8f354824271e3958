"""Formats beyond lines by the parser: statements written out as N-Quads, bad IRIs set aside."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

import pyoxigraph as ox

from trefoil.data.compression import open_bytes
from trefoil.data.errors import GraphDataError
from trefoil.data.report import Quarantined
from trefoil.kg.triples.lines import Lines, broken_share
from trefoil.kg.triples.ntriples import WRITTEN, Statements, TooLong
from trefoil.kg.triples.safety import Source

_BATCH, _BATCH_BYTES = 500, 16 << 20  # statements written at a time, text handed on at a time
_LOOKED_FOR = 100  # bad statements whose line is looked for


@dataclass(frozen=True)
class Document:
    """One file in a format that is not line by line.

    ``opened`` gives its bytes from the start, checked; ``base`` resolves relative IRIs;
    ``scope`` keeps its blank nodes from those of other files.
    """

    path: Path
    form: ox.RdfFormat
    base: str
    scope: str
    opened: Callable[[], AbstractContextManager[Source]]

    @property
    def quoted(self) -> bool:
        """Whether statements of named graphs are quoted, not said: formulas of N3."""
        return self.form == ox.RdfFormat.N3

    def statements(self, source: Source, *, lenient: bool = False) -> Iterator[ox.Quad]:
        said: Iterator[ox.Quad] = ox.parse(  # type: ignore[assignment]
            source,  # type: ignore[arg-type]
            format=self.form,
            base_iri=self.base,
            lenient=lenient,
        )
        return _without_variables(said) if self.quoted else said


def _without_variables(parser: Iterator[ox.Quad]) -> Iterator[ox.Quad]:
    """Statements of N3 but for those of rules, which say nothing of anyone."""
    while True:
        try:
            yield next(parser)
        except StopIteration:
            return
        except SyntaxError as fault:
            if not str(fault.args[0]).startswith("variables are not allowed"):
                raise


def read_parsed(document: Document, into: Statements, max_bad_share: float) -> list[Quarantined]:
    """Take every statement of a document; returns those set aside for a bad IRI.

    Parsed statements are written out as N-Quads text again: text is what columns are
    cut from. It costs a tenth of the parse; an object per term costs twice the parse.
    Where the parser objects, a second pass that leaves IRIs unchecked tells whether
    only IRIs were at fault. Raises GraphDataError, with line where it is known.
    """
    path, mark = document.path, into.mark()
    try:
        try:
            if document.form == ox.RdfFormat.JSON_LD:  # its parser drops bad IRIs without a word
                return _read_leniently(document, into, None, max_bad_share)
            _read(document, into)
            return []
        except SyntaxError as fault:
            into.rewind(mark)
            return _read_leniently(document, into, fault, max_bad_share)
    except TooLong as fault:
        _, what, size, limit, text = fault.args
        raise GraphDataError(
            f"{path}{_found(path, text)}: {what} of {size} bytes ({text[:40]}...); "
            f"the limit is {limit}; shorten it, or raise the limit"
        ) from None
    except MemoryError as fault:
        raise GraphDataError(f"{path}: a token is too long for the parser ({fault})") from None


def _read(document: Document, into: Statements) -> None:
    with document.opened() as source:
        parser = document.statements(source)
        while text := _written(parser):
            lost = ~into.add(text, grammar=WRITTEN, scope=document.scope, named=not document.quoted)
            into.notes["with a triple term, left out"] += int(lost.sum())


def _read_leniently(
    document: Document, into: Statements, fault: SyntaxError | None, max_bad_share: float
) -> list[Quarantined]:
    """The statements without bad IRIs; raises the first fault where IRIs were not all of it."""
    path, before, lines = document.path, len(into), 0
    bad: list[Quarantined] = []
    try:
        with document.opened() as source:
            parser = document.statements(source, lenient=True)
            while text := _written(parser):
                if document.form == ox.RdfFormat.RDF_XML:  # xml:lang="" ends a language around it
                    text, ended = _NO_LANGUAGE.subn(b'" .\n', text)
                    fault = None if ended else fault
                taken = Lines(text, str(path), lines).take(
                    ox.RdfFormat.N_QUADS, into, document.scope, named=not document.quoted
                )
                lines, bad = lines + taken[0], bad + taken[1]
    except SyntaxError as other:
        fault, bad = fault or other, []
    if fault is not None and not bad:
        place = f", line {fault.lineno}, column {fault.offset}" if fault.lineno else ""
        text, remedy = _remedy(str(fault.args[0]))
        place = place or _found(path, text)
        raise GraphDataError(f"{path}{place}: {fault.args[0]}; {remedy}") from None
    bad = [*_placed(bad[:_LOOKED_FOR], path), *bad[_LOOKED_FOR:]]
    broken_share(bad, lines, max_bad_share, good=len(into) - before)
    return bad


_NO_LANGUAGE = re.compile(rb'"@ \.\n')
_UNKNOWN_PREFIX = re.compile(r"Unknown prefix (.+:)$")


def _remedy(fault: str) -> tuple[str, str]:
    """What to look for in the file, where its parser names no line, and what to do."""
    if "namespaces are required" in fault:
        return "", "write elements and attributes with their prefix, such as rdf:about"
    if fault.endswith("rdf-syntax-ns#RDF"):
        return "RDF ", "rdf:RDF stands inside another element; save it alone"
    if prefix := _UNKNOWN_PREFIX.match(fault):
        return prefix[1], f'declare it: xmlns:{prefix[1][:-1]}="..."'
    return "", "mend the file"


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


def _placed(bad: list[Quarantined], path: Path) -> Iterator[Quarantined]:
    """Statements with the line of the file where their bad IRI is written; 0 where none is found.

    A relative IRI is looked for as a whole, then by what follows its last ``/`` or ``#``.
    """
    iris = [next(filter(_is_bad, _IRI.findall(str(one.row))), "") for one in bad]
    whole = _lines_of(path, [iri.encode() for iri in iris])
    parts = _lines_of(path, [re.split(r"[/#]", iri)[-1].encode() for iri in iris])
    for one, line, part in zip(bad, whole, parts, strict=True):
        yield replace(one, line=line or part)


_IRI = re.compile(r"<([^<>]*)>")


def _is_bad(iri: str) -> bool:
    try:
        ox.NamedNode(iri)
    except ValueError:
        return True
    return False


def _found(path: Path, text: str) -> str:
    """Where a term begins, looked for by its first characters."""
    piece = text.lstrip('"<')[:200].split("\\")[0].encode()
    (line,) = _lines_of(path, [piece[-60:]])
    return f", line {line}" if line else ""


def _lines_of(path: Path, pieces: list[bytes]) -> list[int]:
    """The first line of a file on which each piece occurs; 0 where it does not."""
    found, lines, rest = [0] * len(pieces), 0, b""
    longest = max(map(len, pieces), default=0)
    with open_bytes(path, GraphDataError) as stream:
        while chunk := stream.read(1 << 20):
            data = rest + chunk
            for number, piece in enumerate(pieces):
                at = data.find(piece) if piece and not found[number] else -1
                if at >= 0:
                    found[number] = lines + data.count(b"\n", 0, at) + 1
            rest = data[-longest:]
            lines += data.count(b"\n", 0, len(data) - len(rest))
    return found
