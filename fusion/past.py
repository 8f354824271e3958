"""What is known to have happened at one moment, of every user; it grows without being copied."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np

from trefoil.data.histories import Histories
from trefoil.data.interactions import Interactions, Ints
from trefoil.evaluation.exam import Sets

Hidden = Literal["hide", "context", "show"]  # of what a user met: all, in this context, nothing
NOBODY = np.zeros(0, np.int64)
SMALLER = 16  # times that each layer of the past must be smaller than the one below


class Event(NamedTuple):
    """Who met what. ``at`` is UTC seconds, ``context`` JSON of scenario values by column.

    ``id`` is the event's own, by which a repetition is known.
    """

    id: str | None
    user: str
    item: str
    at: int | None = None
    stars: float | None = None
    positive: bool | None = None
    kind: str | None = None
    context: str | None = None

    def contexts(self) -> dict[str, str]:
        """Scenario values by column."""
        return json.loads(self.context) if self.context else {}


@dataclass(frozen=True)
class Layer:
    """Events of some people in order of person, and their histories.

    ``people`` are their rows, ascending; None means everybody from row 0 on. Person
    ``i`` of them has ``events[start[i]:start[i + 1]]``.
    """

    people: Ints | None
    history: Histories
    events: Interactions
    start: Ints

    @classmethod
    def of(cls, events: Interactions) -> "Layer":
        """Of events that models read and that count as met, of whoever they are."""
        events = events.take(np.argsort(events.user, kind="stable"))
        people, place = np.unique(events.user, return_inverse=True)
        start = np.searchsorted(events.user, people)
        history = Histories.of(replace(events, user=place), len(people))
        return cls(people, history, events, np.append(start, len(events)))

    def followed_by(self, layer: "Layer") -> "Layer":
        """One layer of both."""
        both = self.events.followed_by(layer.events)
        if self.people is not None:
            return Layer.of(both)
        assert layer.people is not None
        users = max(len(self.history), int(layer.people[-1]) + 1)
        met = both.take(np.argsort(both.user, kind="stable"))
        start = np.searchsorted(met.user, np.arange(users + 1))
        return Layer(None, Histories.of(both, users), met, start)

    def place(self, users: Ints) -> Ints:
        """Where these users (rows, -1 unknown) are among the people; -1 where they are not."""
        if self.people is None:
            return np.where(users < len(self.history), users, -1)
        place = np.searchsorted(self.people, users)
        place[place == len(self.people)] = 0
        return np.where(self.people[place] == users, place, -1)

    def histories(self, users: Ints) -> Histories:
        """The histories of these users, empty where there is nothing."""
        place = self.place(users)
        history = self.history.take(np.maximum(place, 0))
        if (place >= 0).all():
            return history
        return history.where(np.repeat(place >= 0, history.lengths))

    def met_by(self, user: int) -> Ints:
        """The items of every event of one user (row, -1 unknown)."""
        place = user if self.people is None else int(self.place(np.array([user]))[0])
        if not 0 <= place < len(self.start) - 1:
            return NOBODY
        return self.events.item[self.start[place] : self.start[place + 1]]

    def met(self, users: Ints) -> tuple[Ints, Ints]:
        """Case and row of every event of these users."""
        place = self.place(users)
        begin = self.start[np.maximum(place, 0)]
        length = np.where(place >= 0, self.start[np.maximum(place, 0) + 1] - begin, 0)
        case = np.repeat(np.arange(len(users)), length)
        offset = np.arange(length.sum()) - np.repeat(np.cumsum(length) - length, length)
        return case, begin[case] + offset


@dataclass(frozen=True)
class Past:
    """What is known of every user: histories to be read by models, and what they met.

    Later events lie in layers of their own, each much smaller than the one below, so that
    an event costs little however many are known; a layer that grows joins the one below.
    """

    layers: tuple[Layer, ...]

    @classmethod
    def of(cls, read: Interactions, met: Interactions, users: int) -> "Past":
        """From the events whose positives models read, and those that count as met."""
        if (met.user[1:] < met.user[:-1]).any():
            met = met.take(np.argsort(met.user, kind="stable"))
        start = np.searchsorted(met.user, np.arange(users + 1))
        return cls((Layer(None, Histories.of(read, users), met, start),))

    def followed_by(self, events: Interactions) -> "Past":
        """With later events, which models read and which count as met."""
        layers = [*self.layers, Layer.of(events)]
        while len(layers) > 1 and SMALLER * len(layers[-1].events) > len(layers[-2].events):
            above = layers.pop()
            layers[-1] = layers[-1].followed_by(above)
        return Past(tuple(layers))

    def histories(self, users: Ints) -> Histories:
        """The history of each user (row, -1 unknown), oldest first; ties in time as they came."""
        parts = [layer.histories(users) for layer in self.layers]
        parts = [parts[0], *(part for part in parts[1:] if len(part.item))]
        return parts[0] if len(parts) == 1 else _merged(parts)

    def hidden(
        self, users: Ints, scenario: Mapping[str, Ints], rule: Hidden, until: int | None = None
    ) -> Sets:
        """Item rows that are no candidates for each case; ``users`` are rows, -1 unknown.

        "hide": all that the user met. "context": what the user met in the scenario of
        the case, equal in every column. "show": nothing. Events at ``until`` (UTC
        seconds) or later do not count.
        """
        if rule == "hide" and until is None and len(users) == 1:
            met = [layer.met_by(int(users[0])) for layer in self.layers]
            return Sets.of(NOBODY, met[0] if len(met) == 1 else np.concatenate(met), 1)
        cases, items = [], []
        for layer in self.layers:
            case, row = layer.met(users)
            events, kept = layer.events, np.full(len(row), rule != "show")
            if rule == "context":
                for name, column in events.scenario.items():
                    kept &= column.codes[row] == scenario[name][case]
            if until is not None and events.at is not None:
                kept &= events.at[row] < until
            cases.append(case[kept])
            items.append(events.item[row[kept]])
        return Sets.of(np.concatenate(cases), np.concatenate(items), len(users))


def _merged(parts: list[Histories]) -> Histories:
    """Histories of the same cases as one each, in order of time."""
    case = np.concatenate([np.repeat(np.arange(len(one)), one.lengths) for one in parts])
    first = parts[0]

    def joined(name: str) -> np.ndarray | None:
        columns = [getattr(one, name) for one in parts]
        return None if columns[0] is None else np.concatenate(columns)

    at = joined("at")
    order = np.lexsort((case,) if at is None else (at, case))
    start = np.zeros(len(first) + 1, np.int64)
    np.cumsum(sum(one.lengths for one in parts), out=start[1:])
    item, stars = joined("item"), joined("stars")
    assert item is not None
    return Histories(
        start,
        item[order],
        None if at is None else at[order],
        None if stars is None else stars[order],
        {n: np.concatenate([p.scenario[n] for p in parts])[order] for n in first.scenario},
    )
