"""Turtle text to integer columns, a block of statements at a time, without an object per term.

Tokens are cut at white space outside quotes and interned by Arrow; only
*distinct* tokens are checked against strict patterns. A sentence, that is all
up to a full stop, is taken where it has known tokens alone and as many terms
between marks as Turtle asks for. Other sentences go to a real parser. So does
the rest of a file behind anything that may hide a quote (a comment behind a
statement, single quotes, long texts), behind a second block of prefixes, and
behind what the parser refuses: it then sees the same lines and columns.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import polars as pl
import pyarrow as pa
import pyoxigraph as ox
from numpy.typing import NDArray

from trefoil.data.interactions import Bools, Ints
from trefoil.kg.triples.lines import is_utf8
from trefoil.kg.triples.ntriples import WRITTEN, Statements, interned
from trefoil.kg.triples.turtle_terms import OBJECT, PREDICATE, SUBJECT, terms

BLOCK = 4 << 20

_DOT, _SEMICOLON, _COMMA = b".;,"
_NEED = np.zeros(256, np.int64)  # terms before the next mark, by the mark before
_NEED[[_DOT, _SEMICOLON, _COMMA]] = 3, 2, 1

_NAMED = (
    rb"[ \t]+([A-Za-z][A-Za-z0-9_\-]*)?:[ \t]*<(https?://[A-Za-z0-9.\-]+(?::\d+)?/[A-Za-z0-9._~/\-]*#?"
    rb"|urn:[A-Za-z0-9\-]+:[A-Za-z0-9:\-]*)>"
)
_HEADER = re.compile(
    rb"[ \t\r\n]+|#[^\r\n]*[\r\n]|@prefix" + _NAMED + rb"[ \t]*\.(?=[ \t\r\n])"
    rb"|(?i:PREFIX)" + _NAMED + rb"(?=[ \t\r\n])"
)
_DIRECTIVE = re.compile(rb"\s*@?(?:prefix|base|version)\b", re.I)
_COMMENT = re.compile(rb"^[ \t]*#[^\r\n]*", re.M)

# Unknown tokens that cannot hide a quote: whole IRIs, whole strings, and what has no #, ' or """.
_HARMLESS = (
    r'(?s)^(?:<[^<>"]*>|"(?:[^"\\]|\\.)*"(?:@[A-Za-z0-9\-]+|\^\^(?:<[^<>"]*>|[^#\'<>"]*))?'
    r"|[^#'\"]*)$"
)


class Source(Protocol):
    def read(self, size: int = -1) -> bytes: ...


def take_turtle(stream: Source, into: Statements, scope: str) -> Source | None:
    """Take statements from the beginning on. Returns what a parser has to go on with, or None."""
    text = _fill(stream, b"", BLOCK)
    end, prefixes = _header(text)
    header, text = text[:end], text[end:]
    passed, ended = _Passed(), len(text) + end < BLOCK
    while text.strip() or not ended:
        block = _Block(text, header, prefixes, scope)
        done = block.take(into) if text.strip() else len(text)
        passed.add(text[:done])
        text = text[done:]
        if block.stopped or (ended and text.strip()):
            return _Resumed(header + passed.blank() + text, stream)
        before, text = len(text), _fill(stream, text, BLOCK)
        ended = len(text) - before < BLOCK
    return None


def _fill(stream: Source, text: bytes, size: int) -> bytes:
    parts, wanted = [text], size
    while wanted > 0 and (part := stream.read(wanted)):
        parts.append(part)
        wanted -= len(part)
    return b"".join(parts)


def _header(text: bytes) -> tuple[int, dict[str, str]]:
    """Where the statements begin, and the prefixes declared before them."""
    end, prefixes = 0, {}
    while found := _HEADER.match(text, end):
        end = found.end()
        if space := found[2] or found[4]:
            prefixes[(found[1] or found[3] or b"").decode()] = space.decode()
    return end, prefixes


