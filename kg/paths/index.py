"""What explanation paths are made of: strong facts, neighbouring entities, who liked what."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from trefoil.data.histories import Histories
from trefoil.data.interactions import UNKNOWN_TIME, Interactions, Ints
from trefoil.kg.graph import INTERACTED, ITEM, USER, KnowledgeGraph
from trefoil.kg.item_facts import item_facts
from trefoil.kg.paths.joins import expanded, found

MOST_BITS = 64_000_000  # bytes of who met what, a bit for each; beyond, lists are joined
MAX_NEIGHBOURS = 32  # least common entities next to an entity that a longer path may go through

Reals = NDArray[np.float64]


@dataclass(frozen=True)
class Index:
    """Facts of items with their strength, entities next to entities, and who liked what.

    A fact that holds for df of N items has strength log((N+1)/df) / log(N+1),
    from 1 (one item) to nearly 0 (all): idf (Spärck Jones 1972), scaled.
    """

    facts: sparse.csr_matrix  # items x facts
    relation: Ints
    entity: Ints
    strength: Reals
    relations: tuple[str, ...]
    entities: tuple[tuple[str, int], ...]
    item_of: Ints  # item row of an entity, -1 for others
    near: sparse.csr_matrix  # entities x entities; data is 1 + code of the relation
    liked: Histories
    meets: sparse.csr_matrix  # users x items, positive
    met_by: sparse.csc_matrix  # the same by item

    @classmethod
    def of(cls, graph: KnowledgeGraph, low_below: float | None = None) -> Self:
        """Events rated below ``low_below`` are left out."""
        facts = item_facts(graph)
        names = list(facts.relations)
        n = facts.matrix.shape[0]
        held = np.diff(facts.matrix.tocsc().indptr)
        item_of = np.array(
            [row if label == ITEM else -1 for label, row in facts.entities], np.int64
        ).reshape(-1)
        near = _near(graph, facts.entities, names)
        liked = _liked(graph, low_below)
        meets = liked.matrix(n)
        return cls(
            facts.matrix,
            facts.relation,
            facts.entity,
            np.log((n + 1) / np.maximum(held, 1)) / np.log(n + 1) if n else np.zeros(0),
            tuple(names),
            facts.entities,
            item_of,
            near,
            liked,
            meets,
            meets.tocsc(),
        )

    def with_events(self, graph: KnowledgeGraph) -> Self:
        """The same with all positive events of the graph, whatever their rating."""
        liked = _liked(graph)
        meets = liked.matrix(self.facts.shape[0])
        return replace(self, liked=liked, meets=meets, met_by=meets.tocsc())

    @cached_property
    def digest(self) -> str:
        """Stands for what the codes of facts mean."""
        told = hashlib.blake2b(repr((self.relations, self.entities)).encode(), digest_size=16)
        for one in (self.facts.indptr, self.facts.indices, self.relation, self.entity):
            told.update(one.astype(np.int64).tobytes())
        return told.hexdigest()

    def row_of(self, user: int) -> Ints:
        """The items that a user (row, -1 for nobody) met."""
        if not 0 <= user < self.meets.shape[0]:
            return np.zeros(0, np.int64)
        return self.meets.indices[self.meets.indptr[user] : self.meets.indptr[user + 1]]

    @cached_property
    def popular(self) -> Ints:
        """How many people met each item."""
        return np.diff(self.met_by.indptr).astype(np.int64)

    @cached_property
    def _bits(self) -> NDArray[np.uint64] | None:
        """Who met each item, a bit for each user; None where that would be large."""
        users, items = self.meets.shape
        words = -(-users // 64)
        if items * words * 8 > MOST_BITS:
            return None
        found = np.zeros((items, words), np.uint64)
        for first in range(0, items, 512):
            part = self.met_by[:, first : first + 512]
            dense = np.zeros((part.shape[1], words * 64), bool)
            dense[np.repeat(np.arange(part.shape[1]), np.diff(part.indptr)), part.indices] = True
            found[first : first + 512] = np.packbits(dense, axis=1).view(np.uint64)
        return found

    def together(self, one: Ints, other: Ints) -> Ints:
        """How many people met both items, for each pair of item rows."""
        if self._bits is not None:
            return np.bitwise_count(self._bits[one] & self._bits[other]).sum(1, dtype=np.int64)
        by_item, users = self.met_by.T.tocsr(), self.meets.shape[0]
        wanted, row = np.unique(other, return_inverse=True)
        which, who = expanded(by_item, wanted)
        met = which * users + who
        met.sort()
        at, user = expanded(by_item, one)
        _, hit = found(met, row[at] * users + user)
        return np.bincount(at[hit], minlength=len(one))


def _liked(graph: KnowledgeGraph, low_below: float | None = None) -> Histories:
    """Positive events by user, oldest first; without those rated below ``low_below``."""
    users = len(graph.nodes[USER]) if USER in graph.nodes else 0
    edges = graph.edges.get((USER, INTERACTED, ITEM))
    if edges is None:
        return Histories(np.zeros(users + 1, np.int64), np.zeros(0, np.int64))
    table = edges.properties
    positive, at = np.ones(len(edges), bool), None
    if "positive" in table.columns:
        positive = table["positive"].fill_null(True).to_numpy()
    if low_below is not None and "stars" in table.columns:
        positive = positive & (table["stars"].fill_null(low_below).to_numpy() >= low_below)
    if "at" in table.columns:
        at = table["at"].fill_null(UNKNOWN_TIME).to_numpy()
    return Histories.of(Interactions(edges.source, edges.target, positive, at=at), users)


def _near(
    graph: KnowledgeGraph, entities: tuple[tuple[str, int], ...], names: list[str]
) -> sparse.csr_matrix:
    """Edges between entities of facts, both ways; relation names are added to ``names``."""
    size = len(entities)
    code: dict[str, Ints] = {
        label: np.full(len(part), -1, np.int64) for label, part in graph.nodes.items()
    }
    for at, (label, row) in enumerate(entities):
        code[label][row] = at
    parts: list[tuple[Ints, Ints, int]] = []
    for (source, relation, target), edges in graph.edges.items():
        if {source, target} & {USER, ITEM}:
            continue
        head, tail = code[source][edges.source], code[target][edges.target]
        keep = (head >= 0) & (tail >= 0) & (head != tail)
        for ends, name in (((head, tail), relation), ((tail, head), f"^{relation}")):
            if name not in names:
                names.append(name)
            parts.append((ends[0][keep], ends[1][keep], names.index(name)))
    if not parts:
        return sparse.csr_matrix((size, size))
    rows, columns = (np.concatenate([part[at] for part in parts]) for at in (0, 1))
    data = np.concatenate([np.full(len(part[0]), part[2] + 1) for part in parts])
    _, first = np.unique(rows * max(size, 1) + columns, return_index=True)
    rows, columns, data = rows[first], columns[first], data[first]
    degree = np.bincount(columns, minlength=size)
    order = np.lexsort((columns, degree[columns], rows))
    rows, columns, data = rows[order], columns[order], data[order]
    place = np.arange(len(rows)) - np.searchsorted(rows, rows)
    keep = place < MAX_NEIGHBOURS
    return sparse.csr_matrix((data[keep], (rows[keep], columns[keep])), shape=(size, size))
