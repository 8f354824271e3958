"""Which items belong together, for ``per``: those of one director, one genre, one year."""

from dataclasses import dataclass

import numpy as np

from trefoil.data.interactions import Ints
from trefoil.data.items import Items
from trefoil.kg.graph import ITEM, USER, KnowledgeGraph

MOST = 64  # groups of one item that are looked at


@dataclass(frozen=True)
class Groups:
    """Item ``i`` is in the groups ``code[start[i]:start[i + 1]]``; there are ``count`` of them."""

    start: Ints
    code: Ints
    count: int

    @classmethod
    def of(cls, item: Ints, group: Ints, items: int) -> "Groups":
        """From pairs of an item row and any number that names a group."""
        names, code = np.unique(group, return_inverse=True)
        pairs = np.unique(item * max(len(names), 1) + code.reshape(-1))
        item, code = np.divmod(pairs, max(len(names), 1))
        start = np.searchsorted(item, np.arange(items + 1))
        return cls(start, code, len(names))

    def around(self, rows: Ints) -> Ints:
        """Groups [..., width] of item rows [...]; -1 where there are fewer, and for row -1."""
        safe = np.maximum(rows, 0)
        first, length = self.start[safe], np.where(rows < 0, 0, np.diff(self.start)[safe])
        width = min(int(length.max(initial=0)), MOST)
        if not len(self.code) or not width:
            return np.full((*rows.shape, 1), -1)
        offset = np.arange(width)
        place = np.minimum(first[..., None] + offset, len(self.code) - 1)
        return np.where(offset < length[..., None], self.code[place], -1)


def groups_of(name: str, items: Items, graph: KnowledgeGraph) -> Groups | None:
    """By a column of items, or by a relation of theirs in the graph; None without either."""
    size = len(items)
    if name in items.category:
        labels = items.category[name]
        row = np.repeat(np.arange(size), np.diff(labels.start))
        return Groups.of(row, labels.codes, size)
    if name in items.score:
        column = items.score[name]
        there = np.flatnonzero(~np.isnan(column))
        return Groups.of(there, np.unique(column[there], return_inverse=True)[1], size)
    rows, ends, offset, found = [], [], 0, False
    for label, nodes in graph.nodes.items():
        for (source, relation, target), edges in graph.edges.items():
            if relation.casefold() != name.casefold() or USER in (source, target):
                continue
            if source == ITEM and target == label:
                rows.append(edges.source)
                ends.append(edges.target + offset)
                found = True
            if target == ITEM and source == label:
                rows.append(edges.target)
                ends.append(edges.source + offset)
                found = True
        offset += len(nodes)
    if not found:
        return None
    row, end = np.concatenate(rows), np.concatenate(ends)
    return Groups.of(row[row < size], end[row < size], size)
