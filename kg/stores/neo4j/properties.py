"""Properties of nodes and relationships, gathered from pages, as a table of typed columns."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import polars as pl

from trefoil.data.interactions import Ints
from trefoil.data.neo4j.columns import Tally, column, native
from trefoil.kg.graph import LABELS
from trefoil.kg.stores.neo4j.manifest import Types
from trefoil.kg.stores.property_types import type_of

logger = logging.getLogger(__name__)


def gathered(pages: Sequence[tuple[int, Mapping[str, list[Any]]]]) -> dict[str, list[Any]]:
    """Columns of pages end to end; a page (its size first) without one has None there."""
    names = dict.fromkeys(name for _, page in pages for name in page)
    out: dict[str, list[Any]] = {name: [] for name in names}
    for size, page in pages:
        for name, values in out.items():
            values += page.get(name) or [None] * size
    return out


def table(
    values: Mapping[str, list[Any]],
    order: Ints,
    types: Types,
    wanted: Collection[str] | None,
    tally: Tally,
) -> pl.DataFrame:
    """Columns in this order of rows: in the types they were written with where they fit."""
    rows = order.tolist()
    names = [*types, *sorted(name for name in values if name not in types)]
    columns = []
    for name in names:
        given = values.get(name, [])
        held = [given[row] for row in rows] if given else [None] * len(rows)
        skipped = wanted is not None and name not in wanted and name != LABELS
        if not skipped and (name in types or any(value is not None for value in held)):
            columns.append(_column(name, held, types.get(name), tally))
    return pl.DataFrame(columns)


def _column(name: str, values: list[Any], type: str | None, tally: Tally) -> pl.Series:
    if type is not None:
        dtype = type_of(type)
        plain = list(map(native, values))
        try:
            if isinstance(dtype, pl.Datetime) and dtype.time_zone:
                utc = pl.Series(name, plain, dtype=pl.Datetime(dtype.time_unit, "UTC"))
                return utc.dt.convert_time_zone(dtype.time_zone)
            return pl.Series(name, plain, dtype=dtype, strict=True)
        except (TypeError, ValueError, OverflowError, pl.exceptions.PolarsError):
            logger.warning("property %r no longer has the type %s it was written with", name, type)
    return column(name, values, tally)
