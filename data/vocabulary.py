"""Ids outside, rows inside: the one place that turns one into the other."""

from __future__ import annotations

import threading
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

    __slots__ = ("__dict__", "_count", "_held")

    def __init__(self, ids: Iterable[str]) -> None:
        self._held = _Held(list(ids))
        self._count = len(self._held.ids)
        if len(self._held.rows) != self._count:
            seen: set[str] = set()
            twice = next(i for i in self._held.ids if i in seen or seen.add(i))
            raise ValueError(f"id {twice!r} occurs twice in a vocabulary")

    def followed_by(self, ids: Iterable[str]) -> Vocabulary:
        """The same with more ids at the end; what is here is shared, not copied.

        Raises ValueError for an id that occurs twice.
        """
        longer = object.__new__(Vocabulary)
        longer._held, longer._count = self._held.longer(self._count, list(ids))
        return longer

    @cached_property
    def ids(self) -> tuple[str, ...]:
        return tuple(self._held.ids[: self._count])

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, row: int) -> str: ...

    @overload
    def __getitem__(self, row: slice) -> tuple[str, ...]: ...

    def __getitem__(self, row: int | slice) -> str | tuple[str, ...]:
        if isinstance(row, slice) or not -self._count <= row < self._count:
            return self.ids[row]
        return self._held.ids[row % self._count]

    def __contains__(self, text: object) -> bool:
        return self._held.rows.get(text, self._count) < self._count  # type: ignore[arg-type]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocabulary) and self.ids == other.ids

    def __hash__(self) -> int:
        return hash(self.ids)

    def __repr__(self) -> str:
        return f"Vocabulary({len(self)} ids)"

    def row(self, text: str) -> int:
        """The row of an id. Raises UnknownId."""
        row = self._held.rows.get(text, self._count)
        if row >= self._count:
            raise UnknownId(f"unknown id {text!r}; give one of the {len(self)} known")
        return row

    def rows(self, texts: Iterable[str]) -> NDArray[np.int64]:
        """Rows of ids; -1 where an id is unknown."""
        get = self._held.rows.get
        found = np.fromiter((get(text, -1) for text in texts), np.int64)
        found[found >= self._count] = -1  # of a longer vocabulary
        return found


class _Held:
    """Ids and their rows, which vocabularies share of which one continues the other.

    Each looks at the first so many alone, so that the longest may be made longer in place.
    """

    def __init__(self, ids: list[str]) -> None:
        self.ids = ids
        self.rows = {text: row for row, text in enumerate(ids)}
        self._lock = threading.Lock()

    def longer(self, count: int, ids: list[str]) -> tuple[_Held, int]:
        """What holds the first ``count`` and then these, and how many that are."""
        with self._lock:
            twice = [one for one in ids if self.rows.get(one, count) < count]
            if twice or len(set(ids)) < len(ids):
                raise ValueError(f"an id occurs twice in a vocabulary: {[*twice, *ids][0]!r}")
            held = self if len(self.ids) == count else _Held(self.ids[:count])
            held.rows.update(zip(ids, range(count, count + len(ids)), strict=True))
            held.ids.extend(ids)
            return held, count + len(ids)
