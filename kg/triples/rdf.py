"""RDF files to triples: every common format, streamed, checked, and the same in any order."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pyoxigraph as ox

from trefoil.data.compression import PACKED, members_of, open_bytes, unpacked_suffix
from trefoil.data.errors import GraphDataError
from trefoil.data.given import path_of
from trefoil.data.report import Quarantined
from trefoil.kg.triples.blank_nodes import name_blanks
from trefoil.kg.triples.foreign import foreign_suffix, refuse_foreign
from trefoil.kg.triples.jsonld import Contexts, checked_json
from trefoil.kg.triples.lines import broken_share, read_lines
from trefoil.kg.triples.ntriples import Statements
from trefoil.kg.triples.parsed import Document, read_parsed
from trefoil.kg.triples.rdf_xml import Recoded, xml_check
from trefoil.kg.triples.safety import Guarded, Limits, Source, turtle_check
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
_HEAD = 4096  # bytes that tell what a file really is

Paths = Path | str | Sequence[Path | str]


def read_triples(
    paths: Paths,
    *,
    selection: Selection | None = None,
    same_as: bool = False,
    base: str | None = None,
    contexts: Mapping[str, Path | str] | None = None,
    limits: Limits | None = None,
    max_bad_share: float = 0.01,
) -> Triples:
    """Every statement of some RDF files or folders of them, plain, packed or in zip archives.

    The format is known by the suffix: .nt, .nq, .ttl, .trig, .rdf, .xml, .owl,
    .jsonld, .json, .n3, before .gz, .zst, .bz2, .xz or .zip. ``same_as`` merges entities
    that ``owl:sameAs`` joins; ``base`` resolves relative IRIs, else the place of each
    file does. ``contexts`` are local files for contexts that JSON-LD names by address;
    those of ``kg.triples.contexts`` are known. Statements of named graphs join the
    others, and are counted. Nothing is ever fetched.

    Raises GraphDataError, with file and line, for bad syntax, for what
    ``kg.triples.safety`` refuses, and where more than ``max_bad_share`` of the statements
    (lines of N-Triples or N-Quads) are broken; fewer are set aside. Beyond N-Triples and
    N-Quads a statement is broken where an IRI in it is none, and all else stops.
    """
    limits = limits or Limits()
    known = Contexts(contexts or {}, limits)
    into = Statements(limits.literal, limits.iri)
    bad: list[Quarantined] = []
    for scope, path in enumerate(files_of(paths)):
        form = _form_of(path)
        if form in _BY_LINE:
            before = len(into)
            with open_bytes(path, GraphDataError) as stream:
                lines, broken = read_lines(
                    stream, form, into, name=str(path), scope=str(scope), limits=limits
                )
            broken_share(broken, lines, max_bad_share, good=len(into) - before)
        else:
            document = Document(
                path,
                form,
                base or path.absolute().as_uri(),
                str(scope),
                partial(_guarded, path, form, limits, known),
            )
            broken = read_parsed(document, into, max_bad_share)
        bad += broken
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
    """The files meant: those named, and those of a known kind in the folders and archives named.

    A file in a zip archive is ``a.zip/name``.
    """
    known, found = set(suffixes), []
    named = paths if isinstance(paths, Iterable) and not isinstance(paths, str) else [paths]
    for path in [path_of("paths", one) for one in named]:
        archive = path.suffix.lower() == ".zip" and path.is_file()
        archive = archive and unpacked_suffix(path) not in known  # a.ttl.zip is one file
        if not archive and not path.is_dir():
            found.append(path)
            continue
        files = members_of(path, GraphDataError) if archive else sorted(path.rglob("*"))
        inside = [p for p in files if unpacked_suffix(p) in known and (archive or p.is_file())]
        if not inside:
            what = "archive" if archive else "folder"
            raise GraphDataError(f"{path}: no file in this {what} ends in {', '.join(known)}")
        found += inside
    if not found:
        raise GraphDataError("no graph file is named")
    return found


def _form_of(path: Path) -> ox.RdfFormat:
    """The format by the suffix, mended by the first bytes where they tell it better.

    Raises GraphDataError where the suffix tells no RDF format, and for what is no RDF.
    """
    form = FORMATS.get(unpacked_suffix(path))
    if (known := foreign_suffix(unpacked_suffix(path))) is not None:
        raise GraphDataError(f"{path}: {known}")
    if form is None:
        raise GraphDataError(
            f"{path}: no RDF format known by this name; use {', '.join(FORMATS)}, "
            f"plain or with {', '.join(PACKED)}"
        )
    with open_bytes(path, GraphDataError) as stream:
        head = stream.read(_HEAD).removeprefix(b"\xef\xbb\xbf")
    refuse_foreign(path, head)
    if form == ox.RdfFormat.RDF_XML and _TURTLE.match(head):
        return ox.RdfFormat.TURTLE  # many an .owl is written so
    return form


_TURTLE = re.compile(rb"(?:\s|#[^\n]*\n)*(?:@prefix|@base|prefix\s|base\s)", re.I)


@contextmanager
def _guarded(
    path: Path, form: ox.RdfFormat, limits: Limits, contexts: Contexts
) -> Iterator[Source]:
    """The bytes of a file, each checked before the parser sees it."""
    name = str(path)
    with open_bytes(path, GraphDataError) as stream:
        if form == ox.RdfFormat.JSON_LD:
            yield io.BytesIO(checked_json(name, stream, limits, contexts))
        elif form == ox.RdfFormat.RDF_XML:
            yield Guarded(Recoded(name, stream), xml_check(name, limits))
        else:
            check = turtle_check(name, limits, lambda: open_bytes(path, GraphDataError))
            yield Guarded(stream, check)
