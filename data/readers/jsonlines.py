"""JSON lines to text columns; numbers stay as written.

Every line is one object. Numbers become text as written (``7.0`` is not ``7``), true and
false become ``"true"`` and ``"false"``, null means empty. A list becomes a list of texts;
then the whole column holds lists.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from trefoil.data.errors import DataError
from trefoil.data.interactions import Ints
from trefoil.data.readers.delimited import decode_lines
from trefoil.data.report import Quarantined

JsonRows = tuple[pl.DataFrame, Ints, tuple[Quarantined, ...]]


def parse_json_lines(content: bytes, source: str) -> JsonRows:
    """Columns, the line of each row, and the lines that are no rows.

    Raises DataError where there is no line.
    """
    objects = _Objects.of(content, source, 0)
    columns = _Columns(source)
    columns.meet(objects)
    return columns.table(objects)


def parse_json_blocks(blocks: Callable[[], Iterable[bytes]], source: str) -> Iterator[JsonRows]:
    """The same of whole lines, block by block; all blocks have the columns of the file.

    Any line may bring a new column, or a list where texts were, so the lines are read twice:
    once to learn the columns.
    """
    columns = _Columns(source)
    for objects in _each(blocks(), source):
        columns.meet(objects)
    for objects in _each(blocks(), source):
        yield columns.table(objects)


def _each(blocks: Iterable[bytes], source: str) -> Iterator[_Objects]:
    done = 0
    for content in blocks:
        yield _Objects.of(content, source, done)
        done += content.count(b"\n") + 1


@dataclass(frozen=True)
class _Objects:
    """The objects of some lines, which lines they are, and the lines that are none."""

    rows: list[dict[str, Any]]
    line: list[int]
    bad: list[Quarantined]

    @classmethod
    def of(cls, content: bytes, source: str, before: int) -> _Objects:
        """Those of whole lines, of which the last has no line feed; ``before`` came before."""
        lines, numbers, bad = decode_lines(content, source, before)
        found = cls([], [], bad)
        for number, text in zip(numbers.tolist(), lines, strict=True):
            row, reason = _object(text)
            if reason:
                bad.append(Quarantined(source, number, reason, text))
            else:
                found.rows.append(row)
                found.line.append(number)
        return found


class _Columns:
    """The columns of a file, in the order of the lines that brought them."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._lists: dict[str, bool] = {}  # whether a column holds lists
        self._empty = True

    def meet(self, objects: _Objects) -> None:
        """Take note of the columns of some lines."""
        self._empty = self._empty and not (objects.rows or objects.bad)
        lists = self._lists
        for row in objects.rows:
            for name, value in row.items():
                if not lists.get(name):
                    lists[name] = isinstance(value, list)

    def table(self, objects: _Objects) -> JsonRows:
        """Some lines as columns. Raises DataError where no line of the file says anything."""
        if self._empty:
            raise DataError(f"{self._source}: empty; each line must be one JSON object")
        rows = objects.rows
        frame = pl.DataFrame(
            {name: _column(name, rows, lists=a) for name, a in self._lists.items()}
        )
        return frame, np.array(objects.line, np.int64), tuple(objects.bad)


_read = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str).decode


def _object(text: str) -> tuple[dict[str, Any], str]:
    try:
        row = _read(text)
    except RecursionError:
        return {}, "broken JSON: nested too deeply"
    except ValueError as fault:
        return {}, f"broken JSON: {getattr(fault, 'msg', fault)}"
    if not isinstance(row, dict):
        return {}, "not a JSON object"
    if "\\u" in text:  # only an escape can smuggle half a character in
        try:
            json.dumps(row, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            return {}, "lone surrogate"
    return row, ""


def _column(name: str, rows: list[dict[str, Any]], *, lists: bool) -> pl.Series:
    values = [row.get(name) for row in rows]
    if lists:
        listed = [
            None if value is None else [_text(one) for one in _listed(value) if one is not None]
            for value in values
        ]
        return pl.Series(name, listed, dtype=pl.List(pl.String))
    return pl.Series(name, [None if value is None else _text(value) for value in values], pl.String)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)
