"""What callers hand to a recommender, checked and in one form; faults are told in words."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl

from trefoil.data.errors import ConfigError, DataError
from trefoil.data.interactions import UNKNOWN_TIME
from trefoil.data.readers import columns as read
from trefoil.data.readers.moments import moments
from trefoil.data.suggest import closest
from trefoil.data.vocabulary import id_text

LAST = 253_402_300_800  # Unix seconds of the year 10,000


def whole(name: str, value: object, least: int) -> int:
    """A whole number of at least ``least``. Raises ConfigError."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise ConfigError(f"{name} = {value!r}: give a whole number of at least {least}")
    return int(value)


def whether(name: str, value: object) -> bool:
    """True or false. Raises ConfigError."""
    if isinstance(value, bool | np.bool_):
        return bool(value)
    raise ConfigError(f"{name} = {value!r}: give True or False")


def words(name: str, value: object) -> str | None:
    """Text, or None. Raises ConfigError."""
    if value is None or isinstance(value, str):
        return value
    raise ConfigError(f"{name} = {value!r}: give text")


def one_of(name: str, value: object, options: Iterable[str]) -> str:
    """One of some words. Raises ConfigError that names them."""
    if isinstance(value, str) and value in options:
        return value
    raise ConfigError(f"{name} = {value!r}; {closest(str(value), [*options], limit=9)}")


def one_id(name: str, value: object) -> str:
    """One id as text; whole numbers mean what they mean in tables. Raises ConfigError."""
    try:
        return id_text(value, name)
    except DataError as fault:
        raise ConfigError(str(fault)) from None


def ids(name: str, value: object) -> list[str]:
    """Ids of anything with one dimension, in its order; text is one id, None no id.

    Raises ConfigError for tables, mappings and what is no id.
    """
    if value is None:
        return []
    if isinstance(value, str | int | np.integer):
        return [one_id(name, value)]
    flat = isinstance(value, Iterable) and not isinstance(value, Mapping | bytes)
    if not flat or getattr(value, "ndim", 1) != 1 or isinstance(value, pl.DataFrame):
        raise ConfigError(f"{name}: a {type(value).__name__}; give a list of ids")
    return [one_id(name, one) for one in value]  # type: ignore[union-attr]


def scenario_of(value: object) -> dict[str, str]:
    """Scenario values by column. Raises ConfigError."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise ConfigError(f"scenario = {value!r}: give a mapping, such as {{'device': 'phone'}}")
    return {str(name): _contexts(f"scenario {name!r}", [one])[0] for name, one in value.items()}


def _contexts(name: str, values: list[Any]) -> list[str]:
    """Values of a context as tables write them; empty where there is none. Raises ConfigError."""
    try:
        return read.texts(pl.Series(name, values)).to_list()
    except (DataError, TypeError, pl.exceptions.PolarsError):
        raise ConfigError(f"{name}: give texts, numbers, true or false, or dates") from None


def moment(name: str, value: object) -> int | None:
    """UTC seconds of a moment: a datetime, Unix seconds or ISO 8601. Raises ConfigError."""
    if value is None:
        return None
    if isinstance(value, datetime):
        value = value.isoformat()
    if isinstance(value, int | float | np.number) and not isinstance(value, bool):
        if abs(value) < LAST:  # neither is what is no number
            return int(value)
    elif isinstance(value, str):
        found = moments(pl.Series([value]))
        if found.at[0] != UNKNOWN_TIME and not (found.unreadable.any() or found.far.any()):
            return int(found.at[0])
    raise ConfigError(f"{name} = {value!r}: give Unix seconds, up to the year 9999, or ISO 8601")


def users_in(table: Any) -> tuple[list[str], dict[str, list[str]]]:
    """User ids of anything with one dimension, or of the column user of a table.

    The other columns of a table are values of scenarios, one for each row. Raises
    DataError without a column user.
    """
    if isinstance(table, pl.LazyFrame):
        raise ConfigError("users: a LazyFrame; collect() it first")
    columns = getattr(table, "columns", None)
    if table is None:
        raise ConfigError("users = None: give a list of ids, or a table with a column 'user'")
    if columns is None:
        return ids("users", table), {}
    if "user" not in columns:
        raise DataError(f"users: no column 'user'; there is {list(columns)}")
    others = {
        str(name): _contexts(f"column {name!r}", list(table[name]))
        for name in columns
        if name != "user"
    }
    return ids("column 'user'", table["user"]), others


def free_of(columns: Iterable[str], answer: Iterable[str], what: str) -> None:
    """Raises DataError for a table with a column of a name that its answer needs for itself."""
    both = [name for name in answer if name in set(columns)]
    if both:
        raise DataError(
            f"{what}: the answer has a column {both[0]!r} of its own; rename that of the table"
        )


def of_scenarios(columns: Iterable[str], scenarios: Iterable[str]) -> None:
    """Raises DataError for a column of users that is no scenario column of the run."""
    known = [*scenarios]
    for name in columns:
        if name not in known:
            raise DataError(
                f"users: {name!r} is no scenario column of this run; {closest(name, known)}; "
                "rename the column, or leave it out"
            )


def is_pandas_table(value: object) -> bool:
    """Whether this is a pandas DataFrame; pandas is not imported to find out."""
    kind = type(value)
    return kind.__name__ == "DataFrame" and kind.__module__.partition(".")[0] == "pandas"
