"""N-Triples and N-Quads by line: a broken line is set aside, and reading goes on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from typing import IO

import numpy as np
import pyoxigraph as ox

from trefoil.data.errors import GraphDataError
from trefoil.data.interactions import Ints
from trefoil.data.report import Quarantined
from trefoil.kg.triples.ntriples import STRICT, WRITTEN, Statements, TooLong
from trefoil.kg.triples.safety import Limits

BLOCK = 16 << 20
FEW = 10  # statements with a bad IRI that are set aside in a file of any size
_SHOWN = 1000  # characters of a broken line that the quarantine keeps


def read_lines(
    stream: IO[bytes],
    form: ox.RdfFormat,
    into: Statements,
    *,
    name: str,
    scope: str,
    limits: Limits,
) -> tuple[int, list[Quarantined]]:
    """Take every statement of the stream. Returns how many lines it had, and the broken ones."""
    done, bad = 0, []
    longest = limits.literal + 4 * limits.iri + 1024
    for block in _blocks(stream, longest):
        if not block.endswith(b"\n"):
            line = done + block.count(b"\n") + 1
            raise GraphDataError(
                f"{name}, line {line}: longer than {longest} bytes; a literal may have "
                f"{limits.literal}, an IRI {limits.iri}"
            )
        block = block.replace(b"\r\n", b"\n") if b"\r" in block else block
        lines = Lines(block, name, done)
        try:
            count, broken = lines.take(form, into, scope)
        except TooLong as fault:
            line, what, size, limit, text = fault.args
            raise GraphDataError(
                f"{name}, line {done + line + 1}: {what} of {size} bytes ({text[:40]}...); "
                f"the limit is {limit}; shorten it, or raise the limit"
            ) from None
        bad += broken
        done += count
    return done, bad


def _blocks(stream: IO[bytes], longest: int) -> Iterator[bytes]:
    """Blocks of whole lines, each ending in a line feed; but for a line without end."""
    first = True
    while block := stream.read(BLOCK):
        block = block.removeprefix(b"\xef\xbb\xbf") if first else block
        first = False
        if not block.endswith(b"\n"):
            block += stream.readline(longest + 1)
        if not block.endswith(b"\n") and len(block) - block.rfind(b"\n") <= longest:
            block += b"\n"  # the end of the file
        yield block


class Lines:
    """The lines of one block, and where they stand in the file."""

    def __init__(self, block: bytes, name: str, before: int) -> None:
        self.block, self.name, self.before = block, name, before
        self.bad: list[Quarantined] = []

    @cached_property
    def end(self) -> Ints:
        return np.flatnonzero(np.frombuffer(self.block, np.uint8) == 10) + 1

    def __getitem__(self, line: int) -> bytes:
        return self.block[self.end[line - 1] if line else 0 : self.end[line]]

    def take(
        self, form: ox.RdfFormat, into: Statements, scope: str, *, named: bool = True
    ) -> tuple[int, list[Quarantined]]:
        """Hand the statements on. Returns how many lines there are, and the broken ones.

        ``named`` says whether statements of named graphs count as said.
        """
        if not _is_utf8(self.block):
            self._drop_undecodable()
        known = into.add(self.block, grammar=STRICT, scope=scope, named=named)
        rest = [
            line
            for line in np.flatnonzero(~known).tolist()
            if (text := self[line].strip()) and not text.startswith(b"#")
        ]
        if rest:
            self._parse(rest, form, into, scope, named)
        return len(known), self.bad

    def _drop_undecodable(self) -> None:
        """Lines that are no UTF-8 are set aside; an empty line holds their place."""
        kept = []
        for line in range(len(self.end)):
            good = _is_utf8(self[line])
            if not good:
                self._set_aside(line, "not UTF-8")
            kept.append(self[line] if good else b"\n")
        self.block = b"".join(kept)
        del self.end

    def _parse(
        self, lines: list[int], form: ox.RdfFormat, into: Statements, scope: str, named: bool
    ) -> None:
        """Lines beyond the pattern go to the parser: all at once; where it objects, by halves."""
        try:
            written = _rewritten(b"".join(self[line] for line in lines), form)
        except (SyntaxError, MemoryError) as fault:
            if len(lines) == 1:
                self._set_aside(lines[0], fault.args[0])
                return
            half = len(lines) // 2
            self._parse(lines[:half], form, into, scope, named)
            self._parse(lines[half:], form, into, scope, named)
            return
        if written:
            lost = ~into.add(written, grammar=WRITTEN, scope=scope, named=named)
            into.notes["with a triple term, left out"] += int(lost.sum())

    def _set_aside(self, line: int, reason: str) -> None:
        text = self[line].decode(errors="backslashreplace").rstrip("\n")
        place = self.before + line + 1
        self.bad.append(Quarantined(self.name, place, reason, text[:_SHOWN]))


def _rewritten(text: bytes, form: ox.RdfFormat) -> bytes:
    return ox.serialize(ox.parse(text, format=form), format=ox.RdfFormat.N_QUADS) or b""


def _is_utf8(text: bytes) -> bool:
    if text.isascii():
        return True
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def broken_share(
    quarantined: list[Quarantined], lines: int, allowed: float, *, good: int = 0
) -> None:
    """Raises GraphDataError where more lines (statements) are broken than allowed.

    A few whose only fault is an IRI or a language tag pass in a small file too, where
    ``good`` statements stand beside them.
    """
    if len(quarantined) <= allowed * lines:
        return
    if len(quarantined) <= min(FEW, good) and all(_only_a_name(one.row) for one in quarantined):
        return
    first = quarantined[0]
    raise GraphDataError(
        f"{first.file}: {len(quarantined)} of {lines} lines are broken, more than the share of "
        f"{allowed:.3g} allowed; the first is line {first.line} ({first.reason}): "
        f"{str(first.row)[:200]}; mend them, or allow more with max_bad_share"
    )


_TAG = re.compile(r'("@[A-Za-z]+)_')  # en_US, as locales are written


def _only_a_name(row: object) -> bool:
    """Whether a statement is well formed but for an IRI or a language tag in it."""
    try:
        row = _TAG.sub(r"\1-", str(row))
        return any(ox.parse(row, format=ox.RdfFormat.N_QUADS, lenient=True))
    except (SyntaxError, MemoryError):
        return False
