"""Why this item: paths through training events and graph edges, each of which exists.

``PathIndex`` is made once from a graph and answers thousands of pairs at a
time. ``kg.paths.search`` finds and weighs the paths; here they become text and nodes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np

from trefoil.data.histories import Histories
from trefoil.data.interactions import Ints
from trefoil.kg.graph import INTERACTED, ITEM, LABELS, MADE_UP, USER, KnowledgeGraph
from trefoil.kg.naming import inverse
from trefoil.kg.paths.diversify import DIRECT, PEOPLE, SHARED
from trefoil.kg.paths.index import Index
from trefoil.kg.paths.links import Pairs
from trefoil.kg.paths.nearest import PLACES, Cited, ItemFacts, best_of
from trefoil.kg.paths.search import KIND, SEEN, WEIGHT, Found, found_of, search
from trefoil.kg.paths.statement import PathEdge, PathNode, Place, of_database, of_store, one_of
from trefoil.kg.paths.wording import unnamed, wording

SOMEONE = "someone else"  # the name of another user, in a path


@dataclass(frozen=True)
class Reason:
    """Why an item is recommended, for anyone to see: it holds no id of another person.

    ``weight`` lies in 0..1: how telling the path is. ``adds`` is what the event that it cites
    adds to the score of the item, to four places, where a model was asked.
    ``cypher`` with ``parameters`` returns such a path from a store that holds the graph; of a
    graph that was read from Neo4j, from that database, in its labels and keys.
    The id of a node that stands for another person is empty.
    """

    text: str
    weight: float
    nodes: tuple[PathNode, ...]
    edges: tuple[PathEdge, ...]
    adds: float | None = None

    @property
    def events(self) -> tuple[str, ...]:
        """Ids of the items of the person's history that it cites."""
        first = 1 if self.nodes[0].label == USER else 0
        return (self.nodes[first].id,)

    @property
    def facts(self) -> tuple[tuple[str, str, str], ...]:
        """Facts that it cites: id, relationship type, id, in the direction of the edge."""
        steps = zip(self.nodes, self.edges, self.nodes[1:], strict=False)
        ends = [(e.type, *((a, b) if e.forward else (b, a))) for a, e, b in steps]
        return tuple((a.id, type, b.id) for type, a, b in ends if type != INTERACTED)

    def _repr_html_(self) -> str:
        return f"<p>{escape(self.text)}</p><pre>{escape(self.cypher)}</pre>"

    @property
    def hops(self) -> int:
        return len(self.edges)

    @property
    def statement(self) -> tuple[str, dict[str, Any]]:
        """``cypher`` and ``parameters``."""
        places = {f"n{at}": node.place for at, node in enumerate(self.nodes) if node.place}
        if not places:
            return self.run_cypher, self.run_parameters
        told = {name: one.value for name, one in places.items() if one.value is not None}
        return of_database(self.nodes, self.edges), told

    @property
    def cypher(self) -> str:
        return self.statement[0]

    @property
    def parameters(self) -> dict[str, Any]:
        return self.statement[1]

    @property
    def run_cypher(self) -> str:
        """As ``cypher``, for the store of the run."""
        return of_store(self.nodes, self.edges)

    @property
    def run_parameters(self) -> dict[str, Any]:
        return {f"n{at}": node.id for at, node in enumerate(self.nodes) if node.id}


@dataclass(frozen=True)
class Path(Reason):
    """A reason for holders of the graph: user, an item of the history, what joins it to the item.

    Text and names never tell another user, but the ids of ``nodes`` and the parameters
    do; ``shown`` leaves them out. For a user who is not in the graph the path begins at
    the item of the history.
    """

    def shown(self) -> Reason:
        """The same without the ids of other people."""
        nodes = tuple(
            node.hidden() if node.label == USER and at else node
            for at, node in enumerate(self.nodes)
        )
        return Reason(self.text, self.weight, nodes, self.edges)


