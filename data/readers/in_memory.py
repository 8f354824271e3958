"""A dataset of frames, by the names of their columns: for people with frames in a notebook."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import polars as pl

from trefoil.data.dataset import Dataset, SplitRule
from trefoil.data.errors import DataError
from trefoil.data.given import given
from trefoil.data.readers.entities import EntityColumns
from trefoil.data.readers.events import EventColumns
from trefoil.data.readers.frames import as_polars, dataset_of

if TYPE_CHECKING:
    import pandas as pd

    Frame = pl.DataFrame | pd.DataFrame

USER = ("user", "user_id", "userid", "customer", "customer_id", "visitorid")
ITEM = ("item", "item_id", "itemid", "movieid", "product", "product_id", "asin")
RATING = ("rating", "stars", "score")
TIME = ("time", "timestamp", "at", "date", "datetime")
ID = ("id", *ITEM)
TITLE = ("title", "name")
TEXT = ("text", "description", "abstract", "plot", "overview")


def read_frames(
    events: Frame,
    *,
    items: Frame | None = None,
    users: Frame | None = None,
    triples: Frame | None = None,
    events_as: EventColumns | None = None,
    items_as: EntityColumns | None = None,
    users_as: EntityColumns | None = None,
    scenario: Sequence[str] = (),
    positive_from: float | None = None,
    split: SplitRule | None = None,
    name: str = "in memory",
) -> Dataset:
    """A dataset of polars or pandas frames, read as files of a folder are.

    Columns mean what they are called, in any case: of ``events`` user, item, rating (stars,
    score) and time (timestamp, at, date); of ``items`` id, title and text (description); their
    other columns are categories where they hold text or lists, and numbers. ``users`` have
    id and the same. ``triples`` have head, relation, tail, where an item is
    ``urn:item:ID``. ``events_as``, ``items_as`` and ``users_as`` say it by hand; ``scenario``
    names columns of events that tell where or when. Raises DataError as ``read_dataset`` does.
    """
    table = as_polars(events, "events")
    if events_as is None:
        events_as = EventColumns(
            _named(table, USER, "events", "user"),
            _named(table, ITEM, "events", "item"),
            rating=_found(table, RATING),
            positive_from=positive_from,
            time=_found(table, TIME),
            scenario=tuple(given("scenario", scenario, Sequence, "give a list of columns")),
        )
    things, item_columns = _entities(items, items_as, ID, "items")
    people, user_columns = _entities(users, users_as, ("id", *USER), "users")
    return dataset_of(
        table, events_as, items=things, item_columns=item_columns, users=people,
        user_columns=user_columns, graph=triples, name=name, rule=split,
    )  # fmt: skip


def _entities(
    frame: Frame | None, columns: EntityColumns | None, ids: Sequence[str], what: str
) -> tuple[pl.DataFrame | None, EntityColumns | None]:
    """A table with lists joined, and what its columns mean."""
    if frame is None:
        return None, None
    table = as_polars(frame, what)
    lists = [name for name, kind in table.schema.items() if isinstance(kind, pl.List)]
    table = table.with_columns(pl.col(lists).cast(pl.List(pl.String)).list.join("|"))
    if columns is not None:
        return table, columns
    id = _named(table, ids, what, "id")
    title = _found(table, TITLE)
    texts = [one for one in (title, *_all(table, TEXT)) if one is not None]
    rest = [one for one in table.columns if one not in {id, *texts}]
    numbers = tuple(one for one in rest if table[one].dtype.is_numeric())
    labels = tuple(
        one for one in rest if table[one].dtype in (pl.String, pl.Categorical, pl.Enum, pl.Boolean)
    )
    table = table.with_columns(pl.col(labels).cast(pl.String))
    return table, EntityColumns(id, title, tuple(texts), labels, numbers)


def _all(table: pl.DataFrame, names: Sequence[str]) -> list[str]:
    return [one for one in table.columns if one.lower() in names]


def _found(table: pl.DataFrame, names: Sequence[str]) -> str | None:
    """The column whose name comes first among ``names``."""
    there = {one.lower(): one for one in table.columns}
    return next((there[one] for one in names if one in there), None)


def _named(table: pl.DataFrame, names: Sequence[str], what: str, meaning: str) -> str:
    found = _found(table, names)
    if found is None:
        raise DataError(
            f"{what}: which column is the {meaning}? there is {table.columns}; call it "
            f"{meaning!r}, or say it by {what}_as"
        )
    return found
