"""What a foreign RDF file may not do: name other files, nest without end, or grow without end.

Nothing here fetches anything. Each check runs on the bytes before the parser
sees them, and costs little on honest files.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import IO, Any
from xml.parsers import expat

import numpy as np

from trefoil.data.errors import GraphDataError

CHUNK = 1 << 20


@dataclass(frozen=True)
class Limits:
    """Sizes in bytes of UTF-8. ``depth`` counts brackets or elements inside one another.

    ``document`` bounds JSON-LD, the one format that is read whole.
    """

    literal: int = 1 << 20
    iri: int = 8192
    depth: int = 100
    document: int = 256 << 20


Refuse = Callable[[bytes], None]


class Guarded:
    """A stream that shows each chunk to a check before it hands it on."""

    def __init__(self, stream: IO[bytes], check: Refuse) -> None:
        self._stream, self._check = stream, check
        self._chunk, self._at = b"", 0
        self.position = 0

    def read(self, size: int = -1) -> bytes:
        if self._at >= len(self._chunk):
            self._chunk, self._at = self._stream.read(CHUNK), 0
            if self.position == 0:
                self._chunk = self._chunk.removeprefix(b"\xef\xbb\xbf")
            self._check(self._chunk)
        end = len(self._chunk) if size < 0 else min(self._at + size, len(self._chunk))
        out = self._chunk[self._at : end]
        self._at = end
        self.position += len(out)
        return out


def turtle_check(
    name: str, limits: Limits, reopen: Callable[[], AbstractContextManager[IO[bytes]]]
) -> Refuse:
    """Brackets of Turtle, TriG and N3.

    A count over all bytes, brackets in texts and names included, clears nearly
    every file; where it climbs beyond the limit, one exact pass decides.
    """
    depth = lowest = 0
    decided = False

    def check(chunk: bytes) -> None:
        nonlocal depth, lowest, decided
        if decided:
            return
        steps = np.frombuffer(chunk.translate(None, _NO_BRACKETS), np.uint8)
        level = depth + np.cumsum(_STEP[steps])
        if not len(level):
            return
        floor = np.minimum(np.minimum.accumulate(level), lowest)
        depth, lowest = int(level[-1]), int(floor[-1])
        if (level - floor).max() > limits.depth:
            decided = True
            with reopen() as stream:
                refuse_nesting(name, stream, limits.depth)

    return check


_BRACKETS = b"[({])}"
_NO_BRACKETS = bytes(set(range(256)) - set(_BRACKETS))
_STEP = np.zeros(256, np.int64)
_STEP[list(b"[({")], _STEP[list(b"])}")] = 1, -1

_TURTLE = re.compile(
    rb"""(?P<skip>\"\"\"(?:[^"\\]|\\.|"(?!""))*\"\"\"|'''(?:[^'\\]|\\.|'(?!''))*'''"""
    rb"""|"(?!"")(?:[^"\\\n]|\\.)*"|'(?!'')(?:[^'\\\n]|\\.)*'|<[^<>\s"{}]*>|\#[^\n]*\n|\\.)"""
    rb"""|(?P<open>[\[({])|(?P<close>[\])}])|(?P<cut>["'<\#\\])""",
    re.S | re.X,
)


def refuse_nesting(name: str, stream: IO[bytes], limit: int) -> None:
    """Raise GraphDataError where brackets outside texts, IRIs and comments go too deep."""
    rest, lines, depth = b"", 0, 0
    while chunk := stream.read(CHUNK):
        text, done = rest + chunk, 0
        for match in _TURTLE.finditer(text):
            if match.lastgroup == "cut" and len(text) - match.start() < 2 * CHUNK:
                break  # perhaps the beginning of something longer: look again with more text
            done = match.end()
            if match.lastgroup == "open":
                depth += 1
            elif match.lastgroup == "close":
                depth = max(depth - 1, 0)
            if depth > limit:
                line = lines + text.count(b"\n", 0, match.start()) + 1
                raise GraphDataError(_too_deep(name, line, limit))
        else:
            match = None
        done = match.start() if match is not None else len(text)
        lines += text.count(b"\n", 0, done)
        rest = text[done:]


