"""Items and the entities that stand for them: a linked entity becomes the Item node."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from trefoil.data.dataset import GraphSource
from trefoil.data.interactions import Ints
from trefoil.data.items import Items
from trefoil.data.report import DataReport
from trefoil.data.vocabulary import Vocabulary
from trefoil.kg.construction.coverage import judged, with_items
from trefoil.kg.graph import INTERACTED, ITEM, LABELS, USER, Edges, EdgeType, KnowledgeGraph, Nodes

FURTHER = 10  # a tenth of the items make a further label one of items


def entities_of(items: Vocabulary, source: GraphSource, tally: Counter[str]) -> list[str | None]:
    """The entity each item is linked to, by the link table or by the IRI pattern.

    An item that the table links twice keeps the first in order of entity; both
    that and links to unknown items are counted.
    """
    if source.link is None:
        return [source.iri.replace("{id}", item) for item in items]
    entity: list[str | None] = [None] * len(items)
    pairs = (
        source.link.select(pl.col("item", "entity").cast(pl.String)).unique().sort("item", "entity")
    )
    rows = items.rows(pairs["item"])
    tally["links to unknown items"] += int((rows < 0).sum())
    for row, name in zip(rows.tolist(), pairs["entity"].to_list(), strict=True):
        if row < 0:
            continue
        if entity[row] is None:
            entity[row] = name
        else:
            tally["further links of an item, left out"] += 1
    return entity


def link(
    graph: KnowledgeGraph,
    items: Items,
    source: GraphSource,
    aliases: Mapping[str, str] | None = None,
    home: str | None = None,
) -> KnowledgeGraph:
    """The graph with one Item node per item of the catalogue, in its order.

    An item takes over the properties and edges of its entity, which is no node
    any more. Several items on one entity each get its edges. An item without
    entity stays, without edges; an Item node of the graph that stands for no item of
    the catalogue goes, with its edges. Title and text of the catalogue go before those
    of the graph. Nodes labelled User, and INTERACTED edges, that the graph
    brought along are left out: events come from training alone.
    """
    tally: Counter[str] = Counter()
    graph = _without_events(graph, tally)
    wanted = entities_of(items.vocabulary, source, tally)
    wanted = [(aliases or {}).get(name, name) if name else None for name in wanted]
    label, row = places(graph, wanted, home)
    found = label >= 0
    said = judged(graph, items.vocabulary, wanted, found, source)
    linked = source.link is not None
    tally["links to unknown entities"] += (
        sum(name is not None for name in wanted) - int(found.sum()) if linked else 0
    )
    tally["items"] = len(items)
    tally["items with an entity"] = int(found.sum())
    pairs, crowd = np.unique(np.stack([label, row])[:, found], axis=1, return_counts=True)
    tally["entities shared by several items"] = int((crowd > 1).sum())
    tally["entities of items"] = pairs.shape[1]
    moves = {name: _Move(graph, at, label, row) for at, name in enumerate(graph.nodes)}
    tally["items of the graph, not of the catalogue, left out"] += sum(
        move.left for move in moves.values()
    )
    nodes: dict[str, Nodes] = {ITEM: _item_nodes(graph, items, label, row)}
    for name, move in moves.items():
        if len(move.kept):
            nodes[name] = graph.nodes[name].take(move.kept)
    edges = _moved_edges(graph, moves)
    counts = {
        **graph.report.counts,
        **{k: v for k, v in tally.items() if v or k.startswith("items")},
    }
    report = DataReport(counts, graph.report.quarantined, (*graph.report.warnings, *said))
    origin = with_items(graph, items.vocabulary, wanted, label)
    return KnowledgeGraph(nodes, edges, graph.predicates, report, origin)


def _without_events(graph: KnowledgeGraph, tally: Counter[str]) -> KnowledgeGraph:
    gone = {k: e for k, e in graph.edges.items() if INTERACTED in k or USER in (k[0], k[2])}
    tally["edges of users in the graph, left out"] += sum(len(edges) for edges in gone.values())
    if not gone and USER not in graph.nodes:
        return graph
    nodes = {name: part for name, part in graph.nodes.items() if name != USER}
    edges = {key: part for key, part in graph.edges.items() if key not in gone}
    return replace(graph, nodes=nodes, edges=edges)


def places(
    graph: KnowledgeGraph, wanted: Sequence[str | None], home: str | None = None
) -> tuple[Ints, Ints]:
    """(type number, row) of each wanted entity, by id or by its iri; -1 where there is none.

    Ids of a database are unique within a label alone, and 7 may be a film and a person:
    there, items are nodes of the type ``home`` if it is told, else of the type that has
    most of them, and of a further one that has a tenth of them.
    """
    label = np.full(len(wanted), -1, np.int64)
    row = np.full(len(wanted), -1, np.int64)
    named = np.array([text is not None for text in wanted], bool)
    found = {name: _rows(graph.nodes[name], wanted) for name in graph.nodes}
    numbers = {name: at for at, name in enumerate(graph.nodes)}
    order, few = sorted(found, key=lambda name: name != ITEM), 1
    if graph.origin is not None:
        order.sort(key=lambda name: -int((found[name] >= 0).sum()))
        order = [home] if home in found else order
        few = max(len(wanted) // FURTHER, 1)
    for name in order:
        fresh = (found[name] >= 0) & (label < 0) & named
        if fresh.sum() >= few or (name == order[0] and fresh.any()):
            label[fresh], row[fresh] = numbers[name], found[name][fresh]
    return label, row


def _rows(part: Nodes, wanted: Sequence[str | None]) -> Ints:
    rows = part.vocabulary.rows(text or "" for text in wanted)
    if "iri" in part.properties.columns:
        by_iri = {iri: at for at, iri in enumerate(part.properties["iri"]) if iri}
        other = np.array([by_iri.get(text or "", -1) for text in wanted], np.int64)
        rows = np.where(rows >= 0, rows, other.reshape(-1))
    return rows


class _Move:
    """Where the nodes of one type go: to a new row of it, or to one or more items."""

    def __init__(self, graph: KnowledgeGraph, at: int, label: Ints, row: Ints) -> None:
        name = list(graph.nodes)[at]
        size = len(graph.nodes[name])
        items = np.flatnonzero(label == at)
        items = items[np.argsort(row[items], kind="stable")]
        self.items = items
        self.count = np.bincount(row[items], minlength=size)
        self.first = np.cumsum(self.count) - self.count
        stays = self.count == 0 if name != ITEM else np.zeros(size, bool)
        self.left = int((self.count == 0).sum() - stays.sum())
        self.kept = np.flatnonzero(stays)
        self.row = np.where(stays, np.cumsum(stays) - 1, -1)

    def ends(self, rows: Ints, to_item: bool) -> tuple[Ints, Ints]:
        """Positions in ``rows`` that go to items (or stay), and the new row of each."""
        if not to_item:
            at = np.flatnonzero(self.row[rows] >= 0)
            return at, self.row[rows[at]]
        at = np.flatnonzero(self.count[rows] > 0)
        count = self.count[rows[at]]
        offset = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        return np.repeat(at, count), self.items[np.repeat(self.first[rows[at]], count) + offset]


def _moved_edges(graph: KnowledgeGraph, moves: Mapping[str, _Move]) -> dict[EdgeType, Edges]:
    parts: dict[EdgeType, list[Edges]] = {}
    for (source, relation, target), edges in graph.edges.items():
        for head in (False, True):
            at, new_source = moves[source].ends(edges.source, head)
            for tail in (False, True):
                inner, new_target = moves[target].ends(edges.target[at], tail)
                if len(inner):
                    key = (ITEM if head else source, relation, ITEM if tail else target)
                    table = edges.properties
                    table = table[at[inner]] if table.width else table
                    parts.setdefault(key, []).append(Edges(new_source[inner], new_target, table))
    return {key: _joined(parts[key]) for key in sorted(parts)}


def _joined(parts: Sequence[Edges]) -> Edges:
    if len(parts) == 1:
        return parts[0]
    tables = [
        part.properties if part.properties.width else pl.DataFrame({"": [None] * len(part)})
        for part in parts
    ]
    table = pl.concat(tables, how="diagonal_relaxed")
    table = table.drop("", strict=False)
    return Edges(
        np.concatenate([part.source for part in parts]),
        np.concatenate([part.target for part in parts]),
        table,
    )


def _item_nodes(graph: KnowledgeGraph, items: Items, label: Ints, row: Ints) -> Nodes:
    """Properties of the entities, gathered by item, with title and text of the catalogue."""
    frame = pl.DataFrame({"item": np.arange(len(items))})
    parts = []
    for at, (name, nodes) in enumerate(graph.nodes.items()):
        held = np.flatnonzero(label == at)
        if not len(held) or not nodes.properties.width:
            continue
        table = nodes.properties[row[held]].with_columns(item=pl.Series(held, dtype=pl.Int64))
        klass = graph.predicates.get(f":{name}")
        if klass is not None:
            own = pl.lit([klass], pl.List(pl.String))
            known = pl.col("classes") if "classes" in table.columns else pl.lit(None)
            table = table.with_columns(classes=pl.coalesce(known, own))
        if graph.origin is not None and LABELS not in table.columns:
            table = table.with_columns(pl.Series(LABELS, [[name]] * len(table)))
        parts.append(table)
    if parts:
        held = pl.concat(parts, how="diagonal_relaxed")
        frame = frame.join(held, on="item", how="left", maintain_order="left")
    for column, given in (("name", items.titles), ("text", items.texts)):
        own = pl.Series(column, given, dtype=pl.String)
        known = frame[column] if column in frame.columns else own
        frame = frame.with_columns(own.zip_with(own.is_not_null(), known).alias(column))
    lead = [c for c in ("iri", "name", "text") if c in frame.columns]
    rest = [c for c in frame.columns if c not in ("item", *lead)]
    frame = frame.select(*lead, *rest)
    return Nodes(items.vocabulary, frame.select(c for c in frame.columns if _any(frame[c])))


def _any(column: pl.Series) -> bool:
    return column.name in ("name", "text") or column.null_count() < len(column)
