"""N-Triples text to integer columns, a block of lines at a time, without an object per term.

A block is cut at every line end and at the first two spaces of each line; the
three pieces are interned by Arrow, and only *distinct* pieces are checked
against a strict pattern. A line with a piece that the pattern does not know is
given back to the caller, who asks a real parser. The pattern is narrower than
the grammar: whatever it takes, the parser takes too, and reads the same.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute
from numpy.typing import NDArray

from trefoil.data.interactions import Bools, Ints

XSD_STRING = "http://www.w3.org/2001/XMLSchema#string"
_STRING_TYPE = f"^^<{XSD_STRING}>"
# Datatypes that a literal has by its language tag alone.
_LANG_TYPE = '"^^<http://www.w3.org/1999/02/22-rdf-syntax-ns#langString>'
_DIR_LANG_TYPE = '"^^<http://www.w3.org/1999/02/22-rdf-syntax-ns#dirLangString>'

SLACK = 200_000  # terms that may wait to be merged, however few are known

_WIDE = r"\x{A1}-\x{D7FF}\x{F900}-\x{FDCF}\x{FDF0}-\x{FFEF}"
_CHAR = rf"(?:[A-Za-z0-9._~!$&'()*+,;=:@/\-{_WIDE}]|%[0-9A-Fa-f]{{2}})"
_FIRST = rf"(?:[A-Za-z0-9._~!$&'()*+,;=:@\-{_WIDE}]|%[0-9A-Fa-f]{{2}})"
_IRI = (
    r"<[A-Za-z][A-Za-z0-9+.\-]*:"
    rf"(?://[A-Za-z0-9._~\-]*(?::[0-9]*)?(?:/{_CHAR}*)?|/?(?:{_FIRST}{_CHAR}*)?)"
    rf"(?:\?(?:{_CHAR}|\?)*)?(?:#(?:{_CHAR}|\?)*)?>"
)
_BLANK = r"_:[A-Za-z0-9][A-Za-z0-9_]*"
_STRING = r'"(?:[^"\\\x00-\x1f\x7f]|\\[tbnrf"\'\\])*"'


@dataclass(frozen=True)
class Grammar:
    """What a subject, a predicate, an object and a graph name look like, as Rust patterns."""

    subject: str
    predicate: str
    thing: str
    graph: str


STRICT = Grammar(
    subject=rf"{_IRI}|{_BLANK}",
    predicate=_IRI,
    thing=rf"{_IRI}|{_BLANK}|{_STRING}(?:@[a-z]{{2,3}}|\^\^{_IRI})?",
    graph=rf"{_IRI}|{_BLANK}",
)
_ANY_IRI, _ANY_BLANK = r"<[^<> ]*>", r"_:[^ ]+"
# For text that the parser itself wrote: it need only be taken apart, not checked.
WRITTEN = Grammar(
    subject=rf"{_ANY_IRI}|{_ANY_BLANK}",
    predicate=_ANY_IRI,
    thing=rf'{_ANY_IRI}|{_ANY_BLANK}|"(?:[^"\\]|\\.)*"(?:@[A-Za-z0-9\-]+|\^\^{_ANY_IRI})?',
    graph=rf"{_ANY_IRI}|{_ANY_BLANK}",
)

_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))", re.S)
_SHORT = {"t": "\t", "b": "\b", "n": "\n", "r": "\r", "f": "\f"}


def unescape(text: str) -> str:
    """N-Triples escapes replaced by the characters they stand for."""

    def plain(match: re.Match[str]) -> str:
        code = match[1] or match[2]
        return chr(int(code, 16)) if code else _SHORT.get(match[3], match[3])

    return _ESCAPE.sub(plain, text)


class Terms:
    """Distinct term texts, and the number of each.

    Blocks hand in their own distinct terms and get provisional numbers; equal
    terms of several blocks fall together when the list has doubled, so that the
    cost stays linear in what was handed in.
    """

    def __init__(self) -> None:
        self._parts: list[pa.LargeStringArray] = []
        self._known = self._size = 0

    def add(self, texts: pl.Series) -> int:
        """Provisional number of the first of these; the rest follow."""
        first = self._size
        self._parts.append(texts.to_arrow().cast(pa.large_string()))
        self._size += len(texts)
        return first

    @property
    def due(self) -> bool:
        return self._size - self._known > max(self._known, SLACK)

    def merge(self) -> NDArray[np.int32]:
        """Final number of each provisional one, from now on the only numbers in use."""
        whole = pa.chunked_array(self._parts, pa.large_string()).combine_chunks()
        coded = whole.dictionary_encode()
        self._parts = [coded.dictionary]
        self._known = self._size = len(coded.dictionary)
        return _indices(coded)

    def texts(self) -> pl.Series:
        """The terms by number, after a merge."""
        return pl.Series("term", self._parts[0], dtype=pl.String)


class TooLong(Exception):
    """A term beyond the limit: (line within the block, what it is, its size, the limit, text)."""


class Statements:
    """Statements so far, as columns of term numbers.

    ``literal`` and ``iri`` are the most bytes that such a term may have.
    """

    def __init__(self, literal: int = 1 << 20, iri: int = 8192) -> None:
        self.terms = Terms()
        self._literal, self._iri = literal, iri
        self.notes: Counter[str] = Counter()
        self._blocks: list[NDArray[np.int32]] = []

    def add(self, block: bytes, *, grammar: Grammar, scope: str, named: bool = True) -> Bools:
        """Take the lines of a block that the grammar knows.

        ``block`` is UTF-8 text of whole lines, each with its line feed;
        ``scope`` keeps the blank nodes of one file from those of another.
        Returns which lines were taken.
        """
        pieces, codes = _pieces(block)
        self._refuse_long(pieces, codes)
        kind, text, graph = _classify(pieces, grammar, scope)
        known = (
            (kind[codes[:, 0]] == _SUBJECT)
            & (kind[codes[:, 1]] == _PREDICATE)
            & (kind[codes[:, 2]] == _OBJECT)
        )
        taken = codes[known]
        if graph is not None:
            inside = graph[taken[:, 2]]
            self.notes["in a named graph"] += int(inside.sum())
            if not named:
                taken = taken[~inside]
        first = self.terms.add(text)
        self._blocks.append((taken + first).astype(np.int32, copy=False))
        if self.terms.due:
            self._merge()
        return known

    def __len__(self) -> int:
        """Statements taken so far, duplicates included."""
        return sum(map(len, self._blocks))

    def mark(self) -> tuple[int, Counter[str]]:
        """Where reading stands, for ``rewind``."""
        return len(self._blocks), Counter(self.notes)

    def rewind(self, mark: tuple[int, Counter[str]]) -> None:
        """Forget the statements that were taken after the mark."""
        del self._blocks[mark[0] :]
        self.notes = Counter(mark[1])

    def _refuse_long(self, pieces: pl.Series, codes: NDArray[np.integer]) -> None:
        size = pieces.str.len_bytes().to_numpy()
        for piece in np.flatnonzero(size > min(self._iri, self._literal)).tolist():
            text = pieces[piece].strip()
            literal = text.startswith('"')
            what, limit = ("literal", self._literal) if literal else ("IRI", self._iri)
            if size[piece] > limit + 64:
                line = int(np.argmax((codes == piece).any(axis=1)))
                raise TooLong(line, what, int(size[piece]), limit, text)

    def _merge(self) -> None:
        number = self.terms.merge()
        for at in range(len(self._blocks)):
            self._blocks[at] = number[self._blocks[at]]

    def columns(self) -> tuple[pl.Series, NDArray[np.int32]]:
        """Term texts, and statements x (subject, predicate, object) as rows into them."""
        if not self._blocks:
            return pl.Series("term", [], dtype=pl.String), np.zeros((0, 3), np.int32)
        self._merge()
        rows = np.concatenate(self._blocks)
        self._blocks = [rows]
        return self.terms.texts(), rows


_SUBJECT, _PREDICATE, _OBJECT = 1, 2, 3


def _pieces(block: bytes) -> tuple[pl.Series, NDArray[np.int32]]:
    """Distinct pieces of the lines, and lines x 3 codes into them. No text is copied."""
    data = np.frombuffer(block, np.uint8)
    end = np.flatnonzero(data == 10) + 1
    space = np.append(np.flatnonzero(data == 32), [len(data), len(data)])
    start = np.concatenate([[0], end[:-1]])
    at = np.searchsorted(space, start)
    first, second = space[at], space[np.minimum(at + 1, len(space) - 1)]
    whole = second < end
    offset = np.empty(3 * len(end) + 1, np.int32)
    offset[0:-1:3] = start
    offset[1::3] = np.where(whole, first, start)
    offset[2::3] = np.where(whole, second, start)
    offset[-1] = len(data)
    array = pa.StringArray.from_buffers(3 * len(end), pa.py_buffer(offset), pa.py_buffer(block))
    coded = array.dictionary_encode()
    pieces = pl.Series("piece", coded.dictionary, dtype=pl.String)
    return pieces, _indices(coded).reshape(-1, 3)


def _indices(coded: pa.DictionaryArray) -> NDArray[np.int32]:
    """Codes as they lie in memory; ``to_numpy`` of Arrow would load pandas first."""
    codes = coded.indices
    whole = np.frombuffer(codes.buffers()[1], np.int32)
    return whole[codes.offset : codes.offset + len(codes)]


def _classify(
    pieces: pl.Series, grammar: Grammar, scope: str
) -> tuple[NDArray[np.int8], pl.Series, Bools | None]:
    """Place in the line and canonical text of each piece; whether a graph name was cut off."""
    led = pieces.str.starts_with(" ").to_numpy()
    ended = led & pieces.str.ends_with(" .\n").to_numpy()
    kind = np.zeros(len(pieces), np.int8)
    text = pieces.str.strip_suffix(" .\n").str.strip_prefix(" ")
    for code, where, pattern in (
        (_SUBJECT, ~led, grammar.subject),
        (_PREDICATE, led & ~ended, grammar.predicate),
        (_OBJECT, ended, grammar.thing),
    ):
        rows = np.flatnonzero(where)
        good = text.gather(rows).str.contains(rf"(?s)^(?:{pattern})$").to_numpy()
        kind[rows[good]] = code
    graph = _cut_graph_names(text, kind, np.flatnonzero(ended & (kind == 0)), grammar)
    if graph is not None:
        text, graph = graph
    text, slow = _canonical(text, scope)
    kind[slow] = 0
    return kind, text, graph


def _cut_graph_names(
    text: pl.Series, kind: NDArray[np.int8], rows: Ints, grammar: Grammar
) -> tuple[pl.Series, Bools] | None:
    """``object graph`` becomes ``object``; None where no line has a graph name."""
    if not len(rows):
        return None
    found = text.gather(rows)
    pattern = rf"(?s)^({grammar.thing}) (?:{grammar.graph})$"
    hit = found.str.contains(pattern).to_numpy()
    if not hit.any():
        return None
    rows = rows[hit]
    kind[rows] = _OBJECT
    graph = np.zeros(len(text), bool)
    graph[rows] = True
    cut = found.filter(pl.Series(hit)).str.replace(pattern, "${1}")
    return text.scatter(rows, cut), graph


def _canonical(text: pl.Series, scope: str) -> tuple[pl.Series, Ints]:
    """One text per term: escapes undone, ``xsd:string`` left out, blank nodes scoped."""
    rows = text.str.starts_with('"').arg_true()
    slow = np.zeros(0, np.int64)
    if len(rows):
        literal = text.gather(rows)
        tagged = literal.str.ends_with(_LANG_TYPE) | literal.str.ends_with(_DIR_LANG_TYPE)
        slow = rows.filter(tagged).to_numpy().astype(np.int64)
        plain = literal.str.ends_with(_STRING_TYPE)
        escaped = literal.str.contains("\\", literal=True)
        if (changed := (plain | escaped).arg_true()).len():
            fresh = literal.gather(changed).str.strip_suffix(_STRING_TYPE).to_list()
            text = text.scatter(rows.gather(changed), [unescape(one) for one in fresh])
    blank = text.str.starts_with("_:").arg_true()
    if len(blank):
        text = text.scatter(blank, "_:" + scope + "." + text.gather(blank).str.slice(2))
    return text, slow
