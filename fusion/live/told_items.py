"""Items as a log holds them: JSON values, and the table or the items that they came from."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from trefoil.data.errors import DataError
from trefoil.data.given import given
from trefoil.data.items import Entities, Labels
from trefoil.data.readers.frames import items_of
from trefoil.fusion.requests import arguments

WORDS = ("id", "title", "text")


def rows_of(items: Any) -> list[dict[str, Any]]:
    """Items as JSON values, a mapping each; categories are told by ``categories_of``."""
    if isinstance(items, Entities):
        columns = {"id": items.vocabulary.ids, "title": items.titles, "text": items.texts}
        numbers = {n: [None if v != v else v for v in c.tolist()] for n, c in items.score.items()}
        columns |= numbers
        names = list(columns)
        return [dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    frame = _frame(items)
    frame = frame.with_columns(pl.selectors.temporal().cast(pl.String))
    return frame.with_columns(pl.selectors.float().fill_nan(None)).to_dicts()


def changed_rows(items: Any) -> list[dict[str, Any]]:
    """Rows of a table of items that are described anew, ids as text."""
    return [
        {**row, "id": arguments.one_id("id", row["id"])} if row.get("id") is not None else row
        for row in rows_of(items)
    ]


def categories_of(items: Any) -> dict[str, list[list[str]]]:
    """The values of each category column of ``Items``, a list for each item; else none."""
    if not isinstance(items, Entities):
        return {}
    return {
        name: [
            [one.names[code] for code in one.codes[first:last].tolist()]
            for first, last in zip(one.start[:-1].tolist(), one.start[1:].tolist(), strict=True)
        ]
        for name, one in items.category.items()
    }


def items_told(
    rows: Sequence[Mapping[str, Any]], categories: Mapping[str, Sequence[Sequence[str]]]
) -> pl.DataFrame | Entities:
    """What was told, of the values of ``rows_of`` and ``categories_of``."""
    frame = pl.DataFrame(rows, infer_schema_length=None)
    if not categories:
        return frame
    items = items_of(frame, numbers=[name for name in frame.columns if name not in WORDS])
    return replace(items, category={name: _labels(one) for name, one in categories.items()})


def _labels(values: Sequence[Sequence[str]]) -> Labels:
    code_of: dict[str, int] = {}
    codes = [code_of.setdefault(one, len(code_of)) for own in values for one in own]
    start = np.cumsum([0, *map(len, values)])
    return Labels(start, np.array(codes, np.int64), tuple(code_of))


def _frame(items: Any) -> pl.DataFrame:
    """A table of any form: a frame of either kind, a mapping or a list of them."""
    if isinstance(items, pl.DataFrame):
        return items
    if type(items).__module__.partition(".")[0] == "pandas":
        return pl.from_pandas(items)
    rows = (
        [items]
        if isinstance(items, Mapping)
        else list(given("items", items, Iterable, "give a table of items"))
    )
    try:
        return pl.DataFrame(rows, infer_schema_length=None)
    except (TypeError, ValueError, OverflowError, pl.exceptions.PolarsError) as fault:
        raise DataError(
            f"items: no table can be made of these rows ({type(fault).__name__}: "
            f"{str(fault)[:200]}); give the values of a column all as text or all as numbers"
        ) from None
