"""Moments as UTC seconds, however a table writes them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from trefoil.data.errors import DataError
from trefoil.data.interactions import UNKNOWN_TIME, Bools, Ints

LATEST = 253_402_300_799  # the last second of the year 9999
UNITS = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_ISO = (
    r"^(\d{4}-\d{2}-\d{2})(?:[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:[.,]\d+)?)?"
    r"\s?(?:([Zz]|UTC)|([+-])(\d{2}):?(\d{2})?)?)?$"
)
_DAY = r"^(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
_CLOCK = r"(?:[01]\d|2[0-3])[0-5]\d(?:[0-5]\d)?"
_COMPACT = rf"{_DAY}(?:[Tt]?{_CLOCK}[Zz]?)?$"


@dataclass(frozen=True)
class Moments:
    """Times of rows: ``UNKNOWN_TIME`` in ``at`` where there is none or none can be read.

    ``far`` marks times beyond the year 9999. ``compact`` says that numbers such
    as 20261128 were read as days.
    """

    at: Ints
    unreadable: Bools
    far: Bools
    compact: bool = False


def moments(
    series: pl.Series, form: str | None = None, unit: str = "s", *, compact: bool | None = None
) -> Moments:
    """UTC seconds of a column; a time without a zone is UTC and fractions are cut off.

    Text is read row by row as Unix time in ``unit`` or as ISO 8601, or by ``form``
    (as strftime has it) alone. A column of which most values are days such as
    20261128, as text or as numbers, with or without a clock time after it, is
    read as days, unless ``compact`` says whether. Raises DataError where the column has a
    type to which form or unit say nothing.
    """
    kind = series.dtype
    if isinstance(kind, pl.List):
        return moments(series.list.first(), form, unit, compact=compact)
    if kind.is_numeric() and (kind.is_integer() or _whole(series)):
        whole = series.cast(pl.Int64, strict=False).cast(pl.String)
        if form is not None or _are_days(whole, compact):
            series, kind = whole, pl.String()
    if (form is not None and kind != pl.String) or (unit != "s" and kind.is_temporal()):
        raise DataError(
            f"time column {series.name!r} has the type {kind}, which time_format and time_unit "
            "cannot change; leave them away"
        )
    given, days = series.is_not_null(), False
    if kind == pl.String:
        series = series.str.strip_chars()
        given = given & (series != "").fill_null(False)
        days = form is None and _are_days(series.filter(given), compact)
        seconds = _by_form(series, form) if form is not None else _text(series, unit, days)
    else:
        seconds = _typed(series, unit)
        given = given & ~series.is_nan() if kind.is_float() else given
    return _checked(seconds, given, days)


def _checked(seconds: pl.Series, given: pl.Series, compact: bool) -> Moments:
    unreadable = (given & seconds.is_null()).to_numpy()
    known = seconds.fill_null(0).to_numpy()
    far = np.abs(known) > LATEST
    missing = unreadable | far | ~given.to_numpy()
    at = np.where(missing, UNKNOWN_TIME, np.where(far, 0, known).astype(np.int64))
    return Moments(at, unreadable, far, compact)


def _typed(series: pl.Series, unit: str) -> pl.Series:
    kind = series.dtype
    if isinstance(kind, pl.Datetime):
        utc = series if kind.time_zone is None else series.dt.convert_time_zone("UTC")
        return utc.dt.epoch("us").cast(pl.Float64) // 1_000_000
    if kind == pl.Date:
        return series.cast(pl.Datetime("us")).dt.epoch("s").cast(pl.Float64)
    if kind.is_numeric():
        return _finite((series.cast(pl.Float64) / UNITS[unit]).floor())
    return pl.Series([None] * len(series), dtype=pl.Float64)


def _text(texts: pl.Series, unit: str, compact: bool) -> pl.Series:
    """Unix seconds of stripped texts, null where unreadable."""
    if compact:
        texts = _spread(texts)
    numbers = _finite((texts.cast(pl.Float64, strict=False) / UNITS[unit]).floor())
    left = numbers.is_null() & texts.is_not_null()
    if left.any():
        numbers = numbers.scatter(left.arg_true(), _iso(_spread(texts.filter(left))))
    return numbers


def _spread(texts: pl.Series) -> pl.Series:
    """Days and times written without marks, with the marks of ISO 8601."""
    days = texts.str.contains(_COMPACT).fill_null(False)
    if not days.any():
        return texts
    marked = texts.str.replace(r"^(\d{4})(\d\d)(\d\d)", "$1-$2-$3")
    marked = marked.str.replace(r"^(\d{4}-\d\d-\d\d)[Tt]?(\d\d)(\d\d)", "${1}T${2}:${3}")
    marked = marked.str.replace(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d)(\d\d)", "${1}:${2}")
    return marked.zip_with(days, texts)


def _by_form(texts: pl.Series, form: str) -> pl.Series:
    try:
        found = texts.str.to_datetime(form, strict=False, time_unit="us")
    except pl.exceptions.PolarsError as fault:
        said = str(fault).splitlines()[0]
        raise DataError(f"time_format {form!r} cannot be used ({said})") from None
    return _typed(found, "s")


def _finite(seconds: pl.Series) -> pl.Series:
    return seconds.set(~seconds.is_finite().fill_null(False), None)


def _whole(series: pl.Series) -> bool:
    if not series.dtype.is_float():
        return False
    given = series.drop_nulls().drop_nans()
    return bool(len(given)) and bool((given == given.floor()).all())


def _are_days(texts: pl.Series, said: bool | None) -> bool:
    """Whether more than half of the texts are days such as 20261128, unless that is said."""
    if said is not None:
        return said
    texts = texts.drop_nulls()
    return 2 * int(texts.str.contains(_COMPACT).sum()) > len(texts)


def _iso(texts: pl.Series) -> pl.Series:
    """Unix seconds of ISO 8601 texts, null where unreadable."""
    part = texts.str.extract_groups(_ISO).struct.unnest()
    part.columns = ["day", "hour", "minute", "second", "utc", "sign", "ahead", "aside"]
    number = {
        name: part[name].cast(pl.Int64, strict=False).fill_null(0)
        for name in ("hour", "minute", "second", "ahead", "aside")
    }
    days = part["day"].str.to_date("%Y-%m-%d", strict=False).dt.epoch("d").cast(pl.Int64)
    sign = (part["sign"] == "-").fill_null(False).cast(pl.Int64) * 2 - 1
    offset = sign * (number["ahead"] * 3600 + number["aside"] * 60)
    clock = number["hour"] * 3600 + number["minute"] * 60 + number["second"]
    fits = (number["hour"] < 24) & (number["minute"] < 60) & (number["second"] < 60)
    fits = fits & (number["ahead"] < 24) & (number["aside"] < 60)
    seconds = (days * 86_400 + clock + offset).cast(pl.Float64)
    return seconds.set(~fits, None)
