"""Values of the driver as columns: numbers, texts, dates and moments as such, the rest as ISO text.

The driver's classes are known by their fields, so that only ``server`` imports it.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

TEXT = "kept as ISO text"
CUT = "nanoseconds cut to microseconds"
BEYOND = "values beyond the years 1 to 9999, left out"
MIXED = "values of a property of several types, kept as text"
_NOUGHTS = re.compile(r"\.0{9}|(?<=\.\d\d\d)0{6}|(?<=\.\d{6})000")  # of a fraction of nanoseconds


@dataclass
class Tally:
    """What had to be done to values: counts by kind, and (property, row, value) left out."""

    counts: Counter[str] = field(default_factory=Counter)
    left_out: list[tuple[str, int, str]] = field(default_factory=list)


def column(name: str, values: Sequence[Any], tally: Tally | None = None) -> pl.Series:
    """One property of many nodes as a column of one type.

    Whole and broken numbers become floats, moments with zones of several kinds
    UTC. Times of day, points (as WKT with their SRID) and durations with months are
    ISO text; so is a column of values that are unlike. A date that no calendar of
    Python has is missing. ``tally`` counts each of these.
    """
    tally = Tally() if tally is None else tally
    kinds = _kinds(values)
    if "BrokenHydrationObject" in kinds or "list" in kinds:
        values = [_whole(name, row, value, tally) for row, value in enumerate(values)]
        kinds = _kinds(values)
    if kinds == {"list"}:
        return _lists(name, values, tally)
    return _scalars(name, values, kinds, tally)


def native(value: Any) -> Any:
    """A Python value for one value of the driver, on its own: in an answer, or in a map."""
    if isinstance(value, list):
        return [native(part) for part in value]
    if isinstance(value, dict):
        return {name: native(part) for name, part in value.items()}
    kind = value.__class__.__name__
    if kind == "BrokenHydrationObject":
        return _raw_text(value)
    if kind in ("Date", "DateTime"):
        return value.to_native()
    if kind == "Duration" and _fits(value):
        return _timedelta(value)
    if kind in ("Time", "Duration") or hasattr(value, "srid"):
        return iso(value)
    return bytes(value) if isinstance(value, bytearray) else value


def iso(value: Any) -> str:
    """ISO 8601 for what is of time, WKT with SRID for points, JSON for lists, else plain text."""
    if isinstance(value, str):
        return value
    if value.__class__.__name__ == "Duration":
        return value.iso_format()
    if hasattr(value, "iso_format"):
        return _NOUGHTS.sub("", value.iso_format())
    if hasattr(value, "srid"):
        return f"SRID={value.srid};POINT ({' '.join(format(part, '.15g') for part in value)})"
    if isinstance(value, bool | list | dict):
        return json.dumps(native(value), ensure_ascii=False, default=str)
    return str(value)


def _kinds(values: Sequence[Any]) -> set[str]:
    """Names of the classes of values; points of all coordinate systems are one."""
    names = {value.__class__.__name__ for value in values} - {"NoneType"}
    return {"Point" if name.endswith("Point") else name for name in names}


def _scalars(name: str, values: Sequence[Any], kinds: set[str], tally: Tally) -> pl.Series:
    if not kinds:
        return pl.Series(name, values, dtype=pl.Null)
    if kinds == {"int", "float"}:
        return pl.Series(name, [None if v is None else float(v) for v in values])
    if kinds == {"bytearray"}:
        return pl.Series(name, [None if v is None else bytes(v) for v in values])
    if kinds == {"Date"}:
        return pl.Series(name, _each(values, lambda v: v.to_native()), dtype=pl.Date)
    if kinds == {"DateTime"}:
        return _moments(name, values, tally)
    if kinds == {"Duration"} and all(_fits(v) for v in values if v is not None):
        tally.counts[CUT] += sum(v is not None and v.nanoseconds % 1000 > 0 for v in values)
        return pl.Series(name, _each(values, _timedelta), dtype=pl.Duration("us"))
    if len(kinds) > 1 or kinds & {"list"}:
        tally.counts[MIXED] += sum(v is not None for v in values)
    elif not kinds <= {"int", "float", "str", "bool", "bytes"}:
        months = any(v.months for v in values if v is not None) if kinds == {"Duration"} else 0
        long = "durations with months" if months else "durations of 290,000 years and more"
        what = {"Time": "times of day", "Duration": long}.get(next(iter(kinds)), "points")
        tally.counts[f"{what}, {TEXT}"] += sum(v is not None for v in values)
    try:
        if kinds <= {"int", "float", "str", "bool", "bytes"} and len(kinds) == 1:
            return pl.Series(name, values)
    except (TypeError, OverflowError, pl.exceptions.PolarsError):
        pass
    return pl.Series(name, _each(values, iso), dtype=pl.String)


def _lists(name: str, values: Sequence[Any], tally: Tally) -> pl.Series:
    """Lists by one pass over all of their parts, cut again where each ends."""
    parts = [part for value in values if value is not None for part in value]
    flat = column(name, parts, tally)
    sizes = [None if value is None else len(value) for value in values]
    dtype = pl.String() if flat.dtype == pl.Null else flat.dtype
    flat, out, at = flat.cast(dtype), [], 0
    for size in sizes:
        out.append(None if size is None else flat[at : at + size])
        at += size or 0
    return pl.Series(name, out, dtype=pl.List(dtype))


def _moments(name: str, values: Sequence[Any], tally: Tally) -> pl.Series:
    """Moments to microseconds: in their zone where all have one, else UTC; local ones without."""
    some = [value for value in values if value is not None]
    tally.counts[CUT] += sum(value.nanosecond % 1000 > 0 for value in some)
    zones = {_zone(value) for value in some}
    plain = _each(values, lambda v: v.to_native())
    if zones == {None}:
        return pl.Series(name, plain, dtype=pl.Datetime("us"))
    if None in zones:
        tally.counts[MIXED] += len(some)
        return pl.Series(name, _each(values, iso), dtype=pl.String)
    utc = [None if value is None else value.astimezone(dt.UTC) for value in plain]
    series = pl.Series(name, utc, dtype=pl.Datetime("us", "UTC"))
    zone = next(iter(zones))
    if len(zones) > 1 or not zone:
        tally.counts["moments of several zones or of an offset, kept as UTC"] += len(some)
        return series
    return series.dt.convert_time_zone(zone)


def _zone(value: Any) -> str | None:
    """The name of a zone, empty for a bare offset other than UTC, None for a local moment."""
    if value.tzinfo is None:
        return None
    name = getattr(value.tzinfo, "zone", None) or getattr(value.tzinfo, "key", None)
    if name is None and not value.utcoffset():
        return "UTC"
    return name or ""


def _whole(name: str, row: int, value: Any, tally: Tally) -> Any:
    """The value without what the driver could not read; that is noted."""
    if isinstance(value, list):
        kept = [_whole(name, row, part, tally) for part in value]
        return [part for part in kept if part is not None]
    if value.__class__.__name__ != "BrokenHydrationObject":
        return value
    tally.counts[BEYOND] += 1
    tally.left_out.append((name, row, _raw_text(value)))
    return None


def _raw_text(value: Any) -> str:
    """What the server sent, as far as it can be said: (days) or (seconds, nanoseconds, zone)."""
    fields = getattr(value.raw_data, "fields", ())
    if fields and all(isinstance(part, int) for part in fields[:2]):
        text = str(np.datetime64(fields[0], "D" if len(fields) == 1 else "s"))
        return f"-{text[1:].zfill(len(text[1:]) + 1)}" if re.match(r"-\d{3}-", text) else text
    return str(value.error)


def _fits(duration: Any) -> bool:
    """Whether a duration is a number of microseconds that a column holds."""
    seconds = duration.days * 86_400 + duration.seconds
    return not duration.months and abs(seconds) < 2**63 // 1_000_000


def _timedelta(value: Any) -> dt.timedelta:
    return dt.timedelta(
        days=value.days, seconds=value.seconds, microseconds=value.nanoseconds // 1000
    )


def _each(values: Sequence[Any], make: Callable[[Any], Any]) -> list[Any]:
    return [None if value is None else make(value) for value in values]
