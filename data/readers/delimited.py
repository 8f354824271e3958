"""Comma- or tab-separated lines to text columns, each field exactly as written.

Lines end with a line feed, before which a carriage return is dropped. Fields
may be quoted as in RFC 4180. A line with too many or too few fields, a quote
that is never closed, or bytes that are no UTF-8 cost that line alone.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence

import numpy as np
import polars as pl

from trefoil.data.errors import DataError
from trefoil.data.interactions import Ints
from trefoil.data.report import Quarantined

DELIMITERS = (",", ";", "\t", "|")
NO_UTF8 = "not UTF-8; name the encoding of the file"
LONGEST_RECORD = 1000  # lines; a quote open for longer is taken for a stray one

csv.field_size_limit(2**31 - 1)


Lines = tuple[pl.DataFrame, Ints, tuple[Quarantined, ...]]


def parse_delimited(
    content: bytes,
    source: str,
    delimiter: str,
    *,
    names: Sequence[str] | None = None,
    header: bool = True,
    quoting: bool = True,
) -> Lines:
    """Columns, the line of each row, and the lines that are no rows.

    The first line that is not blank names the columns, unless ``names`` does;
    without ``header`` they are called 1, 2 and so on. Without ``quoting`` a quote
    is a character like any other. Raises DataError where there is no line, where
    a name occurs twice, or where another delimiter is plainly meant.
    """
    found = Delimited(source, delimiter, names, header, quoting).take(content, last=True)
    assert found is not None
    return found


class Delimited:
    """One file of delimited lines, taken block by block; together they say what the whole says."""

    def __init__(
        self,
        source: str,
        delimiter: str,
        names: Sequence[str] | None = None,
        header: bool = True,
        quoting: bool = True,
    ) -> None:
        self._source, self._delimiter, self._quoting = source, delimiter, quoting
        self._names, self._header = names, header
        self._titles: list[str] | None = None
        self._done = 0  # lines so far
        self._bad: list[Quarantined] = []  # of blocks that came before a line with names
        self._left = pl.Series("line", [], dtype=pl.String), np.zeros(0, np.int64)

    def take(self, content: bytes, *, last: bool = False) -> Lines | None:
        """The rows of the next block of whole lines, of which the last has no line feed.

        A record that may go on in the next block waits for it. None as long as every line
        is blank. Raises DataError, as ``parse_delimited`` does.
        """
        fresh, numbers, bad = decode_lines(content, self._source, self._done)
        bad = self._bad + bad
        self._done += content.count(b"\n") + 1
        lines = pl.concat([self._left[0], fresh])
        numbers = np.concatenate([self._left[1], numbers])
        if self._titles is None:
            if not len(lines) and not last:
                self._bad = bad
                return None
            self._titles, skipped = self._named(lines, numbers, bad)
            lines, numbers = lines.slice(skipped), numbers[skipped:]
        self._bad = []
        titles, delimiter, source = self._titles, self._delimiter, self._source
        quoted = lines.str.contains('"', literal=True).to_numpy() & self._quoting
        if not quoted.any():
            self._left = lines.clear(), numbers[:0]
            plain, plain_lines, ragged = _plain(lines, numbers, ~quoted, titles, delimiter, source)
            return plain, plain_lines, (*bad, *ragged)
        rows, row_lines, broken, taken, done = _quoted(
            lines, numbers, quoted, titles, delimiter, source, last
        )
        self._left = lines.slice(done), numbers[done:]
        lines, numbers, quoted = lines.slice(0, done), numbers[:done], quoted[:done]
        plain, plain_lines, ragged = _plain(lines, numbers, ~quoted, titles, delimiter, source)
        if taken:  # lines without a quote that lie inside a quoted field
            keep = ~np.isin(plain_lines, np.array(sorted(taken)))
            plain, plain_lines = plain.filter(keep), plain_lines[keep]
            ragged = [one for one in ragged if one.line not in taken]
        frame = pl.concat([plain, rows])
        line = np.concatenate([plain_lines, row_lines])
        order = np.argsort(line, kind="stable")
        return frame[order], line[order], (*bad, *ragged, *broken)

    def _named(
        self, lines: pl.Series, numbers: Ints, bad: Sequence[Quarantined]
    ) -> tuple[list[str], int]:
        """Names of the columns, and how many lines they took; ``bad`` lines are no UTF-8."""
        source, delimiter = self._source, self._delimiter
        named_here = self._names is None and self._header
        if bad and named_here and (not len(lines) or bad[0].line < numbers[0]):
            raise DataError(
                f"{source}, line {bad[0].line}: names no columns, for {str(bad[0].row)[:60]!r} is "
                'no UTF-8; save the file as UTF-8, or name its encoding = "latin-1" or another'
            )
        if not len(lines):
            raise DataError(f"{source}: empty; the first line must name the columns")
        _check_delimiter(lines[0], delimiter, source)
        record = _record(lines[0], delimiter) if self._quoting else None
        titles = list(self._names) if self._names is not None else record
        titles = titles or lines[0].split(delimiter)
        if self._names is None and not self._header:
            titles = [str(place) for place in range(1, len(titles) + 1)]
        twice = {name for name in titles if titles.count(name) > 1}
        if twice:
            raise DataError(
                f"{source}, line {numbers[0]}: column {sorted(twice)[0]!r} occurs twice"
            )
        return titles, int(named_here)


def _check_delimiter(line: str, delimiter: str, source: str) -> None:
    """Raises DataError where the first line has another common delimiter and not this one."""
    others = {mark: line.count(mark) for mark in DELIMITERS if mark in line}
    if delimiter in line or not others:
        return
    other = max(others, key=lambda mark: others[mark])
    raise DataError(
        f"{source}: no {delimiter!r} in the first line {line[:60]!r}, but {other!r}; "
        f"name delimiter = {json.dumps(other)} in dataset.toml, beside file"
    )


def decode_lines(
    content: bytes, source: str, before: int = 0
) -> tuple[pl.Series, Ints, list[Quarantined]]:
    """Lines that are not blank, their numbers, and the lines that are no UTF-8.

    ``before`` lines came before the content.
    """
    if not before and content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise DataError(
            f'{source}: written as UTF-16; save it as UTF-8, or name encoding = "utf-16"'
        )
    content = content if before else content.removeprefix(b"\xef\xbb\xbf")
    bad: list[Quarantined] = []
    try:
        texts = content.decode().split("\n")
    except UnicodeDecodeError:
        texts = []
        for number, line in enumerate(content.split(b"\n"), before + 1):
            try:
                texts.append(line.decode())
            except UnicodeDecodeError:
                texts.append("")
                shown = line.decode(errors="backslashreplace")
                bad.append(Quarantined(source, number, NO_UTF8, shown))
    lines = pl.Series("line", texts, dtype=pl.String)
    del texts
    lines = lines.str.strip_suffix("\r")
    filled = (lines.str.len_bytes() > 0).to_numpy()
    return lines.filter(filled), np.flatnonzero(filled) + before + 1, bad


def _plain(
    lines: pl.Series,
    numbers: Ints,
    use: np.ndarray,
    header: list[str],
    delimiter: str,
    source: str,
) -> tuple[pl.DataFrame, Ints, list[Quarantined]]:
    """Lines without any quote: cut at each delimiter."""
    lines, numbers = lines.filter(use), numbers[use]
    found = lines.str.count_matches(delimiter, literal=True).to_numpy() + 1
    whole = found == len(header)
    ragged = [
        Quarantined(source, int(numbers[i]), _ragged(int(found[i]), header), lines[int(i)])
        for i in np.flatnonzero(~whole)
    ]
    parts = lines.filter(whole).str.split_exact(delimiter, len(header) - 1)
    frame = parts.struct.unnest()
    return frame.rename(dict(zip(frame.columns, header, strict=True))), numbers[whole], ragged


def _quoted(
    lines: pl.Series,
    numbers: Ints,
    quoted: np.ndarray,
    header: list[str],
    delimiter: str,
    source: str,
    last: bool,
) -> tuple[pl.DataFrame, Ints, list[Quarantined], set[int], int]:
    """Records with quotes, which may run over several lines.

    Beside rows, their lines and what is no row: lines inside a field, and how many lines are
    done. Unless it is the ``last`` block, a record that is open at its end is not.
    """
    odd = (lines.str.count_matches('"', literal=True) % 2 == 1).to_numpy()
    ends = np.flatnonzero(odd)
    if not len(ends):
        whole = _whole_records(lines.filter(quoted).to_list(), header, delimiter)
        if whole is not None:
            return whole, numbers[quoted], [], set(), len(lines)
    texts, at = lines.to_list(), numbers.tolist()
    rows, row_lines = [], []
    bad: list[Quarantined] = []
    taken: set[int] = set()
    done, whole_block = -1, len(texts)
    for start in np.flatnonzero(quoted).tolist():
        if start <= done:
            continue
        fields = None
        if odd[start]:  # the field goes on to the next line with an odd number of quotes
            after = int(np.searchsorted(ends, start, side="right"))
            if after == len(ends) and not last and len(texts) - start <= LONGEST_RECORD:
                whole_block = start
                break
            end = int(ends[after]) if after < len(ends) else start + LONGEST_RECORD + 1
            if end - start <= LONGEST_RECORD:
                fields = _record(_joined(texts, at, start, end), delimiter)
                if fields is not None and len(fields) == len(header):
                    taken.update(at[start + 1 : end + 1])
                    done = end
                else:
                    fields = None
        if fields is None:
            fields = _record(texts[start], delimiter)
        if fields is None or len(fields) != len(header):
            reason = "broken quotes" if fields is None else _ragged(len(fields), header)
            bad.append(Quarantined(source, at[start], reason, texts[start]))
        else:
            rows.append(fields)
            row_lines.append(at[start])
    return _frame(rows, header), np.array(row_lines, np.int64), bad, taken, whole_block


def _whole_records(texts: list[str], header: list[str], delimiter: str) -> pl.DataFrame | None:
    """All lines at once, where each is one good record; None where some line is not."""
    try:
        rows = list(csv.reader(texts, delimiter=delimiter, strict=True))
    except csv.Error:
        return None
    if len(rows) != len(texts) or any(len(row) != len(header) for row in rows):
        return None
    return _frame(rows, header)


def _frame(rows: list[list[str]], header: list[str]) -> pl.DataFrame:
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(header)
    named = zip(header, columns, strict=True)
    return pl.DataFrame({name: pl.Series(name, one, pl.String) for name, one in named})


def _joined(texts: list[str], at: list[int], start: int, end: int) -> str:
    """Lines of one record, with the blank lines that lay between them."""
    text = texts[start]
    for i in range(start + 1, end + 1):
        text += "\n" * (at[i] - at[i - 1]) + texts[i]
    return text


def _record(text: str, delimiter: str) -> list[str] | None:
    try:
        return next(csv.reader((text,), delimiter=delimiter, strict=True))
    except (csv.Error, StopIteration):
        return None


def _ragged(found: int, header: list[str]) -> str:
    return f"{found} fields where the header has {len(header)}"
