"""Paths from single items of a history to single items: the few pairs that matter, at once.

``kg.paths.search`` joins whole histories; here it is said beforehand which events may be
cited, because they moved the score.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from trefoil.data.interactions import Ints
from trefoil.kg.paths.diversify import DIRECT, PEOPLE, SHARED, Columns
from trefoil.kg.paths.index import Index, Reals
from trefoil.kg.paths.joins import expanded, found, ramp
from trefoil.kg.paths.search import CROWD, OTHER_ROLE


class Pairs(NamedTuple):
    """Items of a history that may be cited for items recommended, in rows.

    ``at`` numbers the items recommended, ``age`` the events from the newest, from 0; paths
    are chosen by their weight times ``factor``. ``adds`` is what the event adds to the score.
    """

    at: Ints
    seen: Ints
    item: Ints
    age: Ints
    factor: Reals
    adds: Reals


class _Part(NamedTuple):
    """Paths of one kind: rows of the pairs, weights, and facts of both items, -1 without."""

    kind: int
    rows: Ints
    weight: Reals
    fact: Ints
    other: Ints


def links(index: Index, pairs: Pairs, asker: int, k: int = 2) -> Columns:
    """All paths of up to three hops of these pairs; ``pair`` of the columns is ``at``.

    ``asker`` (a user row, -1 for nobody) is not the someone who met both. Where one path
    is wanted for each item (``k`` is 1), only those are told that none surpasses.
    """
    parts = [*_by_facts(index, pairs), _people(index, pairs, asker)]
    sizes = [len(one.rows) for one in parts]
    kind = np.repeat([one.kind for one in parts], sizes)
    rows = np.concatenate([one.rows for one in parts])
    weight = np.concatenate([one.weight for one in parts])
    fact = np.concatenate([one.fact for one in parts])
    other = np.concatenate([one.other for one in parts])
    choice, at = weight * pairs.factor[rows], pairs.at[rows]
    step = np.full(len(rows), -1, np.int64)
    paths = Columns(at, weight, choice, pairs.age[rows], kind, pairs.seen[rows], fact, other, step)
    if k != 1 or not len(rows):
        return paths
    most = np.full(int(at.max()) + 1, -np.inf)
    np.maximum.at(most, at, choice)
    return paths.take(np.flatnonzero(choice == most[at]))


def _none(rows: Ints) -> Ints:
    """A column of facts for a kind that has none."""
    return np.full(len(rows), -1, np.int64)


def _by_facts(index: Index, pairs: Pairs) -> Iterator[_Part]:
    """The item is joined to the item of the history, or both have a fact or an entity."""
    item = np.zeros(int(pairs.at.max(initial=-1)) + 1, np.int64)
    item[pairs.at] = pairs.item
    seen, seen_at = np.unique(pairs.seen, return_inverse=True)
    number = np.full((len(seen), len(item)), -1, np.int64)
    number[seen_at, pairs.at] = np.arange(len(pairs.at))
    at, own = expanded(index.facts, item)
    entity = index.entity[own]

    other = index.item_of[entity]
    hit = np.flatnonzero(other >= 0)
    place, there = found(seen, other[hit])
    hit, place = hit[there], place[there]
    pair = number[place, at[hit]]
    hit, pair = hit[pair >= 0], pair[pair >= 0]
    fact = own[hit]
    yield _Part(DIRECT, pair, index.strength[fact], fact, _none(pair))

    from_, theirs = expanded(index.facts, seen)
    known = np.zeros(len(index.entities), bool)
    known[entity] = True
    kept = np.flatnonzero(known[index.entity[theirs]])
    from_, theirs = from_[kept], theirs[kept]
    left, right = _joined(index.entity[theirs], entity)
    pair = number[from_[left], at[right]]
    kept = np.flatnonzero(pair >= 0)
    pair, theirs, right = pair[kept], theirs[left[kept]], right[kept]
    fact = own[right]
    weight = np.minimum(index.strength[theirs], index.strength[fact])
    same = index.relation[theirs] == index.relation[fact]
    key = 2 * right + same
    count = np.bincount(key, minlength=2 * len(own))[key]  # events with it, in this role
    factor = np.where(same, 1.0, OTHER_ROLE)
    yield _Part(SHARED, pair, factor * weight * count / (count + 1), fact, theirs)


def met_both(index: Index, pairs: Pairs, asker: int) -> Reals:
    """How telling it is of each pair that someone else met both; 0 where nobody did.

    The cosine of the two items over users, without the asker.
    """
    together = index.together(pairs.seen, pairs.item)
    own = index.row_of(asker)
    if len(own):
        met = np.zeros(index.meets.shape[1], bool)
        met[own] = True
        together = together - (met[pairs.seen] & met[pairs.item])
    crowd = np.sqrt(index.popular[pairs.seen] * index.popular[pairs.item])
    return CROWD * together / np.maximum(crowd, 1.0)


def _people(index: Index, pairs: Pairs, asker: int) -> _Part:
    """Someone else met both."""
    told = met_both(index, pairs, asker)
    rows = np.flatnonzero(told > 0)
    return _Part(PEOPLE, rows, told[rows], _none(rows), _none(rows))


def _joined(left: Ints, right: Ints) -> tuple[Ints, Ints]:
    """All places (in left, in right) of equal keys."""
    order = np.argsort(right, kind="stable")
    keys = right[order]
    first, last = (np.searchsorted(keys, left, side) for side in ("left", "right"))
    count = last - first
    hit = np.flatnonzero(count)
    count = count[hit]
    return np.repeat(hit, count), order[np.repeat(first[hit], count) + ramp(count)]
