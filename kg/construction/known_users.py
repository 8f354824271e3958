"""A graph with one person less, or with one who goes by another name."""

from dataclasses import replace

import numpy as np

from trefoil.data.vocabulary import Vocabulary
from trefoil.kg.graph import USER, Edges, KnowledgeGraph, Nodes


def without_user(graph: KnowledgeGraph, user: str, into: str | None = None) -> KnowledgeGraph:
    """The graph without this person and all edges of theirs, which ``into`` gets where given.

    A graph that does not know ``user`` stays as it is; where it does not know ``into``, the
    edges go.
    """
    nodes = graph.nodes.get(USER)
    if nodes is None or user not in nodes.vocabulary:
        return graph
    row = nodes.vocabulary.row(user)
    target = -1 if into is None or into not in nodes.vocabulary else nodes.vocabulary.row(into)
    kept = np.delete(np.arange(len(nodes)), row)
    place = np.arange(len(nodes)) - (np.arange(len(nodes)) > row)
    place[row] = -1 if target < 0 else place[target]
    edges = {}
    for key, one in graph.edges.items():
        ends = [
            place[rows] if name == USER else rows
            for name, rows in ((key[0], one.source), (key[2], one.target))
        ]
        stay = np.flatnonzero((ends[0] >= 0) & (ends[1] >= 0))
        table = one.properties
        edges[key] = Edges(ends[0][stay], ends[1][stay], table[stay] if table.width else table)
    return replace(graph, nodes={**graph.nodes, USER: nodes.take(kept)}, edges=edges)


def renamed_user(graph: KnowledgeGraph, user: str, name: str) -> KnowledgeGraph:
    """The graph in which a person has another id."""
    nodes = graph.nodes.get(USER)
    if nodes is None or user not in nodes.vocabulary:
        return graph
    ids = [name if one == user else one for one in nodes.vocabulary.ids]
    other = Nodes(Vocabulary(ids), nodes.properties)
    return replace(graph, nodes={**graph.nodes, USER: other})