class _Passed:
    """How many lines were taken, and how much of the line after them."""

    def __init__(self) -> None:
        self._lines, self._last = 0, b""

    def add(self, text: bytes) -> None:
        self._lines += text.count(b"\n")
        behind = text.rfind(b"\n") + 1
        self._last = text[behind:] if behind else self._last + text

    def blank(self) -> bytes:
        """Nothing, as many lines and columns of it."""
        return b"\n" * self._lines + b" " * len(self._last.decode(errors="replace"))


class _Resumed:
    """Some text, then the rest of a stream."""

    def __init__(self, text: bytes, stream: Source) -> None:
        self._text, self._stream = text, stream

    def read(self, size: int = -1) -> bytes:
        if not self._text:
            return self._stream.read(size)
        end = len(self._text) if size < 0 else size
        out, self._text = self._text[:end], self._text[end:]
        return out


@dataclass(frozen=True)
class _Tokens:
    """Where tokens begin and end in a block, and which are marks: full stop, semicolon, comma."""

    start: NDArray[np.integer]
    end: NDArray[np.integer]
    mark: Bools

    @classmethod
    def of(cls, data: NDArray[np.uint8]) -> _Tokens:
        """A comma or semicolon that ends a token is a token of its own."""
        space = np.flatnonzero(data <= 32).astype(np.int32)
        space = space[_is_space(data[space])]
        quotes = np.bincount(np.searchsorted(space, _quotes(data)), minlength=len(space) + 1)
        space = space[np.cumsum(quotes[:-1], dtype=np.uint8) % 2 == 0]
        bounds = np.concatenate([[-1], space, [len(data)]], dtype=np.int32, casting="same_kind")
        start, end = bounds[:-1] + 1, bounds[1:]
        whole = end > start
        start, end = start[whole], end[whole]
        last = data[end - 1]
        joined = (end - start > 1) & ((last == _COMMA) | (last == _SEMICOLON))
        if joined.any():
            at = np.flatnonzero(joined)
            start = np.insert(start, at + 1, end[at] - 1)
            shorter = np.where(joined, end - 1, end)
            end = np.insert(shorter, at + 1, end[at])
        first = data[start]
        mark = (end - start == 1) & ((first == _DOT) | (first == _SEMICOLON) | (first == _COMMA))
        return cls(start, end, mark)

    def before(self, count: int) -> _Tokens:
        return _Tokens(self.start[:count], self.end[:count], self.mark[:count])


def _is_space(data: NDArray[np.uint8]) -> Bools:
    return (data == 32) | (data == 10) | (data == 9) | (data == 13)


def _quotes(data: NDArray[np.uint8]) -> Ints:
    """Places of quotes without a backslash of their own."""
    quote = np.flatnonzero(data == 34)
    behind = quote[(quote > 0) & (data[quote - 1] == 92)]
    if not len(behind):
        return quote
    slash = np.flatnonzero(data == 92)
    begins = np.concatenate([[True], np.diff(slash) > 1])
    first = np.maximum.accumulate(np.where(begins, slash, 0))
    run = behind - first[np.searchsorted(slash, behind - 1)]
    return np.setdiff1d(quote, behind[run % 2 == 1], assume_unique=True)


