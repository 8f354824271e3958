"""The facts of an item, found without a look at every edge of the graph."""

import threading
from dataclasses import dataclass
from typing import Any

import numpy as np

from trefoil.data.interactions import Ints
from trefoil.kg.graph import ITEM, USER, KnowledgeGraph
from trefoil.kg.paths.explain import PathIndex

MOST_FACTS = 200


@dataclass(frozen=True)
class Way:
    """Edges of one type in order of the item at one end: item ``i`` has ``far[start[i]:...]``."""

    relation: str
    forward: bool
    label: str  # of the other end
    start: Ints
    far: Ints

    @classmethod
    def of(cls, relation: str, forward: bool, label: str, ends: tuple[Ints, Ints], n: int) -> "Way":
        """From the rows of both ends, of ``n`` items."""
        near, far = ends
        order = np.argsort(near, kind="stable")
        return cls(
            relation, forward, label, np.searchsorted(near[order], np.arange(n + 1)), far[order]
        )


class ItemFacts:
    """Edges that lead from items to anything but people, sorted once for each graph."""

    def __init__(self) -> None:
        self._made: tuple[KnowledgeGraph, list[Way]] | None = None
        self._lock = threading.Lock()

    def of(self, graph: KnowledgeGraph, paths: PathIndex, id: str) -> list[dict[str, Any]]:
        """The facts of an item; none for one that is not in the graph."""
        if id not in graph.nodes[ITEM].vocabulary:
            return []
        row, found = graph.nodes[ITEM].vocabulary.row(id), []
        for way in self._ways(graph):
            for other in way.far[way.start[row] : way.start[row + 1]][:MOST_FACTS].tolist():
                node = paths.node(way.label, other)
                found.append(
                    {
                        "relation": way.relation,
                        "forward": way.forward,
                        "label": node.label,
                        "id": node.id,
                        "name": node.name,
                    }
                )
        return found[:MOST_FACTS]

    def _ways(self, graph: KnowledgeGraph) -> list[Way]:
        with self._lock:
            if self._made is None or self._made[0] is not graph:
                self._made = graph, ways(graph)
            return self._made[1]


def ways(graph: KnowledgeGraph) -> list[Way]:
    """Each edge type from the side of its items."""
    n, found = len(graph.nodes[ITEM]), []
    for (source, relation, target), edges in graph.edges.items():
        if USER in (source, target):
            continue
        if source == ITEM:
            found.append(Way.of(relation, True, target, (edges.source, edges.target), n))
        if target == ITEM:
            found.append(Way.of(relation, False, source, (edges.target, edges.source), n))
    return found
