"""Events as they are told to a running recommender: one row each, ids still as text."""

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from trefoil.data.errors import DataError
from trefoil.data.interactions import UNKNOWN_TIME
from trefoil.data.readers import columns as read
from trefoil.data.readers.events import EventColumns, read_rows
from trefoil.data.readers.quarantine import Sieve
from trefoil.data.readers.tables import Table
from trefoil.fusion.past import Event

OWN = {"rating": "stars", "time": "time", "behaviour": "kind", "positive": "positive"}
IN_ROWS = ("user", "item", "time", "stars", "kind")  # of a row without names
ID = "id"


@dataclass(frozen=True)
class Meaning:
    """Which columns a table of events may have; each by Trefoil's name or the dataset's own."""

    columns: Mapping[str, Any]
    scenarios: Sequence[str]

    def names(self, there: Sequence[str]) -> EventColumns:
        """The columns of a table. Raises DataError without a user or an item."""
        found = {what: self._name(what, what, there) for what in ("user", "item")}
        for what, name in found.items():
            if name is None:
                own = self.columns.get(what, what)
                also = f", as {own!r}" if own != what else ""
                raise DataError(f"events: no column {what!r}{also}; there is {list(there)}")
        more = {what: self._name(what, own, there) for what, own in OWN.items()}
        form = {n: self.columns[n] for n in ("time_format", "time_unit") if self.columns.get(n)}
        scenario = tuple(name for name in self.scenarios if name in there)
        timed = form if more["time"] == self.columns.get("time") and more["time"] else {}
        return EventColumns(**found, **more, scenario=scenario, **timed)  # type: ignore[arg-type]

    def _name(self, what: str, own: str, there: Sequence[str]) -> str | None:
        names = (own, self.columns.get(what))
        return next((name for name in names if name and name in there), None)


def events_in(given: Any, meaning: Meaning) -> list[Event]:
    """The events of a frame, of a list of mappings, or of rows user, item, time, stars, kind.

    Raises DataError for a row that cannot be used: then none is taken.
    """
    frame = _frame(given, meaning.scenarios)
    if not len(frame):
        return []
    names = meaning.names(frame.columns)
    sieve = Sieve(Table.of(frame, "events"), max_bad_share=0.0)
    found = read_rows(sieve.table, names, sieve)
    if len(found.user) < len(frame):
        row = int(np.flatnonzero(~sieve.good)[0]) + 1
        raise DataError(f"events: row {row} has no user or no item; give every event both")
    ids = _ids(frame, names)
    contexts = [None] * len(frame)
    if found.scenario:
        columns = {name: _names_of(one) for name, one in found.scenario.items()}
        contexts = [
            json.dumps({n: v for n, v in zip(columns, row, strict=True) if v}, ensure_ascii=False)
            for row in zip(*columns.values(), strict=True)
        ]
    at = [None] * len(frame) if found.at is None else _or_none(found.at, UNKNOWN_TIME)
    stars = [None] * len(frame) if found.stars is None else _or_none(found.stars)
    flags = found.positive.tolist() if names.positive else [None] * len(frame)
    kinds = [None] * len(frame) if found.kind is None else _names_of(found.kind)
    rows = zip(ids, found.user, found.item, at, stars, flags, kinds, contexts, strict=True)
    return [Event(*row) for row in rows]


def dated(events: Iterable[Event]) -> list[Event]:
    """The same; an event without a time happened now."""
    now = int(time.time())
    return [one if one.at is not None else one._replace(at=now) for one in events]


def _frame(given: Any, scenarios: Sequence[str]) -> pl.DataFrame:
    if isinstance(given, pl.DataFrame):
        return given
    if isinstance(given, pl.LazyFrame):
        return given.collect()
    try:
        if type(given).__module__.partition(".")[0] == "pandas":
            return pl.from_pandas(given)
        rows = [given] if isinstance(given, Mapping) else list(given)
        if all(isinstance(row, Mapping) for row in rows):
            return pl.DataFrame(rows, infer_schema_length=None)
        names = (*IN_ROWS, *scenarios)
        width = max(len(row) for row in rows)
        if width > len(names) or any(isinstance(row, str) for row in rows):
            raise DataError(f"events: rows of {width}; give {', '.join(names)}, in this order")
        full = [dict(zip(names, row, strict=False)) for row in rows]
        return pl.DataFrame(full, infer_schema_length=None)
    except (TypeError, pl.exceptions.PolarsError, ValueError) as fault:
        if isinstance(fault, DataError):
            raise
        raise DataError(
            f"events: no table ({fault}); give a frame, a list of mappings or rows of "
            f"{', '.join(IN_ROWS)}"
        ) from None


def _ids(frame: pl.DataFrame, names: EventColumns) -> Sequence[str | None]:
    if ID not in frame.columns or ID in (names.user, names.item):
        return [None] * len(frame)
    ids = read.ids(frame[ID], "events").to_list()
    return [one or None for one in ids]


def _names_of(column: Any) -> list[str | None]:
    names = (*column.names, None)
    return [names[code] for code in column.codes.tolist()]


def _or_none(values: np.ndarray, nothing: int | None = None) -> list[Any]:
    return [None if one == nothing or one != one else one for one in values.tolist()]
