"""What one entry of a filter asks of a column: values, or bounds; and who passes it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trefoil.data.errors import ConfigError
from trefoil.data.interactions import Bools
from trefoil.data.items import Labels
from trefoil.kg.patterns.parse import Value

BOUNDS: Mapping[str, Callable[[Any, Any], Any]] = {
    ">=": np.greater_equal,
    ">": np.greater,
    "<=": np.less_equal,
    "<": np.less,
}
LARGEST = 10**300  # of whole numbers: no column tells larger ones apart
SETS = {"=": False, "in": False, "!=": True, "not in": True}  # whether the sign denies


@dataclass(frozen=True)
class Condition:
    """One of ``values``, or none of them where it ``denies``; or within all ``bounds``."""

    name: str
    values: tuple[Value, ...] = ()
    denies: bool = False
    bounds: tuple[tuple[str, Value], ...] = ()

    @classmethod
    def of(cls, name: str, said: object) -> "Condition":
        """A value, a list of values, or signs with values. Raises ConfigError."""
        if not isinstance(said, Mapping):
            return cls(name, _values(name, said))
        signs = {str(sign): value for sign, value in said.items()}
        sets = [sign for sign in signs if sign in SETS]
        if not signs or signs.keys() - {*BOUNDS, *SETS} or (sets and len(signs) > 1):
            told = f"{', '.join(BOUNDS)} together, or one of {', '.join(SETS)}"
            raise ConfigError(f"where {name} = {said!r}: compare by {told}")
        if sets:
            return cls(name, _values(name, signs[sets[0]]), SETS[sets[0]])
        return cls(name, bounds=tuple((sign, _value(name, one)) for sign, one in signs.items()))

    def texts(self, column: Sequence[str], unknown: list[str]) -> Bools:
        """Rows that pass; empty text is a missing value and passes where the condition denies.

        Values that no row has are added to ``unknown``.
        """
        if self.bounds:
            tests = [(BOUNDS[sign], text_of(limit)) for sign, limit in self.bounds]
            passed = [
                one != "" and all(test(one, limit) for test, limit in tests) for one in column
            ]
            return np.array(passed, bool)
        wanted = {text_of(one) for one in self.values}
        unknown += [f"where {self.name}={one}" for one in sorted(wanted - set(column))]
        found = np.fromiter((one in wanted for one in column), bool, len(column))
        return ~found if self.denies else found

    def labels(self, labels: Labels, unknown: list[str]) -> Bools:
        """Rows of which one value passes; of a condition that denies, rows with none of them."""
        wanted = self.texts(labels.names, unknown)
        wanted = ~wanted if self.denies else wanted
        row = np.repeat(np.arange(len(labels.start) - 1), np.diff(labels.start))
        found = np.bincount(row[wanted[labels.codes]], minlength=len(labels.start) - 1) > 0
        return ~found if self.denies else found

    def numbers(self, column: NDArray[Any], unknown: list[str]) -> Bools:
        """Rows that pass, compared in the column's own precision; NaN passes nothing."""
        found = ~np.isnan(column)
        with np.errstate(over="ignore"):  # beyond the column's precision is infinite
            limits = np.array([self._number(one, unknown) for _, one in self.bounds], column.dtype)
            wanted = np.array([self._number(one, unknown) for one in self.values], column.dtype)
        for (sign, _), limit in zip(self.bounds, limits, strict=True):
            found &= BOUNDS[sign](column, limit)
        if not self.bounds:
            missing = wanted[~np.isin(wanted, column) & ~np.isnan(wanted)]
            unknown += [f"where {self.name}={text_of(float(one))}" for one in missing]
            found &= np.isin(column, wanted) != self.denies
        return found

    def _number(self, value: Value, unknown: list[str]) -> float:
        """A number; NaN, which nothing is compared with, for what is none."""
        try:
            return float(value)
        except ValueError:
            unknown.append(f"where {self.name}={value}")
            return float("nan")


def text_of(value: Value) -> str:
    """A value as texts write it: 7.0 is ``7``."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _values(name: str, said: object) -> tuple[Value, ...]:
    if isinstance(said, Iterable) and not isinstance(said, str | bytes | Mapping):
        return tuple(_value(name, one) for one in said)
    return (_value(name, said),)


def _value(name: str, said: object) -> Value:
    value = said.item() if isinstance(said, np.generic) else said
    if isinstance(value, int) and abs(value) > LARGEST:
        raise ConfigError(f"where {name}: a number of more than 300 digits")
    if isinstance(value, str | bool | int) or (isinstance(value, float) and value == value):
        return value
    raise ConfigError(f"where {name} = {said!r}: give text, a number, true or false")
