"""Explanation paths as arrays: joined, weighed and chosen for thousands of pairs at once."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

import numpy as np

from trefoil.data.histories import Histories
from trefoil.data.interactions import Bools, Ints
from trefoil.kg.naming import inverse
from trefoil.kg.paths.diversify import DIRECT, PEOPLE, SHARED, TWO_STEPS, Columns, varied
from trefoil.kg.paths.index import Index, Reals
from trefoil.kg.paths.joins import Best, expanded, found, ramp

MAX_HISTORY = 500  # newest positive events of a user that may begin a path
OTHER_ROLE, _LONGER, CROWD = 0.7, 0.4, 0.6  # factors of weight, by kind of path
WORK = 4_000_000  # joined rows held at a time


class Found(NamedTuple):
    """One path of one pair, in codes: facts' relations and entities, item and user rows."""

    pair: int
    kind: int
    weight: float
    user: int  # -1 where the history is not the graph's
    seen: int
    item: int
    relations: tuple[int, ...]
    entities: tuple[int, ...]
    someone: int  # who met both, of PEOPLE; -1 where nobody is to be named


def search(
    index: Index,
    users: Ints,
    items: Ints,
    k: int,
    max_hops: int,
    own: Histories | None = None,
    case: Ints | None = None,
) -> Iterator[Found]:
    """The best ``k`` paths of each pair, pair by pair, best first.

    ``own`` are histories to use instead of the graph's, ``case`` the history of
    each pair in them.
    """
    if own is None or case is None:
        known = users >= 0
        cases, inverse_ = np.unique(users[known], return_inverse=True)
        case = np.full(len(users), -1, np.int64)
        case[known] = inverse_
        past = _newest(index.liked.take(cases))
    else:
        users, past = np.full(len(items), -1, np.int64), _newest(own)
    for pairs in _portions(index, past, case, items):
        chosen = np.unique(case[pairs])
        local = np.searchsorted(chosen, case[pairs])
        part = _Portion(index, past.take(chosen), local, items[pairs], users[pairs])
        chosen = varied(part.candidates(max_hops), k, index)
        for row in zip(*(column.tolist() for column in chosen), strict=True):
            yield part.path(row, pairs)


SEEN, KIND, WEIGHT = (Columns._fields.index(name) for name in ("seen", "kind", "weight"))


def found_of(index: Index, row: tuple, pair: int, user: int, item: int, someone: int = -1) -> Found:
    """A row of ``Columns`` with its relations and entities in codes."""
    _, weight, _, _, kind, seen, fact, other, step = row
    relations: tuple[int, ...] = ()
    entities: tuple[int, ...] = ()
    if kind == DIRECT:
        relations = (int(index.relation[fact]),)
    elif kind == SHARED:
        relations = (int(index.relation[other]), int(index.relation[fact]))
        entities = (int(index.entity[fact]),)
    elif kind == TWO_STEPS:
        back = index.relations.index(inverse(index.relations[step]))
        relations = (int(index.relation[other]), back, int(index.relation[fact]))
        entities = (int(index.entity[other]), int(index.entity[fact]))
    return Found(pair, kind, weight, user, seen, item, relations, entities, someone)


def _newest(past: Histories) -> Histories:
    """The last events of each history, and each item once, where it was last."""
    lengths = past.lengths
    case = np.repeat(np.arange(len(past)), lengths)
    age = past.start[case + 1] - 1 - np.arange(len(past.item))
    order = np.lexsort((age, past.item, case))
    twin = np.zeros(len(order), bool)
    twin[1:] = (np.diff(case[order]) == 0) & (np.diff(past.item[order]) == 0)
    keep = np.ones(len(order), bool)
    keep[order[twin]] = False
    case, item = case[keep], past.item[keep]
    start = np.searchsorted(case, np.arange(len(past) + 1))
    late = start[case + 1] - np.arange(len(case)) <= MAX_HISTORY
    case, item = case[late], item[late]
    return Histories(np.searchsorted(case, np.arange(len(past) + 1)), item)


