"""What a list would be, had a person met other items: the model is asked, nothing is estimated."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trefoil.data.interactions import Ints
from trefoil.fusion.explaining.standing import Life, Standing, stands
from trefoil.fusion.requests.state import State


@dataclass(frozen=True)
class Placed:
    """An item of a list."""

    item: str
    title: str
    score: float


@dataclass(frozen=True)
class Move:
    """Where an item stood and where it would stand, from 1 on; None where it is no candidate."""

    item: str
    title: str
    before: int | None
    after: int | None


@dataclass(frozen=True)
class WhatIf:
    """A list as it is and as it would be, and how each item of either would move.

    ``not_met`` are items that the person was said to be without and had not met: to leave
    them out changes nothing.
    """

    before: tuple[Placed, ...]
    after: tuple[Placed, ...]
    moves: tuple[Move, ...]
    not_met: tuple[str, ...]

    def __str__(self) -> str:
        words = []
        for one in self.moves:
            if one.before != one.after:
                ends = ("—" if place is None else str(place) for place in (one.before, one.after))
                words.append(f"{one.title}: {' → '.join(ends)}")
        return "\n".join(words) or "nothing moves"


def what_if(
    state: State, user: int, without: Ints, with_: Ints, k: int, other: State | None = None
) -> WhatIf:
    """In rows; user -1 is someone never seen. ``other`` is the state as it would be."""
    life = Life.of(state, user)
    before = stands(state, life)
    after = stands(other or state, life.changed(without, with_, state.catalogue))
    shown = list(dict.fromkeys([*after.order[:k].tolist(), *before.order[:k].tolist()]))
    ids = state.catalogue.items.vocabulary
    met = np.isin(without, np.concatenate([life.cases.history.item, life.hidden]))
    return WhatIf(
        _placed(state, before, k),
        _placed(state, after, k),
        tuple(
            Move(ids[row], state.catalogue.items.title(row), *_ends(row, (before, after)))
            for row in shown
        ),
        tuple(ids[row] for row in without[~met].tolist()),
    )


def _placed(state: State, standing: Standing, k: int) -> tuple[Placed, ...]:
    items = state.catalogue.items
    return tuple(
        Placed(items.vocabulary[row], items.title(row), float(standing.score[row]))
        for row in standing.order[:k].tolist()
    )


def _ends(row: int, standings: Sequence[Standing]) -> tuple[int | None, int | None]:
    one, other = (int(standing.place[row]) or None for standing in standings)
    return one, other
