"""Training events as steps: groups of taken items, windows in time, and rated pairs."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Bool, Int
from torch import Tensor

from trefoil.data.histories import Histories
from trefoil.data.interactions import Interactions

POOL = 16  # batches of windows that are sorted by length together


@dataclass(frozen=True)
class Groups:
    """Positive events by (user, scenario): group ``g`` took ``item[start[g]:start[g + 1]]``."""

    user: np.ndarray
    scenario: Mapping[str, np.ndarray]
    start: np.ndarray
    item: np.ndarray

    def __len__(self) -> int:
        return len(self.user)

    @classmethod
    def of(cls, events: Interactions, *, scenarios: bool) -> "Groups":
        """One group per user, or per user and combination of scenario values."""
        rows = np.flatnonzero(events.positive)
        keys = [events.user[rows]]
        if scenarios:
            keys += [column.codes[rows] for column in events.scenario.values()]
        order = np.lexsort((events.item[rows], *reversed(keys)))
        table = np.stack([key[order] for key in keys])
        new = np.concatenate([[True], (np.diff(table, axis=1) != 0).any(0)])
        first = np.flatnonzero(new[: len(rows)])
        names = list(events.scenario) if scenarios else []
        return cls(
            table[0, first],
            {name: table[1 + k, first] for k, name in enumerate(names)},
            np.append(first, table.shape[1]),
            events.item[rows][order],
        )

    @cached_property
    def first_of_person(self) -> np.ndarray:
        """Where the groups of each person begin, and the end of all."""
        new = np.flatnonzero(np.diff(self.user)) + 1
        return np.concatenate([np.zeros(min(1, len(self)), np.int64), new, [len(self)]])

    def of_people(self, people: Tensor) -> Tensor:
        """All groups of some people, counted as ``first_of_person`` does."""
        first = self.first_of_person[people.numpy()]
        count = self.first_of_person[people.numpy() + 1] - first
        within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        return torch.from_numpy(np.repeat(first, count) + within)

    def pairs(self, groups: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(place in ``groups``, item) of every event of these groups."""
        lengths = np.diff(self.start)[groups]
        case = np.repeat(np.arange(len(groups)), lengths)
        within = np.arange(len(case)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        return case, self.item[np.repeat(self.start[groups], lengths) + within]


@dataclass(frozen=True)
class Stretches:
    """Parts of histories side by side, padded with zeros on the right."""

    item: Int[Tensor, "B L"]
    at: Int[Tensor, "B L"] | None  # seconds; None where the data has no times
    there: Bool[Tensor, "B L"]

    @classmethod
    def of(cls, history: Histories, first: np.ndarray, size: np.ndarray) -> "Stretches":
        """``size`` events from ``first`` on, rows of ``history``."""
        width = max(int(size.max(initial=0)), 1)
        there = np.arange(width) < size[:, None]
        rows = np.where(there, first[:, None] + np.arange(width), 0)
        item, at = (
            None if column is None else torch.from_numpy(_filled(column, rows, there))
            for column in (history.item, history.at)
        )
        assert item is not None
        return cls(item, at, torch.from_numpy(there))

    @property
    def lengths(self) -> Int[Tensor, " B"]:
        return self.there.sum(1)

    def met_before(self) -> tuple[Int[Tensor, " n"], Int[Tensor, " n"]]:
        """(number of a following event, item before it), for all pairs of a stretch.

        Following are all but the first of each stretch, numbered row by row; an
        event's own item is left out where it was met before.
        """
        following = self.there[:, 1:]
        number = following.flatten().cumsum(0).view_as(following) - 1
        size = following.shape[1]
        at, before = torch.tril_indices(size, size, device=self.item.device)
        item = self.item[:, before]
        kept = following[:, at] & (item != self.item[:, 1:][:, at])
        return number[:, at][kept], item[kept]

    def take(self, part: Callable[[Tensor], Tensor]) -> "Stretches":
        """Some of the rows."""
        at = None if self.at is None else part(self.at)
        return Stretches(part(self.item), at, part(self.there))

    def to(self, device: torch.device) -> "Stretches":
        at = None if self.at is None else self.at.to(device)
        return Stretches(self.item.to(device), at, self.there.to(device))


@dataclass(frozen=True)
class Windows:
    """Stretches of histories, cut anew every epoch at a random offset."""

    history: Histories
    length: int

    def epoch(self, rng: np.random.Generator, batch: int) -> Iterator[Stretches]:
        """Batches of up to ``length + 1`` events in a row."""
        lengths = self.history.lengths
        cases = np.flatnonzero(lengths > 1)
        offset = rng.integers(0, self.length, len(cases))
        offset[lengths[cases] <= self.length + 1] = 0
        count = -(-(lengths[cases] - 1 + offset) // self.length)
        case = np.repeat(cases, count)
        index = np.arange(len(case)) - np.repeat(np.cumsum(count) - count, count)
        begin = np.maximum(index * self.length - np.repeat(offset, count), 0)
        stop = np.minimum((index + 1) * self.length - np.repeat(offset, count), lengths[case] - 1)
        kept = stop > begin
        first = (self.history.start[case] + begin)[kept]
        size = (stop - begin + 1)[kept]
        for rows in _alike(size, batch, rng):
            yield Stretches.of(self.history, first[rows], size[rows])


def _alike(size: np.ndarray, batch: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Rows in random batches of like size, so that little is padding.

    Rows are shuffled into pools and sorted within; a batch holds as many events as
    ``batch`` rows do on average, so every event weighs alike whatever its batch.
    """
    if not len(size):
        return []
    order = rng.permutation(len(size))
    order = order[np.lexsort((size[order], np.arange(len(order)) // (POOL * batch)))]
    whole = size[order].cumsum()
    cuts = np.flatnonzero(np.diff(whole // max(1, int(batch * size.mean())))) + 1
    batches = np.split(order, cuts)
    return [batches[at] for at in rng.permutation(len(batches))]


def newest(history: Histories, length: int) -> Stretches:
    """The newest ``length`` events of each case."""
    size = np.minimum(history.lengths, length)
    return Stretches.of(history, history.start[1:] - size, size)


def _filled(column: np.ndarray, rows: np.ndarray, there: np.ndarray) -> np.ndarray:
    return np.where(there, column[rows], 0) if len(column) else np.zeros(rows.shape, column.dtype)


@dataclass(frozen=True)
class RatedPairs:
    """Rated events grouped by user; ratings in units around their mean."""

    history: Histories

    @classmethod
    def of(cls, events: Interactions, users: int, scale: tuple[float, float]) -> "RatedPairs":
        order = np.argsort(events.user, kind="stable")
        start = np.concatenate([[0], np.cumsum(np.bincount(events.user, minlength=users))])
        assert events.stars is not None
        mean, unit = scale
        stars = ((events.stars[order] - mean) / unit).astype(np.float32)
        return cls(Histories(start, events.item[order], stars=stars))

    def of_users(self, users: np.ndarray) -> tuple[Tensor, Tensor, Tensor]:
        part = self.history.take(users)
        assert part.stars is not None
        user = np.repeat(users, part.lengths)
        return torch.from_numpy(user), torch.from_numpy(part.item), torch.from_numpy(part.stars)


class Cycle(Iterator[Tensor]):
    """Shuffled batches of rows, over and over; from 256 rows on an epoch has at least four."""

    def __init__(self, count: int, batch: int, generator: torch.Generator) -> None:
        self.batch = max(1, min(batch, -(-count // 4) if count >= 256 else count))
        self.count, self.generator = count, generator
        self.per_epoch = -(-count // self.batch)
        self.left: list[Tensor] = []

    def __next__(self) -> Tensor:
        if not self.left:
            order = torch.randperm(self.count, generator=self.generator)
            self.left = list(order.split(self.batch))
        return self.left.pop()
