"""The one path that each item is told by, where few events may be cited for it.

The same choice as ``varied(links(...), 1)`` makes with columns. Of a few dozen pairs the facts
of two items are common keys of two small dictionaries, which costs less than a join.
"""

from __future__ import annotations

from typing import NamedTuple

from trefoil.kg.paths.diversify import DIRECT, PEOPLE, SHARED, varied
from trefoil.kg.paths.index import Index
from trefoil.kg.paths.links import Pairs, links, met_both
from trefoil.kg.paths.search import OTHER_ROLE

FEW = 256  # pairs that are looked at one by one
MOST_ITEMS = 20_000  # whose facts are kept
_NOTHING = (-1.0, 0, 0, 0, 0, 0, 0.0)  # is surpassed by any path

Fact = tuple[int, int, float]  # its code, its relation, its strength

# Of what an event adds: further ones depend on how many items were asked for at once.
PLACES = 4


class Cited(NamedTuple):
    """A path in codes, a row of ``Columns``; what its event adds to the score, and if it was liked.

    Its first column is the number of the item that it is a reason for.
    """

    row: tuple
    adds: float
    liked: bool


class OfItem(NamedTuple):
    """The facts of an item by their entity, and those whose entity is an item, by that item.

    Tuples of numbers: the garbage collector does not look through those again and again.
    """

    by_entity: dict[int, tuple[Fact, ...]]
    by_item: dict[int, tuple[Fact, ...]]


class ItemFacts:
    """The facts of single items as dictionaries, made when first needed and kept."""

    def __init__(self, index: Index) -> None:
        self.index = index
        self._kept: dict[int, OfItem] = {}

    def of(self, item: int) -> OfItem:
        """The facts of an item (row)."""
        found = self._kept.get(item)
        if found is None:
            if len(self._kept) >= MOST_ITEMS:
                self._kept = {}
            found = self._kept[item] = self._made(item)
        return found

    def _made(self, item: int) -> OfItem:
        index, found = self.index, OfItem({}, {})
        matrix = index.facts
        facts = matrix.indices[matrix.indptr[item] : matrix.indptr[item + 1]]
        entity = index.entity[facts]
        columns = facts, index.relation[facts], index.strength[facts], entity, index.item_of[entity]
        for fact, relation, strength, node, other in zip(
            *(c.tolist() for c in columns), strict=True
        ):
            told = (fact, relation, strength)
            found.by_entity[node] = (*found.by_entity.get(node, ()), told)
            if other >= 0:
                found.by_item[other] = (*found.by_item.get(other, ()), told)
        return found


def best_of(facts: ItemFacts, index: Index, pairs: Pairs, asker: int, k: int) -> list[tuple]:
    """Up to ``k`` paths of each item, as rows of ``Columns``: item by item, best first.

    ``facts`` are those of ``index``, or of one that differs in who liked what.
    """
    if k == 1 and len(pairs.at) <= FEW and index is facts.index:
        return nearest(facts, pairs, asker)
    found = varied(links(index, pairs, asker, k), k, index)
    return list(zip(*(column.tolist() for column in found), strict=True))


def nearest(facts: ItemFacts, pairs: Pairs, asker: int) -> list[tuple]:
    """Of each item (``at``) that has one the best path, as a row of ``Columns``; ascending.

    ``pairs`` lie together by item. ``asker`` (a user row, -1 for nobody) is not the someone
    who met both.
    """
    columns = (pairs.at, pairs.seen, pairs.item, pairs.age, pairs.factor)
    people = met_both(facts.index, pairs, asker).tolist()
    rows = list(zip(*(one.tolist() for one in columns), people, strict=True))
    out, first = [], 0
    for last in range(1, len(rows) + 1):
        if last == len(rows) or rows[last][0] != rows[first][0]:
            found = _best(facts, rows[first:last])
            if found is not None:
                out.append(found)
            first = last
    return out


def _best(facts: ItemFacts, rows: list[tuple]) -> tuple | None:
    """The best path of one item: the highest choice, then the newest event, then by codes."""
    own, direct = facts.of(rows[0][2])
    count: dict[int, int] = {}  # events with a fact, in the same role or in another
    shared, best = [], _NOTHING
    for row in rows:
        _, seen, _, age, factor, people = row
        if people > 0 and people * factor >= best[0]:
            best = max(best, (people * factor, -age, -seen, 1, -PEOPLE, 1, people))
        for fact, _, strength in direct.get(seen, ()):
            best = max(best, (strength * factor, -age, -seen, -fact, -DIRECT, 1, strength))
        theirs = facts.of(seen)[0]
        for entity in own.keys() & theirs.keys():
            for fact, role, strength in own[entity]:
                for other, its_role, strong in theirs[entity]:
                    same = role == its_role
                    code = 2 * fact + same
                    count[code] = count.get(code, 0) + 1
                    weight = strength if strength < strong else strong
                    shared.append((weight if same else OTHER_ROLE * weight, code, other, row))
    for base, code, other, row in shared:
        many = count[code]
        weight = base * many / (many + 1)
        choice = weight * row[4]
        if choice >= best[0]:
            found = choice, -row[3], -row[1], -(code // 2), -SHARED, -other, weight
            best = max(best, found)
    choice, age, seen, fact, kind, other, weight = best
    if choice < 0:
        return None
    return rows[0][0], weight, choice, -age, -kind, -seen, -fact, -other, -1
