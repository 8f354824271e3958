"""What the graph says of each item, as a sparse table: the form in which models read it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from trefoil.data.interactions import Ints
from trefoil.kg.graph import ITEM, KnowledgeGraph


@dataclass(frozen=True)
class Facts:
    """Items x facts, 1 where it holds. A fact is (relation, direction, entity).

    ``relation`` and ``entity`` give each column's codes into ``relations``
    (``"DIRECTOR"``, inverse ``"^SEQUEL_OF"``) and ``entities`` (type, row).
    """

    matrix: sparse.csr_matrix
    relation: Ints
    entity: Ints
    relations: tuple[str, ...]
    entities: tuple[tuple[str, int], ...]

    def shared(self, at_least: int) -> Facts:
        """Only the facts that hold for at least so many items."""
        held = np.flatnonzero(np.diff(self.matrix.tocsc().indptr) >= at_least)
        used, entity = np.unique(self.entity[held], return_inverse=True)
        return Facts(
            self.matrix[:, held].tocsr(),
            self.relation[held],
            entity.astype(np.int64),
            self.relations,
            tuple(self.entities[row] for row in used),
        )


def item_facts(graph: KnowledgeGraph) -> Facts:
    """The facts of each item: every edge of an item but events, in both directions."""
    relations: list[str] = []
    offset, count = {}, 0
    for name, nodes in graph.nodes.items():
        offset[name] = count
        count += len(nodes)
    items, codes, ends = [], [], []

    def collect(item: Ints, relation: str, end: Ints) -> None:
        relations.append(relation)
        items.append(item)
        codes.append(np.full(len(item), len(relations) - 1))
        ends.append(end)

    for (source, relation, target), edges in graph.edges.items():
        if "User" in (source, target):
            continue
        if source == ITEM:
            collect(edges.source, relation, edges.target + offset[target])
        if target == ITEM:
            collect(edges.target, "^" + relation, edges.source + offset[source])
    n = len(graph.nodes[ITEM])
    item = np.concatenate([*items, np.zeros(0, np.int64)])
    key = np.concatenate([*codes, np.zeros(0, np.int64)]) * max(count, 1)
    key = key + np.concatenate([*ends, np.zeros(0, np.int64)])
    unique, column = np.unique(key, return_inverse=True)
    matrix = sparse.csr_matrix(
        (np.ones(len(item), np.float32), (item, column)), shape=(n, len(unique))
    )
    matrix.data[:] = 1.0
    used, entity = np.unique(unique % max(count, 1), return_inverse=True)
    names = list(offset)
    starts = np.array([offset[name] for name in names], np.int64)
    types = np.searchsorted(starts, used, side="right") - 1
    labels = [names[one] for one in types.tolist()]
    entities = tuple(zip(labels, (used - starts[types]).tolist(), strict=True))
    return Facts(
        matrix,
        (unique // max(count, 1)).astype(np.int64),
        entity.astype(np.int64),
        tuple(relations),
        entities,
    )
