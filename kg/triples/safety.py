"""What a foreign RDF file may not do: name other files, nest without end, or grow without end.

Nothing here fetches anything. Each check runs on the bytes before the parser
sees them, and costs little on honest files.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import IO, Protocol

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


class Source(Protocol):
    """Bytes that are read piece by piece."""

    def read(self, size: int = -1, /) -> bytes: ...


class Guarded:
    """A stream that shows each chunk to a check before it hands it on."""

    def __init__(self, stream: Source, check: Refuse) -> None:
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
                raise GraphDataError(too_deep(name, line, limit))
        else:
            match = None
        done = match.start() if match is not None else len(text)
        lines += text.count(b"\n", 0, done)
        rest = text[done:]


def too_deep(name: str, line: int, limit: int) -> str:
    return f"{name}, line {line}: nested deeper than {limit} levels; flatten it, or raise the limit"
