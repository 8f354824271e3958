"""Items that come after the graph was made: their nodes, and edges to what is known."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from trefoil.data.errors import GraphDataError
from trefoil.data.interactions import Ints
from trefoil.data.items import Items
from trefoil.data.suggest import closest
from trefoil.data.vocabulary import Vocabulary
from trefoil.kg.graph import INTERACTED, ITEM, USER, Edges, EdgeType, KnowledgeGraph, Nodes
from trefoil.kg.item_facts import Facts, item_facts
from trefoil.kg.naming import inverse, readable, upper_snake

Triple = tuple[str, str, str]
FEW_ASKED = 20  # names looked for one by one
_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:\S+")


@dataclass(frozen=True)
class Grown:
    """A graph with new items, and how much of what was said of them it knew before."""

    graph: KnowledgeGraph
    edges: int
    new_nodes: int


def with_items(graph: KnowledgeGraph, items: Items, triples: Sequence[Triple]) -> Grown:
    """The graph with these items as its last Item nodes, and an edge for each triple.

    The head is a new item; the relation a relationship type (``DIRECTED_BY``), the
    IRI behind one, or either with ``^`` before it for edges that point to items;
    the tail an id, IRI or name of a node. A tail that the graph does not know
    becomes a node of the kind that the relation usually leads to. What was in the
    graph keeps its row. Raises GraphDataError with the triple's number for a head
    that is not new, a relation that is unknown and a name that several nodes have.
    """
    before = len(graph.nodes[ITEM])
    names = {"name": items.titles, "text": items.texts}
    fresh = pl.DataFrame(names, schema=dict.fromkeys(names, pl.String))
    nodes = dict(graph.nodes)
    nodes[ITEM] = _longer(graph.nodes[ITEM], items.vocabulary.ids, fresh)
    growing = Growing(replace(graph, nodes=nodes), before)
    for where, triple in numbered(triples):
        growing.add(where, *triple)
    return growing.grown()


def numbered(triples: Sequence[Triple]) -> Iterator[tuple[str, Triple]]:
    """Each triple once, with the words by which messages name it."""
    for number, (head, relation, tail) in enumerate(dict.fromkeys(triples), 1):
        yield f"triple {number} ({head}, {relation}, {tail})", (head, relation, tail)


def facts_of(facts: Facts, graph: KnowledgeGraph, items: Ints) -> np.ndarray:
    """Facts [items, facts] of these items (rows) as the graph has them now; known facts alone."""
    now = item_facts(_edges_of(graph, items))
    held = now.matrix[items].tocoo()
    rows = np.zeros((len(items), len(facts.relation)), np.float32)
    entity_of = {entity: code for code, entity in enumerate(facts.entities)}
    codes_of: dict[str, list[int]] = {}
    for code, name in enumerate(facts.relations):
        codes_of.setdefault(name, []).append(code)
    columns: dict[int, Ints] = {}
    for column in np.unique(held.col).tolist():
        entity = entity_of.get(now.entities[now.entity[column]], -1)
        codes = codes_of.get(now.relations[now.relation[column]], [])
        same = np.flatnonzero(facts.entity == entity)
        columns[column] = same[np.isin(facts.relation[same], codes)]
    for row, column in zip(held.row.tolist(), held.col.tolist(), strict=True):
        rows[row, columns[column]] = 1.0
    return rows


def _edges_of(graph: KnowledgeGraph, items: Ints) -> KnowledgeGraph:
    """The graph with the edges of these items alone, without their properties."""
    mine = np.zeros(len(graph.nodes[ITEM]), bool)
    mine[items] = True
    edges = {}
    for key, one in graph.edges.items():
        kept = np.zeros(len(one), bool)
        for label, rows in ((key[0], one.source), (key[2], one.target)):
            if label == ITEM and USER not in key:
                kept |= mine[rows]
        edges[key] = Edges(one.source[kept], one.target[kept])
    return replace(graph, edges=edges)


class Growing:
    """A graph that takes one triple after the other.

    ``before`` is the row of the first item that facts may be told of.
    """

    def __init__(self, graph: KnowledgeGraph, before: int = 0) -> None:
        self.graph, self.before = graph, before
        self.kinds: dict[str, list[EdgeType]] = {}
        for key in sorted(graph.edges, key=lambda key: -len(graph.edges[key])):
            source, relation, target = key
            if USER in key or relation == INTERACTED:
                continue
            if source == ITEM:
                self.kinds.setdefault(relation, []).append(key)
            if target == ITEM:
                self.kinds.setdefault(inverse(relation), []).append(key)
        self.types = {iri: name for name, iri in graph.predicates.items() if name[:1] not in ":."}
        self.places: dict[str, dict[str, list[int]]] = {}
        self.asked: Counter[str] = Counter()
        self.fresh: dict[str, list[str]] = {}
        self.ends: dict[EdgeType, list[tuple[int, int]]] = {}

    def add(self, where: str, head: str, relation: str, tail: str) -> None:
        way, pair = self.place(where, head, relation, tail)
        self.ends.setdefault(way, []).append(pair)

    def place(
        self, where: str, head: str, relation: str, tail: str, *, make: bool = True
    ) -> tuple[EdgeType, tuple[int, int]]:
        """The type of edge that a triple is, and the rows of its ends.

        Unless ``make``, an unknown tail raises GraphDataError as all else that is unknown.
        """
        items = self.graph.nodes[ITEM].vocabulary
        row = items.row(head) if head in items else -1
        if row < self.before:
            only = "facts can be told of the items being added only"
            remedy = only if self.before else "give the id of an item"
            raise GraphDataError(
                f"{where}: the head is no {'new ' * bool(self.before)}item; {remedy}"
            )
        kind = self._kind(where, relation)
        backwards = kind.startswith("^")
        ways = self.kinds[kind]
        others = [key[0] if backwards else key[2] for key in ways]
        label, other = self._node(where, tail, others, make)
        way = next((key for key, end in zip(ways, others, strict=True) if end == label), None)
        name = kind.removeprefix("^")
        way = way or ((label, name, ITEM) if backwards else (ITEM, name, label))
        return way, ((other, row) if backwards else (row, other))

    def _kind(self, where: str, relation: str) -> str:
        mark, bare = ("^", relation[1:]) if relation.startswith("^") else ("", relation)
        for name in (bare, self.types.get(bare, bare), upper_snake(bare)):
            if mark + name in self.kinds:
                return mark + name
        raise GraphDataError(
            f"{where}: unknown relation {relation!r}; {closest(relation, sorted(self.kinds))}"
        )

    def _node(self, where: str, tail: str, labels: Sequence[str], make: bool) -> tuple[str, int]:
        """Label and row of a tail: by id or IRI, then by name, first where the relation leads."""
        known = [*labels, *(name for name in self.graph.nodes if name not in (*labels, USER))]
        for label in known:
            rows = self._rows(label, tail)
            if len(rows) > 1:
                raise GraphDataError(
                    f"{where}: {len(rows)} nodes of {label!r} are named {tail!r}; give an id"
                )
            if rows:
                return label, rows[0]
        if not make:
            raise GraphDataError(f"{where}: no node is named {tail!r}; mend the name")
        label = next((name for name in labels if name != ITEM), None)
        if label is None or not tail:
            raise GraphDataError(f"{where}: no item is named {tail!r}; add it, or mend the name")
        fresh = self.fresh.setdefault(label, [])
        row = len(self.graph.nodes[label]) + len(fresh)
        fresh.append(tail)
        if label in self.places:
            self.places[label][tail] = [row]
        return label, row

    def _rows(self, label: str, text: str) -> list[int]:
        """Rows of the nodes of a label that a text may mean; a table is made for many."""
        self.asked[label] += 1
        if self.asked[label] > FEW_ASKED or label in self.places:
            return self._placed(label).get(text, [])
        nodes, fresh = self.graph.nodes[label], self.fresh.get(label, [])
        if text in nodes.vocabulary:
            return [nodes.vocabulary.row(text)]
        for column in ("iri", "name"):
            if text and column in nodes.properties.columns:
                found = (nodes.properties[column] == text).fill_null(False).arg_true().to_list()
                if found:
                    return found
        return [len(nodes) + fresh.index(text)] if text in fresh else []

    def _placed(self, label: str) -> dict[str, list[int]]:
        """Rows of the nodes of a label by id, by IRI, and by name where none is so called."""
        if label not in self.places:
            nodes = self.graph.nodes[label]
            found = {text: [row] for row, text in enumerate(nodes.vocabulary.ids)}
            for column in ("iri", "name"):
                if column not in nodes.properties.columns:
                    continue
                more: dict[str, list[int]] = {}
                for row, text in enumerate(nodes.properties[column].to_list()):
                    if text and text not in found:
                        more.setdefault(text, []).append(row)
                found |= more
            fresh = self.fresh.get(label, [])
            found |= {text: [len(nodes) + at] for at, text in enumerate(fresh)}
            self.places[label] = found
        return self.places[label]

    def grown(self) -> Grown:
        nodes, edges = dict(self.graph.nodes), dict(self.graph.edges)
        for label, ids in self.fresh.items():
            iris = [text if _IRI.fullmatch(text) else None for text in ids]
            names = [readable(iri) if iri else text for iri, text in zip(iris, ids, strict=True)]
            table = pl.DataFrame(
                {"iri": iris, "name": names}, schema={"iri": pl.String, "name": pl.String}
            )
            nodes[label] = _longer(nodes[label], ids, table)
        tally = Counter(edges=0)
        for key, pairs in self.ends.items():
            new = np.array(pairs, np.int64).T
            old = edges.get(key, Edges(new[0, :0], new[1, :0]))
            table = old.properties
            if table.width:
                empty = pl.DataFrame({"": [None] * new.shape[1]})
                table = pl.concat([table, empty], how="diagonal_relaxed").drop("")
            edges[key] = Edges(
                np.concatenate([old.source, new[0]]), np.concatenate([old.target, new[1]]), table
            )
            tally["edges"] += new.shape[1]
        graph = replace(self.graph, nodes=nodes, edges=edges)
        return Grown(graph, tally["edges"], sum(len(ids) for ids in self.fresh.values()))


def _longer(nodes: Nodes, ids: Sequence[str], table: pl.DataFrame) -> Nodes:
    """Nodes with more at the end, of whom only the columns known already, and the name, matter."""
    old = nodes.properties
    if not old.width:
        old = pl.DataFrame({"name": [None] * len(nodes)}, schema={"name": pl.String})
    kept = [name for name in table.columns if name in old.columns or name == "name"]
    whole = pl.concat([old, table.select(kept)], how="diagonal_relaxed")
    return Nodes(Vocabulary([*nodes.vocabulary.ids, *ids]), whole)
