"""A table of items or users to ``Entities``."""

from __future__ import annotations

from dataclasses import InitVar, dataclass

import numpy as np
import polars as pl

from trefoil.data.errors import ConfigError
from trefoil.data.interactions import Bools, Floats, Ints
from trefoil.data.items import Entities
from trefoil.data.readers import columns as read
from trefoil.data.readers.quarantine import Sieve
from trefoil.data.vocabulary import Vocabulary

SEPARATOR = "|"


@dataclass(frozen=True)
class EntityColumns:
    """Names of the columns of a table of items or users.

    ``score`` is another name for ``numeric``. ``separator`` stands between the
    values of a category, ``|`` unless told otherwise. Raises ConfigError where
    an entry changes nothing.
    """

    id: str
    title: str | None = None
    text: tuple[str, ...] = ()
    category: tuple[str, ...] = ()
    numeric: tuple[str, ...] = ()
    separator: str | None = None
    score: InitVar[tuple[str, ...]] = ()

    def __post_init__(self, score: tuple[str, ...]) -> None:
        if score and self.numeric:
            raise ConfigError("score is another name for numeric; keep numeric alone")
        object.__setattr__(self, "numeric", tuple(self.numeric or score))
        if self.separator is not None and not self.category:
            raise ConfigError("separator changes nothing without category; leave it away")
        if self.separator == "":
            raise ConfigError("separator is empty; name the text between two categories")


@dataclass(frozen=True)
class Listed:
    """The rows of a table of items or users: the id of each, and how many say the same again."""

    ids: pl.Series
    copies: int


def list_entities(names: EntityColumns, sieve: Sieve, meaning: str) -> Listed:
    """The id of every row. Rows without one are left out; a second row of one id is set aside.

    A row that says the same again, in the columns that are named, is a copy: it is
    passed over and counted. Of several rows the one whose content sorts first
    is kept, so that the order of rows does not matter.
    """
    found = sieve.ids(names.id, meaning)
    if not found.filter(pl.Series(sieve.good)).is_duplicated().any():
        return Listed(found, 0)
    named = dict.fromkeys([names.title, *names.text, *names.category, *names.numeric])
    shown = [name for name in named if name is not None and name != names.id]
    frame = pl.DataFrame(
        [read.texts(sieve.table.column(name, "value")).alias(name) for name in shown]
        + [found.alias(names.id)]
    )
    frame = frame.with_row_index("row at").filter(pl.Series(sieve.good))
    said = frame.sort([names.id, *shown, "row at"]).unique(
        [names.id, *shown], keep="first", maintain_order=True
    )
    first = said.unique(names.id, keep="first", maintain_order=True)
    sieve.pass_over(_others(frame, said, len(found)))
    sieve.refuse(_others(said, first, len(found)), "id occurs twice", names.id)
    return Listed(found, len(frame) - len(said))


def _others(of: pl.DataFrame, kept: pl.DataFrame, size: int) -> Bools:
    rows = np.zeros(size, bool)
    rows[of["row at"].to_numpy()] = True
    rows[kept["row at"].to_numpy()] = False
    return rows


def read_entities(
    vocabulary: Vocabulary,
    names: EntityColumns | None,
    sieve: Sieve | None,
    listed: Listed | None,
) -> Entities:
    """Entities for every id of the vocabulary; those without a row have nothing but their id."""
    if names is None or sieve is None or listed is None:
        return Entities(vocabulary)
    size = len(vocabulary)
    good = pl.Series(sieve.good)
    rows = read.encode(listed.ids.filter(good), vocabulary)

    def placed(texts: pl.Series) -> tuple[str | None, ...]:
        full: list[str | None] = [None] * size
        for row, text in zip(rows.tolist(), texts.to_list(), strict=True):
            full[row] = text
        return tuple(full)

    def column(name: str, meaning: str) -> pl.Series:
        return sieve.cells(name, meaning).filter(good)

    titles = texts = ()
    if names.title is not None:
        titles = placed(read.joined_texts([column(names.title, "title")]))
    if names.text:
        texts = placed(read.joined_texts([column(name, "text") for name in names.text]))
    numeric = {name: _numbers(name, sieve, rows, size) for name in names.numeric}
    category = {
        name: read.labels(column(name, "category"), names.separator or SEPARATOR, rows, size)
        for name in names.category
    }
    return Entities(vocabulary, titles, texts, category, numeric)


def _numbers(name: str, sieve: Sieve, rows: Ints, size: int) -> Floats:
    values, bad = read.numbers(sieve.cells(name, "number", numeric=True))
    sieve.note(bad, f"{name!r} is no finite number; the row stays without it", name)
    column = np.full(size, np.nan, np.float32)
    column[rows] = values[sieve.good]
    return column
