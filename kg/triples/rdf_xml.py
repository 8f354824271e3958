"""RDF/XML: any encoding as UTF-8, and what a document may not do before the parser sees it."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from typing import IO
from xml.parsers import expat

from trefoil.data.errors import GraphDataError
from trefoil.kg.triples.safety import CHUNK, Limits, Refuse, too_deep

_ENTITIES, _ENTITY_BYTES = 1000, 2048  # of a document, and of one when all in it is expanded
_GROWTH, _SMALL = 50, 8 << 20  # a larger document may not grow so many times by its entities
_MARKS = {
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
    b"<\0?\0": "utf-16-le",
    b"\0<\0?": "utf-16-be",
}
_DECLARED = re.compile(rb"""^(\s*<\?xml[^>]*?)\sencoding\s*=\s*["']([A-Za-z0-9._:\-]+)["']""")
_REFERENCE = re.compile(r"&([^\s;&#]+);")


class Recoded:
    """An XML document as UTF-8, whatever encoding its first bytes or its declaration name.

    A document type declaration that holds nothing but short internal entities is
    written anew from what was checked. Raises GraphDataError for any other, for an
    unknown encoding, and for bytes that are not of the encoding.
    """

    def __init__(self, name: str, stream: IO[bytes]) -> None:
        self._name, self._stream = name, stream
        head = _filled(stream)
        mark = next((code for start, code in _MARKS.items() if head.startswith(start)), None)
        declared = _DECLARED.match(head.removeprefix(codecs.BOM_UTF8))
        self._encoding = mark or (declared[2].decode() if declared else "utf-8")
        self._plain = _canonical(name, self._encoding) in ("utf-8", "ascii")
        self._decoder = codecs.getincrementaldecoder(self._encoding)()
        whole = len(head) < CHUNK
        head = self._utf8(head).removeprefix(codecs.BOM_UTF8)
        self._head = _plain_doctype(name, _DECLARED.sub(rb"\1", head), whole)

    def read(self, size: int = -1, /) -> bytes:
        head, self._head = self._head, b""
        return head or self._utf8(self._stream.read(size if size > 0 else CHUNK))

    def _utf8(self, chunk: bytes) -> bytes:
        if self._plain:
            return chunk
        try:
            return self._decoder.decode(chunk, final=not chunk).encode()
        except UnicodeError as fault:
            raise GraphDataError(
                f"{self._name}: not written as {self._encoding}, which it declares ({fault}); "
                "name the true encoding in its first line"
            ) from None


def _filled(stream: IO[bytes]) -> bytes:
    """The first bytes; a packed stream hands out less at a time than was asked for."""
    parts, size = [], 0
    while size < CHUNK and (part := stream.read(CHUNK - size)):
        parts.append(part)
        size += len(part)
    return b"".join(parts)


def _canonical(name: str, encoding: str) -> str:
    try:
        found = codecs.lookup(encoding)
        if found._is_text_encoding:  # type: ignore[attr-defined]
            return found.name
    except LookupError:
        pass
    raise GraphDataError(
        f"{name}: the encoding {encoding!r} is unknown; write the file as UTF-8 (iconv -t UTF-8) "
        "and take the encoding out of its first line"
    )


class _Prolog(Exception):
    """The first element begins: what may stand before it is over."""


def _plain_doctype(name: str, head: bytes, whole: bool) -> bytes:
    """The first bytes, a document type declaration in them reduced to its checked entities."""
    parser = expat.ParserCreate("utf-8")
    entities: dict[str, str] = {}
    where: list[int] = []

    def refuse(problem: str) -> GraphDataError:
        line = parser.CurrentLineNumber
        return GraphDataError(f"{name}, line {line}: remove <!DOCTYPE ...>: {problem}")

    def begins(_: str, system: str | None, public: str | None, __: bool) -> None:
        where.append(head.rindex(b"<!DOCTYPE", 0, parser.CurrentByteIndex))
        if system or public:
            raise refuse(f"it names a file outside ({system or public}), and nothing is fetched")

    def ends() -> None:
        where.append(head.index(b">", parser.CurrentByteIndex) + 1)

    def declares(entity: str, parameter: bool, value: str | None, *_: object) -> None:
        if parameter or value is None:
            kind = "a parameter" if parameter else "an external"
            raise refuse(f"{kind} entity, {entity}; entities may stand for short texts alone")
        entities.setdefault(entity, _expanded(value, entities, refuse))
        if len(entities) > _ENTITIES:
            raise refuse(f"more than {_ENTITIES} entities")

    def other(*_: object) -> None:
        raise refuse("it declares attributes or notations; entities alone are read")

    def element(*_: object) -> None:
        raise _Prolog

    parser.StartDoctypeDeclHandler, parser.EndDoctypeDeclHandler = begins, ends
    parser.EntityDeclHandler = declares
    parser.AttlistDeclHandler = parser.NotationDeclHandler = other
    parser.StartElementHandler = element
    try:
        parser.Parse(head, whole)
    except _Prolog:
        return _with_entities(head, where[0], where[1], entities) if where else head
    except expat.ExpatError:
        if len(where) == 1:
            raise refuse("it cannot be read to its end") from None
        return head  # not well-formed: the check of the whole says where
    raise refuse("no element begins in the first bytes")


def _expanded(value: str, entities: dict[str, str], refuse: Callable[[str], GraphDataError]) -> str:
    """The text an entity stands for, those declared before it put in."""
    parts = _REFERENCE.split(value)
    for at in range(1, len(parts), 2):
        if parts[at] not in entities:
            raise refuse(f"an entity is made of &{parts[at]};, which is not declared before it")
        parts[at] = entities[parts[at]]
    text = "".join(parts)
    if len(text.encode()) > _ENTITY_BYTES:
        raise refuse(f"an entity of more than {_ENTITY_BYTES} bytes")
    if odd := set(text) & set('<&"%'):
        raise refuse(f"an entity holds {min(odd)}; entities may stand for parts of IRIs alone")
    return text


def _with_entities(head: bytes, start: int, end: int, entities: dict[str, str]) -> bytes:
    """The same lines, with a declaration of these entities alone."""
    said = "".join(f'<!ENTITY {entity} "{text}">' for entity, text in entities.items())
    lines = b"\n" * head.count(b"\n", start, end)
    return b"%b<!DOCTYPE rdf [%b%b]>%b" % (head[:start], said.encode(), lines, head[end:])


def xml_check(name: str, limits: Limits) -> Refuse:
    """Well-formed RDF/XML of bounded depth, texts, IRIs and growth by entities."""
    depth = length = given = grown = 0
    parser = expat.ParserCreate("utf-8")

    def fault(problem: str) -> GraphDataError:
        return GraphDataError(f"{name}, line {parser.CurrentLineNumber}: {problem}")

    def grow(size: int) -> None:
        nonlocal grown
        grown += size
        if grown > _SMALL + _GROWTH * given:
            raise fault("the document grows without bounds by its entities; write them out")

    def start(_: str, attributes: dict[str, str]) -> None:
        nonlocal depth, length
        depth, length = depth + 1, 0
        if depth > limits.depth:
            raise GraphDataError(too_deep(name, parser.CurrentLineNumber, limits.depth))
        for key, value in attributes.items():
            about = key.rpartition(":")[2] in ("about", "resource", "ID", "datatype", "nodeID")
            size, limit = len(value.encode()), limits.iri if about else limits.literal
            grow(size)
            if size > limit:
                raise fault(f"attribute {key} has {size} bytes; the limit is {limit}")

    def end(_: str) -> None:
        nonlocal depth, length
        depth, length = depth - 1, 0

    def characters(text: str) -> None:
        nonlocal length
        size = len(text.encode())
        length += size
        grow(size)
        if length > limits.literal:
            raise fault(f"a text has more than {limits.literal} bytes, which is the limit")

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = characters

    def check(chunk: bytes) -> None:
        nonlocal given
        given += len(chunk)
        try:
            parser.Parse(chunk, not chunk)
        except expat.ExpatError as error:
            raise GraphDataError(
                f"{name}, line {error.lineno}, column {error.offset + 1}: "
                f"not well-formed XML ({expat.ErrorString(error.code)})"
            ) from None

    return check
