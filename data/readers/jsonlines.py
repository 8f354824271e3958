"""JSON lines to text columns; numbers stay as written."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import polars as pl

from trefoil.data.errors import DataError
from trefoil.data.interactions import Ints
from trefoil.data.readers.delimited import decode_lines
from trefoil.data.report import Quarantined


def parse_json_lines(
    content: bytes, source: str
) -> tuple[pl.DataFrame, Ints, tuple[Quarantined, ...]]:
    """Columns, the line of each row, and the lines that are no rows.

    Every line is one object. Numbers become text as written (``7.0`` is not
    ``7``), true and false become ``"true"`` and ``"false"``, null means empty.
    A list becomes a list of texts; then the whole column holds lists.
    """
    lines, numbers, bad = decode_lines(content, source)
    rows: list[dict[str, Any]] = []
    kept: list[int] = []
    read = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str).decode
    for number, text in zip(numbers.tolist(), lines, strict=True):
        row, reason = _object(text, read)
        if reason:
            bad.append(Quarantined(source, number, reason, text))
        else:
            rows.append(row)
            kept.append(number)
    if not rows and not bad:
        raise DataError(f"{source}: empty; each line must be one JSON object")
    names = list(dict.fromkeys(name for row in rows for name in row))
    frame = pl.DataFrame({name: _column(name, rows) for name in names})
    return frame, np.array(kept, np.int64), tuple(bad)


def _object(text: str, read: Any) -> tuple[dict[str, Any], str]:
    try:
        row = read(text)
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


def _column(name: str, rows: list[dict[str, Any]]) -> pl.Series:
    values = [row.get(name) for row in rows]
    if any(isinstance(value, list) for value in values):
        lists = [
            None if value is None else [_text(one) for one in _listed(value) if one is not None]
            for value in values
        ]
        return pl.Series(name, lists, dtype=pl.List(pl.String))
    return pl.Series(name, [None if value is None else _text(value) for value in values], pl.String)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)