def _too_deep(name: str, line: int, limit: int) -> str:
    return f"{name}, line {line}: nested deeper than {limit} levels; flatten it, or raise the limit"


def xml_check(name: str, limits: Limits) -> Refuse:
    """RDF/XML: no document type declaration, hence no entities; bounded depth, texts and IRIs."""
    depth = length = 0
    parser = expat.ParserCreate()

    def fault(problem: str) -> GraphDataError:
        return GraphDataError(f"{name}, line {parser.CurrentLineNumber}: {problem}")

    def doctype(root: str, *_: object) -> None:
        raise fault(f"remove <!DOCTYPE {root} ...>; a document type declaration is not accepted")

    def start(_: str, attributes: dict[str, str]) -> None:
        nonlocal depth, length
        depth, length = depth + 1, 0
        if depth > limits.depth:
            raise GraphDataError(_too_deep(name, parser.CurrentLineNumber, limits.depth))
        for key, value in attributes.items():
            about = key.rpartition(":")[2] in ("about", "resource", "ID", "datatype", "nodeID")
            size, limit = len(value.encode()), limits.iri if about else limits.literal
            if size > limit:
                raise fault(f"attribute {key} has {size} bytes; the limit is {limit}")

    def end(_: str) -> None:
        nonlocal depth, length
        depth, length = depth - 1, 0

    def characters(text: str) -> None:
        nonlocal length
        length += len(text.encode())
        if length > limits.literal:
            raise fault(f"a text has more than {limits.literal} bytes, which is the limit")

    parser.StartDoctypeDeclHandler = doctype
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = characters

    def check(chunk: bytes) -> None:
        try:
            parser.Parse(chunk, not chunk)
        except expat.ExpatError as error:
            raise GraphDataError(
                f"{name}, line {error.lineno}, column {error.offset + 1}: "
                f"not well-formed XML ({expat.ErrorString(error.code)})"
            ) from None

    return check


_JSON = re.compile(r'(?P<text>"[^"\\]*(?:\\.[^"\\]*)*")|(?P<open>[\[{])|(?P<close>[\]}])', re.S)


def checked_json(name: str, stream: IO[bytes], limits: Limits) -> bytes:
    """A JSON-LD document whose contexts are all written in it. Raises GraphDataError."""
    content = stream.read(limits.document + 1)
    if len(content) > limits.document:
        raise GraphDataError(
            f"{name}: JSON-LD is read whole, and this is larger than {limits.document} bytes; "
            "split it, or convert it to N-Triples"
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise GraphDataError(f"{name}, line {line}: not UTF-8 ({error.reason})") from None
    depth = 0
    for match in _JSON.finditer(text):
        kind = match.lastgroup
        depth += (kind == "open") - (kind == "close")
        if depth > limits.depth:
            raise GraphDataError(_too_deep(name, _line(text, match.start()), limits.depth))
        if kind == "text" and match.end() - match.start() > limits.literal + 2:
            raise GraphDataError(
                f"{name}, line {_line(text, match.start())}: a text of "
                f"{match.end() - match.start()} characters; the limit is {limits.literal}"
            )
    try:
        document = json.loads(text, parse_int=str, parse_float=str)
    except ValueError as error:
        raise GraphDataError(f"{name}: not valid JSON: {error}") from None
    for address in _addresses(document):
        at = text.find(json.dumps(address))
        where = f", line {_line(text, at)}" if at >= 0 else ""
        raise GraphDataError(
            f"{name}{where}: the context {address!r} lies outside the file, and nothing is "
            "fetched; write its terms into @context"
        )
    return text.encode()


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1


def _addresses(document: Any) -> Iterator[str]:
    """Every context that is named rather than written out."""
    rest = [document]
    while rest:
        value = rest.pop()
        if isinstance(value, list):
            rest.extend(value)
        if not isinstance(value, dict):
            continue
        rest.extend(value.values())
        given = value.get("@context")
        for context in given if isinstance(given, list) else [given]:
            if isinstance(context, str):
                yield context
            elif isinstance(context, dict) and isinstance(context.get("@import"), str):
                yield context["@import"]
