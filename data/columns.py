"""What a column means: ids, numbers, moments, codes and labels, and which rows are bad."""

from __future__ import annotations

import numpy as np
import polars as pl

from data.errors import DataError
from data.interactions import UNKNOWN_TIME, Bools, Categorical, Floats, Ints
from data.items import Labels
from data.vocabulary import Vocabulary

LATEST = 253_402_300_799  # the last second of the year 9999
_ISO = (
    r"^(\d{4}-\d{2}-\d{2})(?:[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:[.,]\d+)?)?"
    r"\s?(?:([Zz]|UTC)|([+-])(\d{2}):?(\d{2})?)?)?$"
)


def ids(series: pl.Series, source: str) -> pl.Series:
    """Ids as exact text; empty where there is none. Whole numbers are written in decimal."""
    kind = series.dtype
    if kind == pl.List(pl.String):
        one = series.list.len() == 1
        return series.list.first().set(~one.fill_null(False), "").fill_null("")
    if kind == pl.String or kind.is_integer() or isinstance(kind, (pl.Categorical, pl.Enum)):
        return series.cast(pl.String).fill_null("")
    if kind == pl.Null:
        return pl.Series(series.name, [""] * len(series), dtype=pl.String)
    remedy = "write the ids as text or as whole numbers"
    if kind.is_float():
        remedy = "as floats, ids above 2**53 would merge; " + remedy
    raise DataError(f"{source}: ids in column {series.name!r} have the type {kind}; {remedy}")


def numbers(series: pl.Series) -> tuple[Floats, Bools]:
    """Float32 values, NaN where empty; and which rows hold no finite number."""
    if series.dtype == pl.List(pl.String):
        series = series.list.first()
    if series.dtype == pl.String:
        stripped = series.str.strip_chars()
        given = stripped.is_not_null() & (stripped != "")
        values = stripped.cast(pl.Float64, strict=False)
    elif series.dtype.is_numeric() or series.dtype in (pl.Boolean, pl.Null):
        given, values = series.is_not_null(), series.cast(pl.Float64)
    else:
        given, values = series.is_not_null(), pl.Series([None] * len(series), dtype=pl.Float64)
    with np.errstate(over="ignore"):
        floats = values.fill_null(np.nan).to_numpy().astype(np.float32)
    bad = given.fill_null(False).to_numpy() & ~np.isfinite(floats)
    floats[bad] = np.nan
    return floats, bad


def moments(series: pl.Series) -> tuple[Ints, Bools, Bools]:
    """UTC seconds, ``UNKNOWN_TIME`` where empty; which rows are unreadable; which are too far off.

    Text is read as Unix seconds (fractions are cut off) or as ISO 8601, row by
    row; a time without a zone is UTC.
    """
    kind = series.dtype
    if kind == pl.List(pl.String):
        return moments(series.list.first())
    given = series.is_not_null()
    if kind == pl.String:
        stripped = series.str.strip_chars()
        given = given & (stripped != "").fill_null(False)
        seconds = stripped.cast(pl.Float64, strict=False).floor()
        seconds = seconds.set(~seconds.is_finite().fill_null(False), None)
        left = given & seconds.is_null()
        if left.any():
            seconds = seconds.scatter(left.arg_true(), _iso(stripped.filter(left)))
    elif isinstance(kind, pl.Datetime):
        utc = series if kind.time_zone is None else series.dt.convert_time_zone("UTC")
        seconds = utc.dt.epoch("us").cast(pl.Float64) // 1_000_000
    elif kind == pl.Date:
        seconds = series.cast(pl.Datetime("us")).dt.epoch("s").cast(pl.Float64)
    elif kind.is_numeric():
        seconds = series.cast(pl.Float64).floor()
        seconds = seconds.set(~seconds.is_finite().fill_null(False), None)
    else:
        seconds = pl.Series([None] * len(series), dtype=pl.Float64)
    unreadable = (given & seconds.is_null()).to_numpy()
    known = seconds.fill_null(0).to_numpy()
    far = np.abs(known) > LATEST
    missing = unreadable | far | ~given.to_numpy()
    at = np.where(missing, UNKNOWN_TIME, np.where(far, 0, known).astype(np.int64))
    return at, unreadable, far


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


def codes(series: pl.Series) -> Categorical:
    """A column of few values; names in order of text, -1 where empty."""
    text = _texts(series)
    known = text != ""
    names = text.filter(known).unique().sort()
    found = text.set(~known, None).cast(pl.Enum(names)).to_physical().cast(pl.Int64).fill_null(-1)
    return Categorical(found.to_numpy().copy(), tuple(names))


def labels(series: pl.Series, separator: str, rows: Ints, size: int) -> Labels:
    """Category values of each of ``size`` entities; ``rows`` says whose each table row is."""
    lists = series if series.dtype == pl.List(pl.String) else _texts(series).str.split(separator)
    pairs = pl.DataFrame({"row": rows, "value": lists}).explode("value")
    pairs = pairs.with_columns(pl.col("value").str.strip_chars()).drop_nulls()
    pairs = pairs.filter(pl.col("value") != "").unique().sort("row", "value")
    names = pairs["value"].unique().sort()
    found = pairs["value"].cast(pl.Enum(names)).to_physical().cast(pl.Int64).to_numpy().copy()
    start = np.zeros(size + 1, np.int64)
    np.cumsum(np.bincount(pairs["row"].to_numpy(), minlength=size), out=start[1:])
    return Labels(start, found, tuple(names))


def joined_texts(columns: list[pl.Series]) -> pl.Series:
    """Text columns as one text; a full stop divides them where no other mark ends a part.

    Null where all are empty.
    """
    whole = None
    for column in columns:
        part = _texts(column).str.strip_chars()
        if whole is None:
            whole = part
            continue
        gap = pl.Series([". "] * len(part)).set(whole.str.contains(r"[.!?…:;。！？：；]$"), " ")
        gap = gap.set((whole == "") | (part == ""), "")
        whole = whole + gap + part
    assert whole is not None
    return whole.set(whole == "", None)


def _texts(series: pl.Series) -> pl.Series:
    if series.dtype == pl.List(pl.String):
        return series.list.join(" ").fill_null("")
    return series.cast(pl.String).fill_null("")


def encode(texts: pl.Series, vocabulary: Vocabulary) -> Ints:
    """Rows of texts that the vocabulary holds."""
    kind = pl.Enum(pl.Series(vocabulary.ids, dtype=pl.String))
    return texts.cast(kind).to_physical().cast(pl.Int64).to_numpy().copy()


def lookalikes(vocabulary: Vocabulary) -> tuple[int, tuple[str, str] | None]:
    """How many ids differ from another only in a way that eyes miss, and one such pair.

    Compared without normal form, invisible characters, spaces around and
    leading zeros. The ids themselves stay apart.
    """
    exact = pl.Series("id", vocabulary.ids, dtype=pl.String)
    seen = exact.str.normalize("NFC").str.replace_all(r"\p{Cf}", "").str.strip_chars()
    seen = seen.str.replace(r"^0+(\d+)$", "$1")
    frame = pl.DataFrame({"id": exact, "seen": seen})
    alike = frame.filter(pl.col("seen").is_duplicated())
    if not len(alike):
        return 0, None
    first = alike.filter(pl.col("seen") == alike["seen"].min())["id"]
    return len(alike), (first[0], first[1])
