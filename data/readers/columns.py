"""What a column means: ids, numbers, codes and labels, and which rows are bad."""

from __future__ import annotations

import numpy as np
import polars as pl

from trefoil.data.errors import DataError
from trefoil.data.interactions import Bools, Categorical, Floats, Ints
from trefoil.data.items import Labels
from trefoil.data.readers.missing import IN_CELLS
from trefoil.data.vocabulary import LARGEST_FLOAT, Vocabulary

_TEXTS = pl.List(pl.String)


def ids(series: pl.Series, source: str, first: int = 1) -> pl.Series:
    """Ids as exact text; empty where there is none. Whole numbers are written in decimal.

    The rule is that of ``vocabulary.id_text``, for a column whose first row has the number
    ``first``. Raises DataError.
    """
    kind = series.dtype
    if kind == _TEXTS:
        one = series.list.len() == 1
        return series.list.first().set(~one.fill_null(False), "").fill_null("")
    if kind == pl.String or kind.is_integer() or isinstance(kind, (pl.Categorical, pl.Enum)):
        return series.cast(pl.String).fill_null("")
    if kind == pl.Null:
        return pl.Series(series.name, [""] * len(series), dtype=pl.String)
    if kind.is_float() or kind.is_decimal():
        return _whole_ids(series, source, first)
    raise DataError(
        f"{source}: ids in column {series.name!r} have the type {kind}; "
        "write the ids as text or as whole numbers"
    )


def _whole_ids(series: pl.Series, source: str, first: int) -> pl.Series:
    text = _decimal(series)
    wrong = text.str.contains(r"[^0-9-]").fill_null(False)
    if wrong.any():
        row = int(wrong.arg_true()[0])
        raise DataError(
            f"{source}: ids in column {series.name!r} have the type {series.dtype} and row "
            f"{first + row} holds {series[row]}; as numbers, ids must be whole and floats below "
            "2**53, or they would merge; write the ids as text or as whole numbers"
        )
    return text.fill_null("")


def _decimal(series: pl.Series) -> pl.Series:
    """Numbers as text: whole ones without a point, as far as their type tells them apart."""
    if series.dtype.is_decimal():
        return series.cast(pl.String).str.replace(r"\.0*$", "")
    limit = 2**24 if series.dtype == pl.Float32 else LARGEST_FLOAT
    series = series.fill_nan(None)
    whole = (series == series.floor()) & (series.abs() < limit)
    plain = series.cast(pl.Int64, strict=False).cast(pl.String)
    return plain.zip_with(whole.fill_null(False), series.cast(pl.String))


def numbers(series: pl.Series) -> tuple[Floats, Bools]:
    """Float32 values, NaN where none is given; and which rows hold no finite number."""
    if isinstance(series.dtype, pl.List):
        series = series.list.first()
    if series.dtype == pl.String:
        stripped = series.str.strip_chars()
        given = stripped.is_not_null() & (stripped != "")
        values = stripped.cast(pl.Float64, strict=False)
    elif series.dtype.is_numeric() or series.dtype in (pl.Boolean, pl.Null):
        values = series.cast(pl.Float64).fill_nan(None)
        given = values.is_not_null()
    else:
        given, values = series.is_not_null(), pl.Series([None] * len(series), dtype=pl.Float64)
    with np.errstate(over="ignore"):
        floats = values.fill_null(np.nan).to_numpy().astype(np.float32)
    bad = given.fill_null(False).to_numpy() & ~np.isfinite(floats)
    floats[bad] = np.nan
    return floats, bad


def codes(series: pl.Series) -> Categorical:
    """A column of few values; names in order of text, -1 where empty."""
    text = texts(series)
    known = text != ""
    names = text.filter(known).unique().sort()
    found = text.set(~known, None).cast(pl.Enum(names)).to_physical().cast(pl.Int64).fill_null(-1)
    return Categorical(found.to_numpy().copy(), tuple(names))


