"""A history as it is told: ids, or ids with a rating and a time."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from trefoil.data.errors import ConfigError
from trefoil.data.histories import LAST, Later
from trefoil.data.interactions import UNKNOWN_TIME, Ints
from trefoil.data.vocabulary import Vocabulary
from trefoil.fusion.requests import arguments

NOTHING = np.zeros(0, np.int64)
FINITE = float(np.finfo(np.float32).max)  # of a rating, in the precision that models read
FORM = "give an id, or (id, rating, time), of which rating and time may be None"


@dataclass(frozen=True)
class Told:
    """What a call tells of a person: ``read`` as history by models, ``met`` in all (rows).

    What was rated below the least positive rating was met and is not read, as with events.
    """

    read: Later = field(default_factory=Later)
    met: Ints = field(default_factory=lambda: NOTHING)
    unknown: tuple[str, ...] = ()


def told_of(
    history: object, likes: object, items: Vocabulary, least: float | int | None, until: int | None
) -> Told:
    """A history in order of time, and then what has none and what is liked.

    Events at ``until`` (UTC seconds) or later are not told. Raises ConfigError.
    """
    rows = _rows("history", history)
    rows += [(one, None, None) for one in arguments.ids("likes", likes)]
    if not rows:
        return Told()
    ids = [one for one, _, _ in rows]
    found = items.rows(ids)
    unknown = tuple(one for one, row in zip(ids, found.tolist(), strict=True) if row < 0)
    at = np.array([UNKNOWN_TIME if when is None else when for _, _, when in rows], np.int64)
    stars = np.array([np.nan if one is None else one for _, one, _ in rows], np.float32)
    kept = found >= 0
    if until is not None:
        kept &= at < until
    said_now = np.where(at == UNKNOWN_TIME, LAST, at)
    order = np.flatnonzero(kept)[np.argsort(said_now[kept], kind="stable")]
    found, at, stars = found[order], at[order], stars[order]
    liked = ~(stars < np.float32(least)) if least is not None else np.ones(len(found), bool)
    return Told(Later(found[liked], at[liked], stars[liked]), found, unknown)


def _rows(name: str, value: object) -> list[tuple[str, float | None, int | None]]:
    """Id, rating and time of each entry. Raises ConfigError."""
    single = isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable)
    if single or getattr(value, "ndim", 1) != 1:
        return [(one, None, None) for one in arguments.ids(name, value)]
    listed = list(value)  # type: ignore[arg-type]
    if not any(isinstance(one, tuple | list | Mapping) for one in listed):
        return [(one, None, None) for one in arguments.ids(name, listed)]
    return [_row(name, one) for one in listed]


def _row(name: str, value: object) -> tuple[str, float | None, int | None]:
    if isinstance(value, Mapping):
        parts = [value.get(one) for one in ("item", "rating", "time")]
        if "item" not in value or set(value) - {"item", "rating", "time"}:
            raise ConfigError(f"{name}: {dict(value)!r}; give item, rating and time")
    elif isinstance(value, tuple | list):
        if not 1 <= len(value) <= 3:
            raise ConfigError(f"{name}: {value!r}; {FORM}")
        parts = [*value, None, None][:3]
    else:
        parts = [value, None, None]
    item, rating, time = parts
    if rating is not None:
        number = isinstance(rating, int | float | np.number) and not isinstance(rating, bool)
        if not number or not abs(rating) < FINITE:
            raise ConfigError(f"{name}: rating {rating!r} of {item!r}; give a number or None")
        rating = float(rating)
    return arguments.one_id(name, item), rating, arguments.moment(f"{name}: time", time)
