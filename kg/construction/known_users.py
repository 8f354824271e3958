"""A graph with other people: more events of theirs, one less, or one by another name."""

from dataclasses import replace

import numpy as np
import polars as pl

from trefoil.data.interactions import Interactions
from trefoil.data.vocabulary import Vocabulary
from trefoil.kg.construction.build import event_edges
from trefoil.kg.graph import INTERACTED, ITEM, USER, Edges, KnowledgeGraph, Nodes


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


def with_events(graph: KnowledgeGraph, users: Vocabulary, events: Interactions) -> KnowledgeGraph:
    """The graph of these events alone, by these users; what it says of those it knows stays.

    ``events`` are in rows of ``users`` and of the items of the graph.
    """
    nodes = graph.nodes[USER]
    table = nodes.properties
    if table.width:
        rows = pl.Series(nodes.vocabulary.rows(users.ids))
        none = pl.Series([None], dtype=rows.dtype)
        table = table.select(pl.all().gather(rows.zip_with(rows >= 0, none)))
    edges = {**graph.edges, (USER, INTERACTED, ITEM): event_edges(events)}
    return replace(graph, nodes={**graph.nodes, USER: Nodes(users, table)}, edges=edges)
