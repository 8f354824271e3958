"""What happened, as arrays: one row per event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]

UNKNOWN_TIME = np.iinfo(np.int64).min
DAY_S = 86_400


@dataclass(frozen=True)
class Categorical:
    """A column of few values: codes into ``names``; -1 where nothing is known."""

    codes: Ints
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(self.codes) and not (self.codes.min() >= -1 and self.codes.max() < len(self.names)):
            raise ValueError(f"codes must lie in -1..{len(self.names) - 1}")

    def take(self, rows: Ints | Bools) -> Categorical:
        return Categorical(self.codes[rows], self.names)

    @classmethod
    def together(cls, parts: Sequence[Categorical]) -> Categorical:
        """One column after the other; names are all of them, in order of text."""
        if len(parts) == 1:
            return parts[0]
        names = sorted({name for one in parts for name in one.names})
        place = {name: code for code, name in enumerate(names)}
        moved = [np.array([*(place[n] for n in one.names), -1], np.int64) for one in parts]
        codes = [code[one.codes] for code, one in zip(moved, parts, strict=True)]
        return cls(np.concatenate(codes), tuple(names))


@dataclass(frozen=True)
class Interactions:
    """Events: who met what, and what is known of it. All columns have one length ``n``.

    ``positive`` marks the events that count for ranking: all, or those rated at
    least ``positive_from``. The rest still count as seen and train the ratings.
    ``wished`` marks the positives that are asked for where they are held out, None for
    all: of views, carts and purchases perhaps the purchases alone.
    ``stars`` is NaN where no rating was given. ``at`` is UTC seconds,
    ``UNKNOWN_TIME`` where missing. ``part`` is a split that came with the data:
    0 train, 1 valid, 2 test.
    """

    user: Ints
    item: Ints
    positive: Bools
    stars: Floats | None = None
    at: Ints | None = None
    kind: Categorical | None = None
    scenario: Mapping[str, Categorical] = field(default_factory=dict)
    part: NDArray[np.int8] | None = None
    wished: Bools | None = None

    @property
    def asked(self) -> Bools:
        """The positives that are asked for where they are held out."""
        return self.positive if self.wished is None else self.wished

    def __post_init__(self) -> None:
        n = len(self.user)
        for name, column in self._columns().items():
            length = len(column.codes) if isinstance(column, Categorical) else len(column)
            if length != n:
                raise ValueError(f"column {name!r} has {length} rows, user has {n}")
        if self.stars is not None and np.isinf(self.stars).any():
            raise ValueError("stars must be finite or NaN")

    def _columns(self) -> dict[str, Ints | Categorical]:
        flat = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "scenario"}
        return {k: v for k, v in flat.items() if v is not None} | dict(self.scenario)

    def __len__(self) -> int:
        return len(self.user)

    def take(self, rows: Ints | Bools) -> Self:
        """The events in these rows, in that order."""

        def cut(column: Any) -> Any:
            if column is None:
                return None
            return column.take(rows) if isinstance(column, Categorical) else column[rows]

        plain = {f.name: cut(getattr(self, f.name)) for f in fields(self) if f.name != "scenario"}
        return type(self)(**plain, scenario={k: v.take(rows) for k, v in self.scenario.items()})

    def followed_by(self, others: Self) -> Self:
        """These events and then others, which have the same columns; names are the others'.

        The others' names begin with the names here, so that codes keep their meaning.
        """

        def joined(one: Any, other: Any) -> Any:
            if one is None or other is None:
                return None
            if isinstance(one, Categorical):
                return Categorical(np.concatenate([one.codes, other.codes]), other.names)
            return np.concatenate([one, other])

        plain = {
            f.name: joined(getattr(self, f.name), getattr(others, f.name))
            for f in fields(self)
            if f.name != "scenario"
        }
        scenario = {n: joined(one, others.scenario[n]) for n, one in self.scenario.items()}
        return type(self)(**plain, scenario=scenario)


def faded(at: Ints, half_life_days: float) -> NDArray[np.float64]:
    """Weights ``2^(-age / half-life)`` of events, age before the newest; 0 where no time is known.

    After Ji et al. 2020, "A re-visit of the popularity baseline in recommender systems".
    """
    timed = at != UNKNOWN_TIME
    age_days = (at.max(initial=UNKNOWN_TIME) - at[timed]) / DAY_S
    weight = np.zeros(len(at))
    weight[timed] = 0.5 ** (age_days / half_life_days)
    return weight
