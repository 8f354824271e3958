"""What is told of people as columns of a table: labels, and numbers in bands."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class AttributeColumn:
    """One thing that may be told of a person, by ``labels`` or by a number between ``edges``.

    It takes as many columns of the table as there are labels, or bands.
    """

    name: str
    labels: tuple[str, ...] = ()
    edges: tuple[float, ...] | None = None

    @property
    def width(self) -> int:
        return len(self.labels) if self.edges is None else len(self.edges) + 1

    def places(self, value: Any) -> list[int]:
        """Which of its columns a value stands for; none for a value that is unknown."""
        if self.edges is not None:
            try:
                number = float(value)
            except (TypeError, ValueError, OverflowError):
                return []
            return [] if number != number else [int(np.searchsorted(self.edges, number, "right"))]
        many = isinstance(value, Iterable) and not isinstance(value, str | Mapping)
        told = [_text(one) for one in (value if many else [value])]
        return [self.labels.index(one) for one in told if one in self.labels]


def told_rows(
    columns: Sequence[AttributeColumn],
    known: NDArray[np.floating[Any]],
    about: Mapping[str, Any],
) -> tuple[NDArray[np.float32], tuple[str, ...]]:
    """Rows [people, attributes] in which ``about`` stands for what was ``known``; what is not.

    Names and values that no column has change nothing and are returned as ``name=value``.
    """
    rows, unknown, start = np.array(known, np.float32), [], 0
    names = {one.name for one in columns}
    for column in columns:
        span = slice(start, start + column.width)
        start = span.stop
        if column.name in about:
            places = column.places(about[column.name])
            if places:
                rows[:, span] = 0.0
                rows[:, [span.start + one for one in places]] = 1.0
            else:
                unknown.append(column.name)
    unknown += [name for name in about if name not in names]
    return rows, tuple(f"{name}={about[name]}" for name in unknown)


def _text(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