class PathIndex:
    """What ``explain`` needs of a graph, made once and shared by all calls.

    Events rated below ``low_below`` were not liked: they begin a path only where no
    other does, and its words do not say that they were liked.
    """

    def __init__(self, graph: KnowledgeGraph, low_below: float | None = None) -> None:
        self.graph = graph
        self.index = Index.of(graph, low_below)
        self.whole = None if low_below is None else self.index.with_events(graph)
        self._facts = ItemFacts(self.index)
        self._names: dict[str, list[str | None]] = {}
        self._kept_paths: dict[tuple, tuple[str, tuple[PathNode, ...], tuple[PathEdge, ...]]] = {}
        self._nodes: dict[tuple[str, int], PathNode] = {}

    def explain(
        self,
        users: Ints | Sequence[int],
        items: Ints | Sequence[int],
        *,
        k: int = 3,
        max_hops: int = 3,
    ) -> list[list[Path]]:
        """Up to ``k`` paths for each pair of a user row and an item row, the best first.

        Two hops: an item of the history is joined to the item. Three: both share
        an entity, or someone met both. Four: their entities are joined. Only
        positive events begin or continue a path. A common entity, a genre of half
        the catalogue, weighs little; among equals the newest event goes first, and
        the second path is of another relation and item of the history where there
        is one. A user row of -1 has no paths.
        """
        users, items = np.asarray(users, np.int64), np.asarray(items, np.int64)
        if len(users) != len(items):
            raise ValueError(f"{len(users)} users, {len(items)} items")
        out: list[list[Path]] = [[] for _ in range(len(items))]
        for found in search(self.index, users, items, k, max_hops):
            out[found.pair].append(self._path(found, "liked"))
        if self.whole is not None:
            left = np.array([pair for pair, paths in enumerate(out) if not paths], np.int64)
            for found in search(self.whole, users[left], items[left], k, max_hops):
                out[left[found.pair]].append(self._path(found, "had"))
        return out

    def explain_history(
        self,
        history: Ints | Sequence[int],
        items: Ints | Sequence[int],
        *,
        k: int = 3,
        max_hops: int = 3,
    ) -> list[list[Path]]:
        """The same for someone who is not in the graph: item rows, the oldest first.

        The paths begin at the item of the history.
        """
        history, items = np.asarray(history, np.int64), np.asarray(items, np.int64)
        own = Histories(np.array([0, len(history)]), history)
        nobody, case = np.full(len(items), -1), np.zeros(len(items), np.int64)
        out: list[list[Path]] = [[] for _ in range(len(items))]
        for found in search(self.index, nobody, items, k, max_hops, own, case):
            out[found.pair].append(self._path(found, "liked"))
        return out

    def cited(self, pairs: Pairs, asker: int, *, k: int = 1, liked: bool = True) -> list[Cited]:
        """Up to ``k`` paths for each item of ``pairs``, of the events that are cited for it.

        Item by item, best first. ``liked`` says that the events were not rated low.
        """
        index = self.index if liked or self.whole is None else self.whole
        ends = zip(pairs.at.tolist(), pairs.seen.tolist(), strict=True)
        adds = dict(zip(ends, pairs.adds.tolist(), strict=True))
        rows = best_of(self._facts, index, pairs, asker, k)
        return [Cited(row, adds[row[0], row[SEEN]], liked) for row in rows]

    def reasons(self, found: Sequence[Cited], items: Ints, asker: int) -> list[list[Reason]]:
        """These paths as reasons for each item row, by the number of the item.

        They begin at the user where the graph holds the event, else at its item.
        """
        out: list[list[Reason]] = [[] for _ in range(len(items))]
        held: dict[bool, set[int]] = {}
        for row, adds, liked in found:
            at, seen = row[0], row[SEEN]
            index = self.index if liked or self.whole is None else self.whole
            if liked not in held:
                held[liked] = set(index.row_of(asker).tolist())
            text, nodes, edges = self._told(index, row, int(items[at]), liked=liked)
            if seen in held[liked]:
                nodes, edges = (self.node(USER, asker), *nodes), (self._met(True), *edges)
            out[at].append(Reason(text, row[WEIGHT], nodes, one_of(edges), round(adds, PLACES)))
        return out

    def _told(
        self, index: Index, row: tuple, item: int, *, liked: bool
    ) -> tuple[str, tuple[PathNode, ...], tuple[PathEdge, ...]]:
        """Words, nodes and edges of a path from an item of a history on, for whoever asks."""
        key = (liked, item, *row[KIND:])
        kept = self._kept_paths.get(key)
        if kept is None:
            path = self._path(found_of(index, row, row[0], -1, item), "liked" if liked else "had")
            if len(self._kept_paths) >= 20_000:  # so many are kept
                self._kept_paths = {}
            kept = self._kept_paths[key] = path.text, path.nodes, one_of(path.edges)
        return kept

    def node(self, label: str, row: int) -> PathNode:
        """A node by label and row, with its name; without one its id, or what it is.

        An id that a machine made says nothing: such a node is ``a shared order``.
        """
        found = self._nodes.get((label, row))
        if found is None:
            nodes = self.graph.nodes[label]
            if label not in self._names:
                table = nodes.properties
                known = "name" in table.columns
                self._names[label] = table["name"].to_list() if known else [None] * len(nodes)
            one = nodes.vocabulary.ids[row]
            name = self._names[label][row] or unnamed(label, one)
            found = self._nodes[label, row] = PathNode(label, one, name, self._place(label, row))
        return found

    def _place(self, label: str, row: int) -> Place | None:
        """Where a node is in the database that the graph came from."""
        if self.graph.origin is None:
            return None
        nodes, keys = self.graph.nodes[label], self.graph.origin.keys
        one, table, key = nodes.vocabulary.ids[row], nodes.properties, keys.get(label)
        labels = table[row, LABELS] if label == ITEM and LABELS in table.columns else None
        key = keys.get(labels[0], key) if labels is not None and len(labels) else key
        if key is None or one.startswith(MADE_UP):
            found = one.removeprefix(MADE_UP) if one.startswith(MADE_UP) else None
            return None if key is None else Place(key.label, None, found)
        if key.property in table.columns and table[row, key.property] is not None:
            return Place(key.label, key.property, table[row, key.property])
        return Place(key.label, key.property, key.value(one) if key.property else None)

    def _met(self, forward: bool) -> PathEdge:
        """An event, from a user to an item or back, and what stands for it in the database."""
        origin = self.graph.origin
        if origin is None or not origin.events:
            return PathEdge(INTERACTED, forward)
        if forward:
            return PathEdge(INTERACTED, True, origin.events, origin.between)
        back = tuple((type, not along) for type, along in reversed(origin.events))
        return PathEdge(INTERACTED, False, back, tuple(reversed(origin.between)))

    def _path(self, found: Found, verb: str) -> Path:
        seen, item = self.node(ITEM, found.seen), self.node(ITEM, found.item)
        known = found.user >= 0
        nodes = [self.node(USER, found.user), seen] if known else [seen]
        edges = [self._met(True)] if known else []
        relations = [self.index.relations[code] for code in found.relations]
        middle = [self.node(*self.index.entities[code]) for code in found.entities]
        if found.kind == DIRECT:  # seen as the item says it: the fact is of the item
            edges.append(_edge(inverse(relations[0])))
        elif found.kind == PEOPLE:
            someone = self.node(USER, max(found.someone, 0))._replace(name=SOMEONE)
            nodes.append(someone if found.someone >= 0 else someone.hidden())
            edges += [self._met(False), self._met(True)]
        elif found.kind == SHARED:
            nodes += middle
            edges += [_edge(relations[0]), _edge(inverse(relations[-1]))]
        else:
            nodes += middle
            edges += [_edge(relations[0]), _edge(relations[1]), _edge(inverse(relations[2]))]
        text = wording(found.kind, seen.name, relations, [node.name for node in middle], verb)
        return Path(text, found.weight, (*nodes, item), tuple(edges))


def explain(
    graph: KnowledgeGraph | PathIndex,
    users: Ints | Sequence[int],
    items: Ints | Sequence[int],
    *,
    k: int = 3,
    max_hops: int = 3,
) -> list[list[Path]]:
    """Best explanation paths of pairs of rows; see ``PathIndex.explain``."""
    index = graph if isinstance(graph, PathIndex) else PathIndex(graph)
    return index.explain(users, items, k=k, max_hops=max_hops)


def _edge(relation: str) -> PathEdge:
    """An edge away from its node, as a fact of the node puts it (``^`` is an edge towards it)."""
    return PathEdge(relation.removeprefix("^"), not relation.startswith("^"))
