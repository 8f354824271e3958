"""A table of items or users to ``Entities``."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from data import columns as read
from data.items import Entities
from data.sieve import Sieve
from data.tables import Table
from data.vocabulary import Vocabulary


@dataclass(frozen=True)
class EntityColumns:
    """Names of the columns of a table of items or users."""

    id: str
    title: str | None = None
    text: tuple[str, ...] = ()
    category: tuple[str, ...] = ()
    score: tuple[str, ...] = ()
    separator: str = "|"


def entity_ids(table: Table, names: EntityColumns, sieve: Sieve) -> pl.Series:
    """The id of every row. Rows without one, and second rows of one id, are set aside.

    Of several rows the one whose content sorts first is kept, so that the order
    of rows does not matter; a row that says the same again is passed over.
    """
    found = read.ids(table.column(names.id, "id"), table.source)
    sieve.refuse((found == "").to_numpy(), "empty id")
    if not found.filter(pl.Series(sieve.good)).is_duplicated().any():
        return found
    plain = [
        column.list.join("\x1f") if column.dtype == pl.List(pl.String) else column.cast(pl.String)
        for column in table.frame
    ]
    frame = pl.DataFrame(plain).with_row_index("row at").with_columns(found.alias("the id"))
    frame = frame.filter(pl.Series(sieve.good))
    shown = [column.name for column in plain]
    first = frame.sort([*shown, "row at"], nulls_last=True).unique(
        "the id", keep="first", maintain_order=True
    )
    twice = np.zeros(len(table), bool)
    twice[frame["row at"].to_numpy()] = True
    twice[first["row at"].to_numpy()] = False
    sieve.refuse(twice, "id occurs twice")
    return found


def read_entities(
    vocabulary: Vocabulary, table: Table | None, names: EntityColumns | None, sieve: Sieve | None
) -> Entities:
    """Entities for every id of the vocabulary; those without a row have nothing but their id."""
    if table is None or names is None or sieve is None:
        return Entities(vocabulary)
    size = len(vocabulary)
    good = pl.Series(sieve.good)
    for name in names.score:
        _, bad = read.numbers(table.column(name, "score"))
        sieve.note(bad, f"score {name!r} is no finite number")
    kept = table.frame.filter(good)
    rows = read.encode(read.ids(kept[names.id], table.source), vocabulary)

    def placed(texts: pl.Series) -> tuple[str | None, ...]:
        full: list[str | None] = [None] * size
        for row, text in zip(rows.tolist(), texts.to_list(), strict=True):
            full[row] = text
        return tuple(full)

    def column(name: str, meaning: str) -> pl.Series:
        return table.column(name, meaning).filter(good)

    titles = texts = ()
    if names.title is not None:
        titles = placed(read.joined_texts([column(names.title, "title")]))
    if names.text:
        texts = placed(read.joined_texts([column(name, "text") for name in names.text]))
    score = {}
    for name in names.score:
        score[name] = np.full(size, np.nan, np.float32)
        score[name][rows] = read.numbers(column(name, "score"))[0]
    category = {
        name: read.labels(column(name, "category"), names.separator, rows, size)
        for name in names.category
    }
    return Entities(vocabulary, titles, texts, category, score)
