"""Tables without forgotten people and with pseudonyms, before anything else reads them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import polars as pl

from trefoil.data.interactions import Bools
from trefoil.data.privacy import ForgottenPeople, pseudonym
from trefoil.data.readers import columns as read
from trefoil.data.readers.tables import Table


def with_pseudonyms(table: Table, column: str, key: str, missing_ids: Sequence[str]) -> Table:
    """The table whose ids in a column are pseudonyms; lines that are no rows go.

    Words for a missing id stay as they are.
    """
    ids = _ids(table, column)
    named = [one for one in ids.drop_nulls().unique().to_list() if one.strip() not in missing_ids]
    names = {one: pseudonym(one, key) for one in named}
    told = ids.replace_strict(names, default=ids, return_dtype=pl.String)
    return replace(table, frame=table.frame.with_columns(told.alias(column)), bad=())


def without_people(table: Table, column: str, forgotten: ForgottenPeople) -> Table:
    """The table without rows of forgotten people; the lines of the others stay."""
    if not forgotten.digests:
        return table
    ids = _ids(table, column)
    gone = {one for one in ids.drop_nulls().unique().to_list() if one in forgotten}
    kept: Bools = ~ids.is_in(list(gone)).fill_null(False).to_numpy()
    bad = tuple(row for row in table.bad if not _speaks_of(row.row, forgotten))
    return replace(table, frame=table.frame.filter(pl.Series(kept)), line=table.line[kept], bad=bad)


def _ids(table: Table, column: str) -> pl.Series:
    """Ids as they are compared: without one the row is None."""
    ids = read.ids(table.column(column, "user id"), table.source)
    return pl.select(pl.when(ids != "").then(ids)).to_series()


def _speaks_of(row: Mapping[str, Any] | str, forgotten: ForgottenPeople) -> bool:
    """Whether a line that is no row has a forgotten id among its words."""
    cells = [row] if isinstance(row, str) else row.values()
    words = (word for cell in cells for word in re.split(r"[\s,;|\t]+", str(cell)))
    return any(word.strip("\"'") in forgotten for word in words)
