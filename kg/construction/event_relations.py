"""The events as a graph holds them are taken out of it: they are no facts.

Whoever keeps users and their events in a graph keeps the held-out events there as well.
The way from users to items is told by the query of the events, or found by comparing
pairs: relationships that say what the events say are events, whatever they are called.
Held-out events are compared too, which can only take facts away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from trefoil.data.dataset import Dataset
from trefoil.data.interactions import Bools, Ints
from trefoil.data.report import DataReport
from trefoil.kg.construction.event_query import Named
from trefoil.kg.construction.event_ways import SAME, Way, end, ways
from trefoil.kg.graph import USER, Edges, EdgeType, Key, KnowledgeGraph, Origin

LEFT_OUT = "edges of users in the graph, left out"


def without_events(
    graph: KnowledgeGraph, dataset: Dataset, item_of: Mapping[str, Ints], named: Named | None
) -> KnowledgeGraph:
    """The graph without users and what joins them to items; report and origin say what that was.

    ``item_of`` has, for each node of a type that holds items, the row of its item or -1;
    ``named`` is what the query tells. Users go with all their edges, so do nodes on the way
    (an order), and no relationship type of the way is left between what remains of them.
    """
    found = list(ways(graph, dataset, item_of))
    gone: dict[str, Bools] = {}
    for way in found:
        held = way.user >= 0
        gone[way.people] = held if held.mean() < SAME else np.ones(len(held), bool)
    labels = [end(step) for way in found for step in way.steps[:-1]]
    labels += [named.user[0] or "", *(s.label or "" for s in named.steps[:-1])] if named else []
    for name in labels:
        if name in graph.nodes and name not in item_of:
            gone[name] = np.ones(len(graph.nodes[name]), bool)
    types = {step[0][1] for way in found for step in way.steps}
    types |= {name for step in named.steps for name in step.types} if named else set()
    edges = {
        kind: part
        for kind, part in graph.edges.items()
        if not (kind[1] in types and {kind[0], kind[2]} & set(gone))
    }
    left = _without(replace(graph, edges=edges), gone)
    lost = graph.edge_count - left.edge_count
    counts = {**graph.report.counts, LEFT_OUT: lost}
    note = _note(found, named, list(gone), lost)
    report = DataReport(counts, graph.report.quarantined, (*graph.report.warnings, note))
    return replace(left, report=report, origin=_origin(graph.origin, found, named))


def _without(graph: KnowledgeGraph, gone: Mapping[str, Bools]) -> KnowledgeGraph:
    """The graph without these nodes and their edges."""
    place = {}
    nodes = dict(graph.nodes)
    for name, lost in gone.items():
        kept = np.flatnonzero(~lost)
        place[name] = np.where(lost, -1, np.cumsum(~lost) - 1)
        nodes[name] = graph.nodes[name].take(kept)
        if not len(kept):
            del nodes[name]
    edges: dict[EdgeType, Edges] = {}
    for kind, part in graph.edges.items():
        source, target = (
            place[name][rows] if name in place else rows
            for name, rows in ((kind[0], part.source), (kind[2], part.target))
        )
        held = np.flatnonzero((source >= 0) & (target >= 0))
        if kind[0] in nodes and kind[2] in nodes:
            table = part.properties[held] if part.properties.width else part.properties
            edges[kind] = Edges(source[held], target[held], table)
    return replace(graph, nodes=nodes, edges=edges)


def _note(found: Sequence[Way], named: Named | None, gone: Sequence[str], lost: int) -> str:
    """In words: what was taken for events, and how it was known."""
    if not found and not gone:
        return "no relationships of the graph are events: none joins users to items as they do"
    told = {tuple(step.types) for step in named.steps} if named else set()
    shown = []
    for way in found:
        known = all(any(step[0][1] in types for types in told) for step in way.steps)
        how = "named in the query of the events" if known else "found by comparing pairs"
        shown.append(f"{_pattern(way)} ({how})")
    if not found:
        shown = [f"nodes {', '.join(gone)} (named in the query of the events)"]
    return f"the graph holds the events as {'; '.join(shown)}: {lost} edges are no facts"


def _pattern(way: Way) -> str:
    text = f"(:{way.people})"
    for step in way.steps:
        left, right = ("-", "->") if step[1] else ("<-", "-")
        text += f"{left}[:{step[0][1]}]{right}(:{end(step)})"
    return text


def _origin(origin: Origin | None, found: Sequence[Way], named: Named | None) -> Origin | None:
    """Where the users are in the database, and by what they are joined to items there."""
    if origin is None:
        return None
    if found:
        way = min(found, key=lambda one: len(one.steps))
        key = origin.keys.get(way.people, Key(way.people, None))
        if way.property is not None:
            key = Key(way.people, way.property, key.whole)
        steps = tuple((step[0][1], step[1]) for step in way.steps)
        between = tuple(end(step) for step in way.steps[:-1])
        return replace(origin, keys={**origin.keys, USER: key}, events=steps, between=between)
    label = None if named is None else named.user[0]
    if named is None or label is None:
        return origin
    key = origin.keys.get(label, Key(label, named.user[1]))
    steps = tuple((step.types[0], step.forward) for step in named.steps if step.types)
    between = tuple(step.label or "" for step in named.steps[:-1])
    return replace(origin, keys={**origin.keys, USER: key}, events=steps, between=between)
