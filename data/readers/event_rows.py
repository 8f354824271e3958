"""Events as read: the blocks of a table together, and each event once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from trefoil.data.interactions import Bools, Categorical, Floats, Interactions, Ints
from trefoil.data.order import mixed
from trefoil.data.readers import columns as read
from trefoil.data.vocabulary import Vocabulary


@dataclass(frozen=True)
class Events:
    """Events as read, ids as text or as categories of text.

    ``duplicates`` counts rows that said the same again, ``conflicts`` rows that
    said it with another rating. ``compact_times`` says that numbers such as
    20261128 were read as days.
    """

    user: pl.Series
    item: pl.Series
    positive: Bools
    stars: Floats | None
    at: Ints | None
    kind: Categorical | None
    scenario: dict[str, Categorical]
    part: np.ndarray | None
    duplicates: int
    conflicts: int
    compact_times: bool = False

    def rows(
        self,
        users: Vocabulary,
        items: Vocabulary,
        target: Sequence[str] = (),
        interest: Sequence[str] = (),
    ) -> Interactions:
        """With ids as numbers; events of the kinds ``interest`` are not asked for."""
        return Interactions(
            read.encode(self.user, users),
            read.encode(self.item, items),
            self.positive,
            self.stars,
            self.at,
            self.kind,
            self.scenario,
            self.part,
            self._of_kinds(target) if interest else None,
        )

    def _of_kinds(self, target: Sequence[str]) -> Bools:
        """The positives of these kinds."""
        assert self.kind is not None
        named = [name.strip() in target for name in self.kind.names]
        return self.positive & np.array([*named, False])[self.kind.codes]


def together(parts: Sequence[Events]) -> Events:
    """The events of all blocks, one after the other."""
    if len(parts) == 1:
        return parts[0]

    def column(name: str) -> Any:
        each = [getattr(one, name) for one in parts]
        return None if each[0] is None else np.concatenate(each)

    kinds = [one.kind for one in parts if one.kind is not None]
    return Events(
        pl.concat([one.user for one in parts]),
        pl.concat([one.item for one in parts]),
        column("positive"),
        column("stars"),
        column("at"),
        Categorical.together(kinds) if kinds else None,
        {
            name: Categorical.together([one.scenario[name] for one in parts])
            for name in parts[0].scenario
        },
        column("part"),
        0,
        0,
        any(one.compact_times for one in parts),
    )


def once(events: Events) -> Events:
    """Each event once, in the place where it first came up."""
    doubted = _said_again(events)
    if not doubted.any():
        return events
    at = np.flatnonzero(doubted)
    stars = None if events.stars is None else pl.Series(events.stars[at]).fill_nan(None)
    columns = {name: pl.Series(name, column[at]) for name, column in _keys(events).items()}
    frame, names = pl.DataFrame(columns).with_columns(row=pl.Series(at)), list(columns)
    if stars is not None:
        frame = frame.with_columns(stars=stars)
    said = frame.select([*names, "stars"] if stars is not None else names).n_unique()
    groups = frame.group_by(names).agg(
        pl.col("row").min(), *([pl.col("stars").max()] if stars is not None else [])
    )
    kept = groups["row"].to_numpy()
    rows = np.sort(np.concatenate([np.flatnonzero(~doubted), kept]))
    kept_stars = None
    if events.stars is not None:
        kept_stars = events.stars.copy()
        kept_stars[kept] = groups["stars"].fill_null(np.nan).to_numpy()
        kept_stars = kept_stars[rows]
    cut = cutter(rows)
    return Events(
        events.user[rows], events.item[rows], events.positive[rows], kept_stars, cut(events.at),
        None if events.kind is None else events.kind.take(rows),
        {name: column.take(rows) for name, column in events.scenario.items()},
        cut(events.part), len(frame) - said, said - len(kept), events.compact_times,
    )  # fmt: skip


def _keys(events: Events) -> dict[str, np.ndarray]:
    """The columns in which rows agree that are one event, as whole numbers."""
    keys = {"user": events.user.to_physical().to_numpy()}
    keys |= {"item": events.item.to_physical().to_numpy(), "positive": events.positive}
    typed = {"at": events.at, "part": events.part}
    keys |= {name: column for name, column in typed.items() if column is not None}
    if events.kind is not None:
        keys["kind"] = events.kind.codes
    return keys | {f"scenario {name}": column.codes for name, column in events.scenario.items()}


def _said_again(events: Events) -> Bools:
    """Rows that may say what another row says: all of one hash. A table of groups takes more."""
    hashed = mixed(*_keys(events).values())
    ordered = np.sort(hashed)
    twice = ordered[1:][ordered[1:] == ordered[:-1]]
    return np.isin(hashed, twice) if len(twice) else np.zeros(len(hashed), bool)


def cutter(rows: np.ndarray) -> Callable:
    return lambda column: None if column is None else column[rows]
