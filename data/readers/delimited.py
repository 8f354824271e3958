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
LONGEST_RECORD = 1000  # lines; a quote open for longer is taken for a stray one

csv.field_size_limit(2**31 - 1)


def parse_delimited(
    content: bytes,
    source: str,
    delimiter: str,
    *,
    names: Sequence[str] | None = None,
    header: bool = True,
    quoting: bool = True,
) -> tuple[pl.DataFrame, Ints, tuple[Quarantined, ...]]:
    """Columns, the line of each row, and the lines that are no rows.

    The first line that is not blank names the columns, unless ``names`` does;
    without ``header`` they are called 1, 2 and so on. Without ``quoting`` a quote
    is a character like any other. Raises DataError where there is no line, where
    a name occurs twice, or where another delimiter is plainly meant.
    """
    lines, numbers, bad = decode_lines(content, source)
    if not len(lines):
        raise DataError(f"{source}: empty; the first line must name the columns")
    _check_delimiter(lines[0], delimiter, source)
    first = (_record(lines[0], delimiter) if quoting else None) or lines[0].split(delimiter)
    if names is None and not header:
        names = [str(place) for place in range(1, len(first) + 1)]
    titles = first if names is None else list(names)
    twice = {name for name in titles if titles.count(name) > 1}
    if twice:
        raise DataError(f"{source}, line {numbers[0]}: column {sorted(twice)[0]!r} occurs twice")
    if names is None:
        lines, numbers = lines.slice(1), numbers[1:]
    quoted = lines.str.contains('"', literal=True).to_numpy() & quoting
    plain, plain_lines, ragged = _plain(lines, numbers, ~quoted, titles, delimiter, source)
    if not quoted.any():
        return plain, plain_lines, (*bad, *ragged)
    rows, row_lines, broken, taken = _quoted(lines, numbers, quoted, titles, delimiter, source)
    if taken:  # lines without a quote that lie inside a quoted field
        keep = ~np.isin(plain_lines, np.array(sorted(taken)))
        plain, plain_lines = plain.filter(keep), plain_lines[keep]
        ragged = [one for one in ragged if one.line not in taken]
    frame = pl.concat([plain, rows])
    line = np.concatenate([plain_lines, row_lines])
    order = np.argsort(line, kind="stable")
    return frame[order], line[order], (*bad, *ragged, *broken)


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


def decode_lines(content: bytes, source: str) -> tuple[pl.Series, Ints, list[Quarantined]]:
    """Lines that are not blank, their numbers, and the lines that are no UTF-8."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise DataError(
            f'{source}: written as UTF-16; save it as UTF-8, or name encoding = "utf-16"'
        )
    content = content.removeprefix(b"\xef\xbb\xbf")
    bad: list[Quarantined] = []
    try:
        texts = content.decode().split("\n")
    except UnicodeDecodeError:
        texts = []
        for number, line in enumerate(content.split(b"\n"), 1):
            try:
                texts.append(line.decode())
            except UnicodeDecodeError:
                texts.append("")
                shown = line.decode(errors="backslashreplace")
                bad.append(Quarantined(source, number, "not UTF-8", shown))
    lines = pl.Series("line", texts, dtype=pl.String)
    del texts
    lines = lines.str.strip_suffix("\r")
    filled = (lines.str.len_bytes() > 0).to_numpy()
    return lines.filter(filled), np.flatnonzero(filled) + 1, bad


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
) -> tuple[pl.DataFrame, Ints, list[Quarantined], set[int]]:
    """Records with quotes, which may run over several lines; ``taken`` are lines inside a field."""
    odd = (lines.str.count_matches('"', literal=True) % 2 == 1).to_numpy()
    ends = np.flatnonzero(odd)
    if not len(ends):
        whole = _whole_records(lines.filter(quoted).to_list(), header, delimiter)
        if whole is not None:
            return whole, numbers[quoted], [], set()
    texts, at = lines.to_list(), numbers.tolist()
    rows, row_lines = [], []
    bad: list[Quarantined] = []
    taken: set[int] = set()
    done = -1
    for start in np.flatnonzero(quoted).tolist():
        if start <= done:
            continue
        fields = None
        if odd[start]:  # the field goes on to the next line with an odd number of quotes
            after = int(np.searchsorted(ends, start, side="right"))
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
    return _frame(rows, header), np.array(row_lines, np.int64), bad, taken


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
