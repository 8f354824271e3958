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
from trefoil.kg.paths.joins import expanded, ramp
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


def links(index: Index, pairs: Pairs, asker: int) -> Columns:
    """All paths of up to three hops of these pairs; ``pair`` of the columns is ``at``.

    ``asker`` (a user row, -1 for nobody) is not the someone who met both.
    """
    parts = [*_by_facts(index, pairs), _people(index, pairs, asker)]
    return Columns(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def _by_facts(index: Index, pairs: Pairs) -> Iterator[Columns]:
    """The item is joined to the item of the history, or both have a fact or an entity."""
    (seen, seen_at), (item, item_at) = _each(pairs.seen, index), _each(pairs.item, index)
    number = np.full((len(seen), len(item)), -1, np.int64)
    number[seen_at[pairs.seen], item_at[pairs.item]] = np.arange(len(pairs.at))
    at, own = expanded(index.facts, item)
    entity = index.entity[own]

    other = index.item_of[entity]
    hit = np.flatnonzero(other >= 0)
    hit = hit[seen_at[other[hit]] >= 0]
    pair = number[seen_at[other[hit]], at[hit]]
    hit, pair = hit[pair >= 0], pair[pair >= 0]
    fact = own[hit]
    yield _columns(DIRECT, pairs, pair, index.strength[fact], fact=fact)

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
    for rows, factor in ((np.flatnonzero(same), 1.0), (np.flatnonzero(~same), OTHER_ROLE)):
        count = np.bincount(right[rows], minlength=len(own))[right[rows]]  # events with it
        strength = factor * weight[rows] * count / (count + 1)
        yield _columns(SHARED, pairs, pair[rows], strength, fact=fact[rows], other=theirs[rows])


def _each(rows: Ints, index: Index) -> tuple[Ints, Ints]:
    """Each item once, and where it stands there, by item row (-1 for the others)."""
    at = np.full(index.facts.shape[0], -1, np.int64)
    at[rows] = np.arange(len(rows))
    each = np.flatnonzero(at >= 0)
    at[each] = np.arange(len(each))
    return each, at


def _people(index: Index, pairs: Pairs, asker: int) -> Columns:
    """Someone else met both: cosine of the two items over users, without the asker."""
    together = index.together(pairs.seen, pairs.item)
    own = index.row_of(asker)
    if len(own):
        met = np.zeros(index.meets.shape[1], bool)
        met[own] = True
        together = together - (met[pairs.seen] & met[pairs.item])
    rows = np.flatnonzero(together > 0)
    crowd = np.sqrt(index.popular[pairs.seen[rows]] * index.popular[pairs.item[rows]])
    return _columns(PEOPLE, pairs, rows, CROWD * together[rows] / crowd)


def _columns(kind: int, pairs: Pairs, rows: Ints, weight: Reals, **more: Ints) -> Columns:
    age, seen = pairs.age[rows], pairs.seen[rows]
    return Columns.made(
        kind, pairs.at[rows], weight, pairs.factor[rows], age=age, seen=seen, **more
    )


def _joined(left: Ints, right: Ints) -> tuple[Ints, Ints]:
    """All places (in left, in right) of equal keys."""
    order = np.argsort(right, kind="stable")
    keys = right[order]
    first, last = (np.searchsorted(keys, left, side) for side in ("left", "right"))
    count = last - first
    hit = np.flatnonzero(count)
    count = count[hit]
    return np.repeat(hit, count), order[np.repeat(first[hit], count) + ramp(count)]
