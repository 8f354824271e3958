"""Typed literals as values, whatever their lexical form; and each value as RDF writes it.

A *family* is a kind of value that can be compared and ordered: numbers, dates, moments
in UTC, times without a zone, durations, truth values. Literals of several datatypes
fall into one family; one that none can hold (``"12x"^^xsd:integer``, ``INF``, a duration
of months) stays text.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import polars as pl

XSD = "http://www.w3.org/2001/XMLSchema#"
_WHOLE = """
    integer int long short byte nonNegativeInteger positiveInteger nonPositiveInteger
    negativeInteger unsignedLong unsignedInt unsignedShort unsignedByte
"""
WHOLE = frozenset(XSD + name for name in _WHOLE.split())
YEAR, MONTH = f"{XSD}gYear", f"{XSD}gYearMonth"
REAL = frozenset(f"{XSD}{name}" for name in ("double", "float", "decimal"))
_SCHEMA = ("http://schema.org/", "https://schema.org/")
_DAYS = frozenset({f"{XSD}date", MONTH, *(f"{space}Date" for space in _SCHEMA)})
_TIMES = frozenset(
    {f"{XSD}dateTime", f"{XSD}dateTimeStamp", *(f"{space}DateTime" for space in _SCHEMA)}
)
_LENGTHS = frozenset(
    {f"{XSD}duration", f"{XSD}dayTimeDuration", *(f"{space}Duration" for space in _SCHEMA)}
)
_LOOSE = frozenset(iri for iri in (*_DAYS, *_TIMES) if iri.startswith(_SCHEMA))  # any of the forms
TYPED = WHOLE | REAL | {YEAR} | _DAYS | _TIMES | _LENGTHS | {f"{XSD}boolean"}

NUMBER, DATE, MOMENT, TIME, DURATION, BOOLEAN = (
    "number", "date", "dateTime", "localDateTime", "duration", "boolean",
)  # fmt: skip

_INTEGER = r"^[+-]?[0-9]+$"
_DECIMAL = r"^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)$"
_DOUBLE = r"^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$"
_ZONE = r"(Z|[+-][0-9]{2}:[0-9]{2})?$"
_YEAR = r"^(-?[0-9]{4})" + _ZONE
_MONTH = r"^([0-9]{4}-[0-9]{2})" + _ZONE
_DATE = r"^([0-9]{4}-[0-9]{2}-[0-9]{2})" + _ZONE
_DATE_TIME = (
    r"^(?P<whole>[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})"
    r"(?:\.(?P<fraction>[0-9]+))?(?:(?P<utc>Z)|(?P<sign>[+-])(?P<hours>[0-9]{2}):(?P<minutes>[0-9]{2}))?$"
)
_DURATION = (
    r"^(?P<sign>-)?P(?:(?P<days>[0-9]{1,7})D)?(?:T(?:(?P<hours>[0-9]{1,9})H)?"
    r"(?:(?P<minutes>[0-9]{1,9})M)?(?:(?P<seconds>[0-9]{1,9})(?:\.(?P<fraction>[0-9]+))?S)?)?$"
)


def typed(text: pl.Series, datatype: str) -> Iterator[tuple[str, pl.Series]]:
    """Families of these lexical forms of one datatype, each with a value or null for every row.

    A row has a value in one family at most.
    """
    if datatype in WHOLE:
        yield NUMBER, _cast(text, _INTEGER, pl.Int64())
    elif datatype in REAL:
        pattern = _DECIMAL if datatype.endswith("decimal") else _DOUBLE
        yield NUMBER, _cast(text, pattern, pl.Float64())
    elif datatype == f"{XSD}boolean":
        words = {"true": True, "1": True, "false": False, "0": False}
        yield BOOLEAN, text.replace_strict(words, default=None, return_dtype=pl.Boolean)
    elif datatype in _LENGTHS:
        yield DURATION, _durations(text)
    if datatype == YEAR or datatype in _LOOSE:
        yield NUMBER, text.str.extract(_YEAR, 1).cast(pl.Int64, strict=False)
    if datatype in _DAYS or datatype in _LOOSE:
        pattern = _MONTH if datatype == MONTH else _DATE
        days = _days(text, pattern)
        if datatype in _LOOSE:
            days = pl.select(pl.coalesce(days, _days(text, _MONTH))).to_series()
        yield DATE, days
    if datatype in _TIMES or datatype in _LOOSE:
        yield from _date_times(text)


def _cast(text: pl.Series, pattern: str, dtype: pl.DataType) -> pl.Series:
    plain = text.str.strip_prefix("+").set(~text.str.contains(pattern), None)
    number = plain.cast(dtype, strict=False)
    return number.set(~number.is_finite(), None) if dtype == pl.Float64 else number


def _days(text: pl.Series, pattern: str) -> pl.Series:
    day = text.str.extract(pattern, 1)
    if pattern == _MONTH:
        day = day + "-01"
    date = day.str.to_date("%Y-%m-%d", strict=False)
    return date.set(date.dt.year() < 1, None)


def _date_times(text: pl.Series) -> Iterator[tuple[str, pl.Series]]:
    parts = text.str.extract_groups(_DATE_TIME).struct.unnest()
    moment = pl.col("whole").str.to_datetime("%Y-%m-%dT%H:%M:%S", strict=False, time_unit="us")
    away = pl.duration(hours=_whole("hours"), minutes=_whole("minutes"), time_unit="us")
    west = pl.col("sign") == "-"
    moment = moment + _microseconds() + pl.when(west).then(away).otherwise(-away)
    zoned = pl.col("utc").is_not_null() | pl.col("sign").is_not_null()
    found = parts.select(
        zoned=zoned, moment=pl.when(moment.dt.year().is_between(1, 9999)).then(moment)
    )
    for family, wanted in ((TIME, ~found["zoned"]), (MOMENT, found["zoned"])):
        values = found["moment"].set(~wanted.fill_null(False), None)
        yield family, values.dt.replace_time_zone("UTC") if family == MOMENT else values


def _durations(text: pl.Series) -> pl.Series:
    parts = text.str.extract_groups(_DURATION).struct.unnest()
    units = ("days", "hours", "minutes", "seconds")
    given = pl.any_horizontal(pl.col(unit).is_not_null() for unit in units)
    length = pl.duration(**{unit: _whole(unit) for unit in units}, time_unit="us")
    length = length + _microseconds()
    signed = pl.when(pl.col("sign") == "-").then(-length).otherwise(length)
    bare = text.str.ends_with("T")  # "P1DT" is no duration
    return parts.select(pl.when(given & ~pl.lit(bare)).then(signed)).to_series()


def _whole(name: str) -> pl.Expr:
    return pl.col(name).cast(pl.Int64).fill_null(0)


def _microseconds() -> pl.Expr:
    digits = pl.col("fraction").fill_null("").str.pad_end(6, "0").str.slice(0, 6)
    return pl.duration(microseconds=digits.cast(pl.Int64), time_unit="us")


def lexical(value: object, datatype: str = "") -> str:
    """A value as RDF writes it most simply, in a datatype."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and datatype == YEAR:
        return f"{value:05d}" if value < 0 else f"{value:04d}"
    if isinstance(value, float) and datatype in WHOLE and value.is_integer():
        return str(int(value))
    if isinstance(value, dt.datetime):
        text, zone = value.replace(tzinfo=None).isoformat(), "Z" if value.tzinfo else ""
        return (text.rstrip("0") if value.microsecond else text) + zone
    if isinstance(value, dt.date):
        return value.isoformat()[: 7 if datatype == MONTH else 10]
    if isinstance(value, dt.timedelta):
        return _iso_duration(value)
    return str(value)


def _iso_duration(value: dt.timedelta) -> str:
    sign, value = ("-", -value) if value < dt.timedelta(0) else ("", value)
    minutes, seconds = divmod(value.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    fraction = f".{value.microseconds:06d}".rstrip("0") if value.microseconds else ""
    parts = [(value.days, "D"), (hours, "H"), (minutes, "M")]
    day, hour, minute = (f"{number}{unit}" if number else "" for number, unit in parts)
    second = f"{seconds}{fraction}S" if seconds or fraction else ""
    clock = f"T{hour}{minute}{second}" if hour or minute or second else ""
    return f"{sign}P{day}{clock}" if day or clock else "PT0S"


def lexical_forms(values: pl.Series, datatype: str) -> pl.Series:
    """``lexical`` of every value of a column, in one datatype."""
    if values.dtype == pl.Int64 and datatype != YEAR:
        return values.cast(pl.String)
    forms: list[Any] = [None if one is None else lexical(one, datatype) for one in values]
    return pl.Series(forms, dtype=pl.String)