def _portions(index: Index, past: Histories, case_of: Ints, items: Ints) -> Iterator[Ints]:
    """Pairs in parts of bounded work, those of one user together; without history they drop out."""
    size = np.diff(index.facts.indptr)
    load = np.zeros(len(past) + 1, np.int64)
    np.add.at(load, np.repeat(np.arange(len(past)), past.lengths), size[past.item] + 1)
    pairs = np.flatnonzero((case_of >= 0) & (items >= 0) & (load[case_of] > 0))
    pairs = pairs[np.argsort(case_of[pairs], kind="stable")]
    case = case_of[pairs]
    fresh = np.ones(len(pairs), bool)
    fresh[1:] = np.diff(case) != 0
    work = np.cumsum(np.where(fresh, load[case], 0) + past.lengths[case] + size[items[pairs]])
    part = work // WORK
    bounds = np.flatnonzero(np.diff(part)) + 1
    yield from (one for one in np.split(pairs, bounds) if len(one))


class _Portion:
    """Pairs (case, item) and the histories of their cases, small enough to join at once."""

    def __init__(self, index: Index, past: Histories, case: Ints, item: Ints, user: Ints) -> None:
        self.index, self.past = index, past
        self.case, self.item, self.user = case, item, user
        self.owner = np.repeat(np.arange(len(past)), past.lengths)
        self.age = past.start[self.owner + 1] - 1 - np.arange(len(past.item))

    def candidates(self, max_hops: int) -> Columns:
        at, fact = expanded(self.index.facts, self.item)
        parts = [self._direct(at, fact)]
        if max_hops >= 3:
            parts += [*self._shared(at, fact), self._people()]
        if max_hops >= 4:
            parts.append(self._two_steps(at, fact))
        return Columns(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))

    def _direct(self, at: Ints, fact: Ints) -> Columns:
        """The item is joined to an item of the history."""
        index = self.index
        other = index.item_of[index.entity[fact]]
        keep = (other >= 0) & (other != self.item[at])
        at, fact, other = at[keep], fact[keep], other[keep]
        n = index.facts.shape[0]
        key = self.owner * n + self.past.item
        order = np.argsort(key)
        place, hit = found(key[order], self.case[at] * n + other)
        row = order[place[hit]]
        at, fact = at[hit], fact[hit]
        return Columns.made(
            DIRECT, at, index.strength[fact], age=self.age[row], seen=self.past.item[row], fact=fact
        )

    def _shared(self, at: Ints, fact: Ints) -> Iterator[Columns]:
        """An item of the history has the same fact, or the same entity in another role.

        A fact that s items of the history have weighs strength * s / (s + 1).
        """
        index = self.index
        for key, size in (
            (np.arange(len(index.relation)), len(index.relation)),
            (index.entity, len(index.entities)),
        ):
            match = self._matches(at, fact, key, key[fact], size)
            count = match.count - (self._met[match.at] & ~match.itself)
            weight = match.weight(index) * count / (count + 1)
            keep = np.ones(len(weight), bool)
            if key is index.entity:
                keep = index.relation[match.other] != index.relation[match.fact]
                weight = weight * OTHER_ROLE
            yield match.columns(SHARED, weight).take(np.flatnonzero(keep))

    def _two_steps(self, at: Ints, fact: Ints) -> Columns:
        """An entity of the item is joined to an entity of an item of the history."""
        index = self.index
        one, near = expanded(index.near, index.entity[fact])
        _, step = expanded(index.near, index.entity[fact], data=True)
        match = self._matches(at[one], fact[one], index.entity, near, len(index.entities))
        # the step is kept as seen from the item's entity; the path goes the other way
        return match.columns(TWO_STEPS, match.weight(index) * _LONGER, step=step[match.wanted] - 1)

    def _matches(self, at: Ints, fact: Ints, key: Ints, wanted: Ints, size: int) -> _Match:
        """For each wanted key, the newest item of the history with a fact of that key."""
        from_, theirs = self._history_facts
        held = Best(self.owner[from_] * max(size, 1) + key[theirs], self.age[from_])
        row, count, itself, hit = held.look(
            self.case[at] * max(size, 1) + wanted,
            lambda row: self.past.item[from_[row]],
            self.item[at],
        )
        place = np.flatnonzero(hit)
        row = row[place]
        return _Match(
            place,
            at[place],
            fact[place],
            theirs[row],
            count[place],
            itself[place],
            self.age[from_[row]],
            self.past.item[from_[row]],
        )

    @cached_property
    def _met(self) -> Bools:
        """Whether the item of each pair is in the history."""
        n = self.index.facts.shape[0]
        keys = np.sort(self.owner * n + self.past.item)
        return found(keys, self.case * n + self.item)[1]

    @cached_property
    def _history_facts(self) -> tuple[Ints, Ints]:
        return expanded(self.index.facts, self.past.item)

    def _people(self) -> Columns:
        """Someone else met both: cosine of the two items over users, without the asker."""
        index = self.index
        popular = np.diff(index.met_by.indptr)
        wanted, item_at = np.unique(self.item, return_inverse=True)
        counts = (index.met_by[:, wanted].T @ index.meets).tocsr()  # wanted x items
        counts.sort_indices()  # looked up by halving then, not by scanning a row
        lengths = self.past.lengths[self.case]
        at = np.repeat(np.arange(len(self.case)), lengths)
        row = np.repeat(self.past.start[self.case], lengths) + ramp(lengths)
        seen, item, asker = self.past.item[row], self.item[at], self.user[at]
        together = np.asarray(counts[item_at[at], seen]).ravel().astype(np.int64)
        known = asker >= 0
        if known.any():
            met = index.meets[asker[known], item[known]]
            together[known] -= np.asarray(met).ravel() > 0
        keep = np.flatnonzero((together > 0) & (seen != item))
        at, row, seen, item = at[keep], row[keep], seen[keep], item[keep]
        cosine = together[keep] / np.sqrt(popular[seen] * popular[item])
        order = np.lexsort((self.age[row], -cosine, at))
        best = order[np.unique(at[order], return_index=True)[1]]
        return Columns.made(
            PEOPLE, at[best], CROWD * cosine[best], age=self.age[row[best]], seen=seen[best]
        )

    def path(self, row: tuple, pairs: Ints) -> Found:
        """A chosen candidate with its relations, its entities and its witness."""
        local, seen, kind = row[0], row[SEEN], row[KIND]
        item, user = int(self.item[local]), int(self.user[local])
        someone = self._someone(seen, item, user) if kind == PEOPLE else -1
        return found_of(self.index, row, int(pairs[local]), user, item, someone)

    def _someone(self, seen: int, item: int, user: int) -> int:
        """Of those who met both, the one who met fewest items: the most telling witness."""
        by_item = self.index.met_by
        both = np.intersect1d(
            by_item.indices[by_item.indptr[seen] : by_item.indptr[seen + 1]],
            by_item.indices[by_item.indptr[item] : by_item.indptr[item + 1]],
            assume_unique=True,
        )
        both = both[both != user]
        start = self.index.meets.indptr
        return int(both[np.argmin(start[both + 1] - start[both])])


class _Match(NamedTuple):
    """Facts of items recommended, each with a fact of an item of the history."""

    wanted: Ints  # place in what was asked for
    at: Ints
    fact: Ints
    other: Ints
    count: Ints
    itself: Bools  # the newest was the item recommended, and is not counted
    age: Ints
    seen: Ints

    def weight(self, index: Index) -> Reals:
        return np.minimum(index.strength[self.fact], index.strength[self.other])

    def columns(self, kind: int, weight: Reals, **more: Ints) -> Columns:
        given = {"age": self.age, "seen": self.seen, "fact": self.fact, "other": self.other}
        return Columns.made(kind, self.at, weight, 1.0, **given, **more)
