"""Training events, items and triples to the graph that models learn from and people explore."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from trefoil.data.compression import unpacked_suffix
from trefoil.data.dataset import Dataset, GraphSource
from trefoil.data.errors import GraphDataError
from trefoil.data.interactions import UNKNOWN_TIME, Interactions, Ints
from trefoil.data.items import Entities
from trefoil.data.report import DataReport
from trefoil.data.vocabulary import Vocabulary
from trefoil.kg.construction.coverage import refuse_unlinked
from trefoil.kg.construction.entity_linking import entities_of, link, places
from trefoil.kg.construction.event_query import named_in
from trefoil.kg.construction.event_relations import without_events
from trefoil.kg.construction.typed_graph import typed_graph
from trefoil.kg.graph import INTERACTED, ITEM, USER, Edges, EdgeType, KnowledgeGraph, Nodes
from trefoil.kg.naming import distinct_names, label, upper_snake
from trefoil.kg.triples.rdf import FORMATS, Paths, files_of, read_triples
from trefoil.kg.triples.safety import Limits
from trefoil.kg.triples.selection import Selection
from trefoil.kg.triples.tables import SUFFIXES, read_table, triples_of
from trefoil.kg.triples.triples import Triples, union


def build(dataset: Dataset, train: Ints) -> KnowledgeGraph:
    """The graph of a dataset as it may be known when only the events in ``train`` have happened.

    ``train`` are rows of ``dataset.interactions``; no other event is looked at.
    Each becomes an INTERACTED edge with ``stars``, ``at`` (UTC seconds) and
    ``kind`` where the dataset has them, and ``positive`` where not all are.
    Items are linked to the entities of ``dataset.graph``; without a graph, each
    category column of the items gives nodes and edges: ``genre`` becomes
    ``(:Item)-[:GENRE]->(:Genre)``. Of a database, relationships that are the events
    are left out. Raises GraphDataError, also where no item is in the graph.
    """
    events = dataset.interactions.take(np.asarray(train, np.int64))
    items, users = dataset.items, dataset.users
    if dataset.graph is None:
        graph = _from_categories(items)
    else:
        known, aliases = read_source(dataset.graph)
        home = None
        if known.origin is not None:
            known, home = _facts(known, dataset, dataset.graph)
        graph = link(known, items, dataset.graph, aliases, home)
        refuse_unlinked(graph)
    title = pl.Series("name", users.titles, dtype=pl.String)
    nodes = {USER: Nodes(users.vocabulary, pl.DataFrame([title])), **graph.nodes}
    edges: dict[EdgeType, Edges] = {(USER, INTERACTED, ITEM): event_edges(events), **graph.edges}
    return replace(graph, nodes=nodes, edges=edges)


def _facts(
    graph: KnowledgeGraph, dataset: Dataset, source: GraphSource
) -> tuple[KnowledgeGraph, str | None]:
    """A database without the events that it holds, and the type of its nodes that are items."""
    named = None if source.events is None else named_in(source.events)
    home = named.item[0] if named else None
    wanted = entities_of(dataset.items.vocabulary, source, Counter())
    label, row = places(graph, wanted, home)
    item_of = {}
    for at, name in enumerate(graph.nodes):
        if (label == at).any():
            item_of[name] = np.full(len(graph.nodes[name]), -1, np.int64)
            item_of[name][row[label == at]] = np.flatnonzero(label == at)
    return without_events(graph, dataset, item_of, named), home


def read_source(source: GraphSource) -> tuple[KnowledgeGraph, dict[str, str]]:
    """The graph behind a dataset, not yet linked; and which IRIs were merged into which."""
    if source.neo4j is not None:
        from trefoil.kg.stores.open import read_neo4j

        named = None if source.events is None else named_in(source.events)
        graph = read_neo4j(
            source.neo4j,
            database=source.database,
            labels=source.labels or None,
            relationships=source.relationships or None,
            properties=source.properties or None,
            key=source.keys,
            likely=named.keys if named else {},
            deny=source.deny,
        )
        return graph, {}
    chosen = Selection(allow=source.allow, deny=source.deny)
    parts: list[Triples] = []
    files = files_of(source.files, (*FORMATS, *SUFFIXES)) if source.files else []
    rdf = [path for path in files if unpacked_suffix(path) in FORMATS]
    if rdf:
        parts.append(
            read_triples(
                rdf,
                selection=chosen,
                same_as=source.same_as,
                base=source.base,
                contexts=source.contexts,
            )
        )
    parts += [
        read_table(path, allow=source.allow, deny=source.deny) for path in files if path not in rdf
    ]
    if source.table is not None:
        parts.append(triples_of(source.table, allow=source.allow, deny=source.deny))
    if not parts:
        raise GraphDataError("the graph names no files, no table and no server; add one of them")
    triples = union(parts)
    graph = typed_graph(triples, languages=source.languages, names=source.names, title=source.title)
    return graph, dict(triples.aliases)


def read_rdf(
    paths: Paths,
    *,
    languages: Sequence[str] = ("en", ""),
    title: Sequence[str] = (),
    selection: Selection | None = None,
    same_as: bool = False,
    base: str | None = None,
    contexts: Mapping[str, Path | str] | None = None,
    limits: Limits | None = None,
    max_bad_share: float = 0.01,
) -> KnowledgeGraph:
    """A typed graph from RDF files or folders; ``kg.triples.rdf.read_triples`` says what is read.

    ``languages`` go from most to least welcome for names and texts; ``""`` stands
    for no language. ``title`` are predicates, by IRI or local name, whose literals name
    nodes before rdfs:label and its like. ``report`` of the graph holds counts and broken lines.
    """
    triples = read_triples(
        paths,
        selection=selection,
        same_as=same_as,
        base=base,
        contexts=contexts,
        limits=limits,
        max_bad_share=max_bad_share,
    )
    return typed_graph(triples, languages=languages, title=title)


def event_edges(events: Interactions) -> Edges:
    """Events as edges from users to items, with what is known of each."""
    columns: dict[str, pl.Series] = {}
    if events.stars is not None:
        columns["stars"] = pl.Series(events.stars).fill_nan(None)
    if events.at is not None:
        at = pl.Series(events.at)
        columns["at"] = at.zip_with(at != UNKNOWN_TIME, pl.Series([None], dtype=pl.Int64))
    if events.kind is not None:
        names = pl.Series(events.kind.names, dtype=pl.String)
        codes = pl.Series(events.kind.codes)
        columns["kind"] = names.gather(
            codes.zip_with(codes >= 0, pl.Series([None], dtype=pl.Int64))
        )
    if not events.positive.all():
        columns["positive"] = pl.Series(events.positive)
    return Edges(events.user, events.item, pl.DataFrame(columns))


def _from_categories(items: Entities) -> KnowledgeGraph:
    """Category columns as nodes: what the catalogue itself says, where no graph says more."""
    names = {"name": items.titles, "text": items.texts}
    table = pl.DataFrame(names, schema=dict.fromkeys(names, pl.String))
    nodes = {ITEM: Nodes(items.vocabulary, table)}
    edges: dict[EdgeType, Edges] = {}
    reserved = frozenset({USER, ITEM, INTERACTED})
    types = distinct_names(items.category, label, reserved=reserved)
    kinds = distinct_names(items.category, upper_snake, reserved=reserved)
    for column, labels in items.category.items():
        ids = Vocabulary(labels.names)
        nodes[types[column]] = Nodes(
            ids, pl.DataFrame({"name": pl.Series(ids.ids, dtype=pl.String)})
        )
        source = np.repeat(np.arange(len(items)), np.diff(labels.start))
        edges[ITEM, kinds[column], types[column]] = Edges(source, labels.codes.astype(np.int64))
    counts = Counter(items=len(items))
    return KnowledgeGraph(nodes, edges, {}, DataReport(dict(counts)))
