"""Ways from users to items over the relationships of a graph that say what the events say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import polars as pl

from trefoil.data.dataset import Dataset
from trefoil.data.interactions import Ints
from trefoil.data.vocabulary import Vocabulary
from trefoil.kg.graph import Edges, EdgeType, KnowledgeGraph
from trefoil.kg.paths.joins import ramp

HOPS = 3  # the longest way: from Customer over Order and its line to Product
SAMPLE = 300  # users whose pairs are compared
BROAD = 300_000  # a step to more nodes than that is no way of events
SAME = 0.5  # share of pairs that are events, or of events that are pairs
SOME = 0.05  # of the pairs are events at the least, where most events are among them

Step = tuple[EdgeType, bool]  # a type of edges, and whether it is followed along its direction


class Way(NamedTuple):
    """The node type of users, the property of their ids (None: the nodes' own), and the steps.

    ``user`` is the row of the user that each node is, or -1.
    """

    people: str
    property: str | None
    steps: tuple[Step, ...]
    user: Ints


@dataclass(frozen=True)
class Pairs:
    """Which users met which items, as sorted numbers user x items + item."""

    key: Ints
    users: int
    items: int

    @classmethod
    def of(cls, dataset: Dataset) -> Pairs:
        events, items = dataset.interactions, len(dataset.items)
        return cls(np.unique(events.user * items + events.item), len(dataset.users), items)

    def same(self, user: Ints, item: Ints, asked: Ints) -> bool:
        """Whether these pairs, all that some way has from the users ``asked``, are their events.

        Either most pairs are events; or most events are pairs, and more pairs are events
        than chance would make.
        """
        met = np.unique(user * self.items + item)
        mine = self.key[np.isin(self.key // self.items, asked)]
        hits = int(np.isin(met, mine).sum())
        precise, whole = hits / max(len(met), 1), hits / max(len(mine), 1)
        chance = len(self.key) / max(self.users * self.items, 1)
        return precise >= SAME or (whole >= SAME and precise >= min(max(SOME, 2 * chance), SAME))


def ways(graph: KnowledgeGraph, dataset: Dataset, item_of: Mapping[str, Ints]) -> Iterator[Way]:
    """All ways from nodes that may be users to nodes that are items.

    ``item_of`` has, for each node of a type that holds items, the row of its item or -1.
    """
    pairs, users = Pairs.of(dataset), dataset.users.vocabulary
    busy = np.unique(dataset.interactions.user)
    for name in graph.nodes:
        if name in item_of and (item_of[name] >= 0).mean() >= SAME:
            continue
        for column, user in _columns(graph, name, users):
            found = list(_walk(graph, name, user, item_of, pairs, busy))
            yield from (Way(name, column, steps, user) for steps in found)
            if found:
                break


def end(step: Step) -> str:
    """The node type that a step leads to."""
    return step[0][2] if step[1] else step[0][0]


def _columns(
    graph: KnowledgeGraph, name: str, users: Vocabulary
) -> Iterator[tuple[str | None, Ints]]:
    """Ids and properties of which many are ids of users: property, and user row of each node."""
    nodes = graph.nodes[name]
    given: dict[str | None, pl.Series] = {None: pl.Series(nodes.vocabulary.ids, dtype=pl.String)}
    for column in nodes.properties.get_columns():
        if column.dtype == pl.String or column.dtype.is_integer():
            given[column.name] = column.cast(pl.String)
    for column, ids in given.items():
        rows = users.rows(ids.fill_null("").to_list())
        met = len(np.unique(rows[rows >= 0]))
        if met and (met >= SAME * len(users) or met >= SAME * len(nodes)):
            yield column, rows


def _walk(
    graph: KnowledgeGraph,
    start: str,
    user: Ints,
    item_of: Mapping[str, Ints],
    pairs: Pairs,
    busy: Ints,
) -> Iterator[tuple[Step, ...]]:
    """Ways from some of these nodes, breadth first, each type of node at most once."""
    nodes = np.flatnonzero(np.isin(user, busy))
    nodes = nodes[:: max(len(nodes) // SAMPLE, 1)]
    asked = np.unique(user[nodes])
    left: list[tuple[str, Ints, Ints, tuple[Step, ...]]] = [(start, user[nodes], nodes, ())]
    for hop in range(HOPS):
        reached = []
        for here, who, at, steps in left:
            met = {start, *(end(step) for step in steps)}
            for kind, edges in graph.edges.items():
                for along in (True, False):
                    step = kind, along
                    if (kind[0] if along else kind[2]) != here or end(step) in met:
                        continue
                    there = _followed(edges, along, who, at)
                    if there is None:
                        continue
                    row = item_of.get(end(step))
                    if row is not None:
                        item = row[there[1]]
                        if pairs.same(there[0][item >= 0], item[item >= 0], asked):
                            yield (*steps, step)
                    elif hop + 1 < HOPS:
                        reached.append((end(step), *there, (*steps, step)))
        left = reached


def _followed(edges: Edges, along: bool, who: Ints, at: Ints) -> tuple[Ints, Ints] | None:
    """Who comes to which nodes over these edges; None where that is nowhere or everywhere."""
    source, target = (edges.source, edges.target) if along else (edges.target, edges.source)
    order = np.argsort(source, kind="stable")
    first = np.searchsorted(source[order], at, side="left")
    count = np.searchsorted(source[order], at, side="right") - first
    if not 0 < count.sum() <= BROAD:
        return None
    inner = np.repeat(first, count) + ramp(count)
    return np.repeat(who, count), target[order[inner]]
