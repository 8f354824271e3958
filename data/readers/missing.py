"""Words that stand for a missing value."""

from __future__ import annotations

from collections.abc import Collection

import polars as pl

# What programs write for nothing: str() of Python and of data frames, and exports of databases.
WRITTEN = ("None", "nan", "NaN", "<NA>", "NaT", "NULL", "null", "\\N")
# What people and spreadsheets write in a cell; as an id each of these may be meant.
IN_CELLS = (*WRITTEN, "-", "--", "NA", "N/A", "n/a", "#N/A")
IN_NUMBERS = tuple(sorted({word.lower() for word in IN_CELLS} | {"#n/a", ".", "?"}))


def emptied(
    series: pl.Series, words: Collection[str] = IN_CELLS, *, any_case: bool = False
) -> tuple[pl.Series, dict[str, int]]:
    """A column without such words, and how often each occurred. Lists lose the values alone."""
    if series.dtype == pl.List(pl.String):
        values = series.list.explode(keep_nulls=False, empty_as_null=False)
        found = counted(values, words, any_case=any_case)
        if found:
            kept = ~pl.element().str.strip_chars().is_in(list(found))
            series = series.list.eval(pl.element().filter(kept))
        return series, found
    if series.dtype != pl.String:
        return series, {}
    found = counted(series, words, any_case=any_case)
    if found:
        series = series.set(series.str.strip_chars().is_in(list(found)).fill_null(False), None)
    return series, found


def counted(series: pl.Series, words: Collection[str], *, any_case: bool = False) -> dict[str, int]:
    """How often each of these words is all that a text says, the commonest first."""
    texts = series.drop_nulls()
    texts = texts.filter(texts.str.len_bytes() <= 16).str.strip_chars()
    compared = texts.str.to_lowercase() if any_case else texts
    texts = texts.filter(compared.is_in(list(words)))
    found = texts.value_counts(name="count") if len(texts) else None
    if found is None:
        return {}
    found = found.sort("count", texts.name, descending=[True, False])
    return dict(found.iter_rows())