class _Block:
    """Sentences of a file; what is behind the last full stop waits for the next block."""

    def __init__(self, text: bytes, header: bytes, prefixes: dict[str, str], scope: str) -> None:
        self._text, self._header = _without_comments(text), header
        self._prefixes, self._scope = prefixes, scope
        self.stopped = False  # the parser has to go on with what is left

    def take(self, into: Statements) -> int:
        """Hand the statements on. Returns how many bytes they fill."""
        data = np.frombuffer(self._text, np.uint8)
        tokens = _Tokens.of(data)
        stops = np.flatnonzero(tokens.mark & (data[tokens.start] == _DOT))
        if not len(stops) or not is_utf8(self._text[: tokens.end[stops[-1]]]):
            self.stopped = True
            return 0
        tokens = tokens.before(int(stops[-1]) + 1)
        bounds = np.concatenate([[0], tokens.end[stops]])
        text, rows, sentence, odd, stop = self._statements(data, tokens)
        unknown = np.flatnonzero(odd[:stop])
        pieces = [self._text[bounds[one] : bounds[one + 1]] for one in unknown]
        directive = [bool(_DIRECTIVE.match(piece)) for piece in pieces]
        if any(directive):
            stop = int(unknown[directive.index(True)])
            pieces = pieces[: directive.index(True)]
        try:
            written = self._parsed(pieces) if pieces else b""
        except (SyntaxError, MemoryError):
            stop, written = int(unknown[0]), b""
        into.take(text, rows[~odd[sentence] & (sentence < stop)])
        if written:
            lost = ~into.add(written, grammar=WRITTEN, scope=self._scope)
            into.notes["with a triple term, left out"] += int(lost.sum())
        self.stopped = stop < len(stops)
        return int(bounds[stop])

    def _statements(
        self, data: NDArray[np.uint8], tokens: _Tokens
    ) -> tuple[pl.Series, NDArray[np.int32], Ints, Bools, int]:
        """Terms; rows into them; the sentence of each row; the odd sentences; and where to stop.

        A row ends at each mark. A sentence is odd where one of its rows is.
        """
        pieces, codes = _interned(data, tokens.start[~tokens.mark], tokens.end[~tokens.mark])
        text, role = terms(pieces, self._prefixes, self._scope)
        place = np.flatnonzero(tokens.mark)
        mark = data[tokens.start[place]]
        end = place - np.arange(len(place))  # terms before each mark
        begin = np.concatenate([[0], end[:-1]])
        before = np.concatenate([[_DOT], mark[:-1]])
        last = max(len(codes) - 1, 0)
        subject = np.maximum.accumulate(np.where(before == _DOT, begin, 0))
        verb = np.where(before == _DOT, begin + 1, np.where(before == _SEMICOLON, begin, 0))
        at = np.stack([subject, np.maximum.accumulate(verb), end - 1], axis=1).clip(0, last)
        rows = codes[at] if len(codes) else np.zeros((len(place), 3), np.int32)
        good = end - begin == _NEED[before]
        if len(codes):
            good &= (role[rows] & np.array([SUBJECT, PREDICATE, OBJECT])).all(axis=1)
        empty = (before == _SEMICOLON) & (end == begin) & (mark != _COMMA)  # as in "; ."
        sentence = np.concatenate([[0], np.cumsum(mark == _DOT)[:-1]])
        odd = np.zeros(sentence[-1] + 1, bool)
        odd[sentence[~good & ~empty]] = True
        stop = len(odd)
        risky = np.zeros(len(pieces), bool)
        unknown = np.flatnonzero(role == 0)
        risky[unknown] = ~pieces.gather(unknown).str.contains(_HARMLESS).to_numpy()
        if risky.any():
            first = int(np.argmax(risky[codes]))
            stop = int(sentence[np.searchsorted(end, first, side="right")])
        return text, rows[~empty], sentence[~empty], odd, stop

    def _parsed(self, sentences: list[bytes]) -> bytes:
        text = self._header + b"\n".join(sentences)
        parser = ox.parse(text, format=ox.RdfFormat.TURTLE)
        return ox.serialize(parser, format=ox.RdfFormat.N_QUADS) or b""


def _without_comments(text: bytes) -> bytes:
    """Lines that are comments, blank; unless some text may reach over several lines."""
    data = np.frombuffer(text, np.uint8)
    mark = np.flatnonzero(data == 35)
    if not (_is_space(data[mark - 1]) | (mark == 0)).any():
        return text
    if b'"""' in text or b"'''" in text:
        return text
    return _COMMENT.sub(lambda found: b" " * len(found[0]), text)


def _interned(
    data: NDArray[np.uint8], start: NDArray[np.integer], end: NDArray[np.integer]
) -> tuple[pl.Series, NDArray[np.int32]]:
    """Distinct tokens, and the code of each token in them."""
    edge = np.zeros(len(data) + 1, np.int8)
    edge[start] += 1
    edge[end] -= 1
    inside = np.cumsum(edge[:-1], dtype=np.int8).view(bool)
    offset = np.concatenate([[0], np.cumsum(end - start)]).astype(np.int32)
    text = pa.py_buffer(data[inside])
    return interned(pa.StringArray.from_buffers(len(start), pa.py_buffer(offset), text))