def labels(series: pl.Series, separator: str, rows: Ints, size: int) -> Labels:
    """Category values of each of ``size`` entities; ``rows`` says whose each table row is."""
    series = plain(series)
    lists = series if series.dtype == _TEXTS else texts(series).str.split(separator)
    pairs = pl.DataFrame({"row": rows, "value": lists}).explode("value")
    pairs = pairs.with_columns(pl.col("value").str.strip_chars()).drop_nulls()
    nothing = pl.col("value").is_in(["", *IN_CELLS])
    pairs = pairs.filter(~nothing).unique().sort("row", "value")
    names = pairs["value"].unique().sort()
    found = pairs["value"].cast(pl.Enum(names)).to_physical().cast(pl.Int64).to_numpy().copy()
    start = np.zeros(size + 1, np.int64)
    np.cumsum(np.bincount(pairs["row"].to_numpy(), minlength=size), out=start[1:])
    return Labels(start, found, tuple(names))


def plain(series: pl.Series) -> pl.Series:
    """A column of texts or of lists of texts, whatever the type; numbers as ids are written.

    Raises DataError where a value holds values of its own.
    """
    kind = series.dtype
    if isinstance(kind, pl.Array):
        series = series.arr.to_list()
        kind = series.dtype
    if isinstance(kind, pl.List):
        if kind == _TEXTS:
            return series
        inner = plain(series.explode(empty_as_null=False, keep_nulls=False))
        if inner.dtype != pl.String:
            raise DataError(f"column {series.name!r} holds lists of lists; give one list a row")
        place = pl.Series(np.repeat(np.arange(len(series)), series.list.len().fill_null(0)))
        lists = pl.DataFrame({"row": place, "value": inner}).drop_nulls()
        lists = lists.group_by("row", maintain_order=True).agg("value")
        every = pl.DataFrame({"row": np.arange(len(series))})
        return every.join(lists, on="row", how="left", maintain_order="left")["value"].alias(
            series.name
        )
    if isinstance(kind, (pl.Struct, pl.Object, pl.Duration, pl.Binary)):
        raise DataError(f"column {series.name!r} has the type {kind}; give texts or numbers")
    if kind.is_float() or kind.is_decimal():
        return _decimal(series)
    return series.cast(pl.String)


def texts(series: pl.Series) -> pl.Series:
    """One text a row, empty where there is none; the texts of a list are joined by blanks."""
    series = plain(series)
    if series.dtype == _TEXTS:
        return series.list.join(" ").fill_null("")
    return series.fill_null("")


def joined_texts(columns: list[pl.Series]) -> pl.Series:
    """Text columns as one text; a full stop divides them where no other mark ends a part.

    Null where all are empty.
    """
    whole = None
    for column in columns:
        part = texts(column).str.strip_chars()
        if whole is None:
            whole = part
            continue
        gap = pl.Series([". "] * len(part)).set(whole.str.contains(r"[.!?…:;。！？：；]$"), " ")
        gap = gap.set((whole == "") | (part == ""), "")
        whole = whole + gap + part
    assert whole is not None
    return whole.set(whole == "", None)


def encode(texts: pl.Series, vocabulary: Vocabulary) -> Ints:
    """Rows of texts, plain or as categories, that the vocabulary holds."""
    if isinstance(texts.dtype, pl.Categorical):
        codes = texts.to_physical().to_numpy()
        used = texts.unique()
        row = np.full(int(codes.max(initial=0)) + 1, -1, np.int64)
        row[used.to_physical().to_numpy()] = encode(used.cast(pl.String), vocabulary)
        return row[codes]
    kind = pl.Enum(pl.Series(vocabulary.ids, dtype=pl.String))
    return texts.cast(kind).to_physical().cast(pl.Int64).to_numpy().copy()


def distinct(texts: pl.Series) -> pl.Series:
    """Each text once, plain, in order; categories as their texts."""
    return texts.unique().cast(pl.String).sort()
