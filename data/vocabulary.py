"""Ids outside, rows inside: the one place that turns one into the other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import cached_property
from numbers import Integral
from typing import overload

import numpy as np
from numpy.typing import NDArray

from trefoil.data.errors import DataError, UnknownId

LARGEST_FLOAT = 2**53  # above it, floats of neighbouring whole numbers are equal


def id_text(value: object, what: str = "id") -> str:
    """One id as text, by the rule that tables follow.

    Text stays as it is, ``"12.0"`` and ``"007"`` too. Whole numbers of any type
    are written in decimal: 12, 12.0, numpy's and Decimal's twelve are ``"12"``.
    Raises DataError for anything else, which names ``what`` the value was to be.

    >>> id_text("007"), id_text(12.0)
    ('007', '12')
    """
    if isinstance(value, str):
        return str(value)
    remedy = "give text or a whole number"
    if isinstance(value, (bool, np.bool_)):
        raise DataError(f"{what} {value!r} is no id but true or false; {remedy}")
    if isinstance(value, Integral):
        return str(int(value))
    if isinstance(value, (float, np.floating, Decimal)):
        if value != value:
            raise DataError(f"{what} {value!r} is a missing value; {remedy}")
        limit = Decimal("inf") if isinstance(value, Decimal) else LARGEST_FLOAT
        if abs(value) < limit and value == int(value):
            return str(int(value))
        raise DataError(f"{what} {value!r} is no whole number below 2**53; {remedy}")
    if value is None:
        raise DataError(f"{what} None is a missing value; {remedy}")
    raise DataError(f"{what} {value!r} is a {type(value).__name__}; {remedy}")


class Vocabulary(Sequence[str]):
    """An ordered set of string ids; an id's position is its row.

    Ids are compared as exact text: ``"007"`` and ``"7"`` differ, and so do the
    NFC and NFD forms of one letter.

    >>> films = Vocabulary(["alien", "brazil"])
    >>> films.row("brazil"), films[0], films.rows(["alien", "cube"]).tolist()
    (1, 'alien', [0, -1])
    """

    __slots__ = ("__dict__", "_ids")

    def __init__(self, ids: Iterable[str]) -> None:
        self._ids = tuple(ids)
        if len(self._rows) != len(self._ids):
            seen: set[str] = set()
            twice = next(i for i in self._ids if i in seen or seen.add(i))
            raise ValueError(f"id {twice!r} occurs twice in a vocabulary")

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {text: row for row, text in enumerate(self._ids)}

    @property
    def ids(self) -> tuple[str, ...]:
        return self._ids

    def __len__(self) -> int:
        return len(self._ids)

    @overload
    def __getitem__(self, row: int) -> str: ...

    @overload
    def __getitem__(self, row: slice) -> tuple[str, ...]: ...

    def __getitem__(self, row: int | slice) -> str | tuple[str, ...]:
        return self._ids[row]

    def __contains__(self, text: object) -> bool:
        return text in self._rows

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocabulary) and self._ids == other._ids

    def __hash__(self) -> int:
        return hash(self._ids)

    def __repr__(self) -> str:
        return f"Vocabulary({len(self)} ids)"

    def row(self, text: str) -> int:
        """The row of an id. Raises UnknownId."""
        try:
            return self._rows[text]
        except KeyError:
            raise UnknownId(f"unknown id {text!r}; there are {len(self)} ids") from None

    def rows(self, texts: Iterable[str]) -> NDArray[np.int64]:
        """Rows of ids; -1 where an id is unknown."""
        get = self._rows.get
        return np.fromiter((get(text, -1) for text in texts), np.int64)
