"""Triples to a typed graph: classes to labels, predicates to relationship types."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from trefoil.data.interactions import Ints
from trefoil.data.report import DataReport
from trefoil.data.vocabulary import Vocabulary
from trefoil.kg.construction.literals import WRITTEN, Property, columns_of
from trefoil.kg.construction.names_and_texts import blank_names, names_of, texts_of
from trefoil.kg.graph import Edges, EdgeType, KnowledgeGraph, Nodes
from trefoil.kg.naming import ENTITY, labels, readable, relationship_types
from trefoil.kg.triples.blank_nodes import PREFIX as BLANK
from trefoil.kg.triples.triples import Triples

_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:\S+")
_VAGUE = frozenset(
    {
        "http://www.w3.org/2002/07/owl#Thing",
        "http://www.w3.org/2002/07/owl#NamedIndividual",
        "http://www.w3.org/2000/01/rdf-schema#Resource",
        "http://www.w3.org/2004/02/skos/core#Concept",
        "https://schema.org/Thing",
        "http://schema.org/Thing",
    }
)


def typed_graph(
    triples: Triples,
    *,
    languages: Sequence[str] = ("en", ""),
    names: Mapping[str, str] | None = None,
    title: Sequence[str] = (),
) -> KnowledgeGraph:
    """The graph that triples describe.

    A node's label is its class; of several classes the one with most members,
    ``owl:Thing`` and its like last, and the first by IRI among equals; a blank node
    is no label. All of
    them are then kept in the property ``classes``. ``names`` gives names to
    entities, classes and predicates, by IRI. ``title`` are predicates whose literals name
    nodes before all others, by IRI or local name.
    """
    names = {**triples.names, **(names or {})}
    kinds = relationship_types(triples.relations, names)
    titles = labels(triples.classes, names)
    klass = _main_class(triples)
    labelled = [ENTITY, *(titles[iri] for iri in triples.classes)]
    order = np.argsort(klass, kind="stable")
    bounds = np.searchsorted(klass[order], np.arange(-1, len(triples.classes) + 1))
    row = np.empty(len(klass), np.int64)
    row[order] = np.arange(len(klass)) - np.repeat(bounds[:-1], np.diff(bounds))
    properties = columns_of(triples.literals, triples.predicates)
    general = _general(triples, klass, titles, names, languages, title)
    nodes, used = {}, set()
    spoken = _by_class(properties, klass)
    for at, label in enumerate(labelled):
        members = order[bounds[at] : bounds[at + 1]]
        if len(members):
            nodes[label] = _nodes(triples, members, general, spoken.get(at - 1, ()), used)
    if not nodes:
        nodes[ENTITY] = Nodes(Vocabulary(()), pl.DataFrame())
    meanings = {kinds[iri]: iri for iri in triples.relations}
    meanings |= {f":{titles[iri]}": iri for iri in triples.classes if titles[iri] in nodes}
    meanings |= {f".{one.name}": one.meaning for one in properties if one.name in used}
    meanings |= {
        f".{one.forms}": f"{WRITTEN}.{one.name}" for one in properties if one.forms in used
    }
    edges = _edges(triples, klass + 1, row, labelled, [kinds[iri] for iri in triples.relations])
    report = DataReport(dict(triples.counts), triples.quarantined)
    return KnowledgeGraph(nodes, edges, meanings, report)


def _main_class(triples: Triples) -> Ints:
    """The class row of each entity, -1 where it has none."""
    member = triples.member
    out = np.full(len(triples.entities), -1, np.int64)
    size = np.bincount(member[:, 1], minlength=len(triples.classes))
    vague = np.array([iri in _VAGUE for iri in triples.classes], bool)
    best = np.lexsort((np.arange(len(size)), -size, vague))
    rank = np.empty(len(size), np.int64)
    rank[best] = np.arange(len(size))
    named = np.array([not iri.startswith(BLANK) for iri in triples.classes], bool)
    member = member[named[member[:, 1]]]
    order = np.argsort(-rank[member[:, 1]], kind="stable")  # the best is written last
    out[member[order, 0]] = member[order, 1]
    return out


def _general(
    triples: Triples,
    klass: Ints,
    titles: Mapping[str, str],
    names: Mapping[str, str],
    languages: Sequence[str],
    title: Sequence[str],
) -> pl.DataFrame:
    """iri, name, text, and classes and merged IRIs where there is more to say, per entity."""
    ids = triples.entities.ids
    iris = [text if _IRI.fullmatch(text) else None for text in ids]
    short = [
        names.get(text) or (_short(text) if iri else None if text.isdigit() else text)
        for text, iri in zip(ids, iris, strict=True)
    ]
    frame = pl.DataFrame(
        {"entity": np.arange(len(ids)), "iri": iris, "short": short},
        schema={"entity": pl.Int64, "iri": pl.String, "short": pl.String},
    )
    kinds = [titles[iri] for iri in triples.classes]
    blank = [row for row, text in enumerate(ids) if text.startswith(BLANK) and klass[row] >= 0]
    columns = {
        "name": names_of(triples, languages, title),
        "made": blank_names(triples, {row: kinds[klass[row]] for row in blank}),
        "text": texts_of(triples, languages),
        "classes": _classes(triples, klass),
        "same_as": _merged(triples),
    }
    for column, values in columns.items():
        if len(values) or column in ("name", "made", "text"):
            frame = frame.join(
                values.rename({"value": column}), on="entity", how="left", maintain_order="left"
            )
    return frame.with_columns(name=pl.coalesce("name", "short", "made")).drop("short", "made")


def _short(iri: str) -> str | None:
    """A name from an IRI; none from that of a blank node, which is a hash."""
    return None if iri.startswith(BLANK) else readable(iri)


def _classes(triples: Triples, klass: Ints) -> pl.DataFrame:
    """All classes of the entities that have other than their label."""
    entity, of = triples.member.T
    several = np.bincount(entity, minlength=len(klass)) > 1
    keep = (several | (klass < 0))[entity]
    iris = pl.Series(triples.classes.ids, dtype=pl.String).gather(of[keep])
    frame = pl.DataFrame({"entity": entity[keep], "value": iris})
    return frame.group_by("entity", maintain_order=True).agg("value")


def _merged(triples: Triples) -> pl.DataFrame:
    """The IRIs that were merged into each entity."""
    pairs = sorted(
        (kept, gone) for gone, kept in triples.aliases.items() if kept in triples.entities
    )
    entity = triples.entities.rows(kept for kept, _ in pairs)
    frame = pl.DataFrame(
        {"entity": entity, "value": [gone for _, gone in pairs]},
        schema={"entity": pl.Int64, "value": pl.String},
    )
    return frame.group_by("entity", maintain_order=True).agg("value")


def _by_class(properties: Sequence[Property], klass: Ints) -> dict[int, list[Property]]:
    """The properties that some entity of each class has: a wide graph has few of all pairs."""
    out: dict[int, list[Property]] = {}
    for one in properties:
        for at in np.unique(klass[one.values["entity"].to_numpy()]).tolist():
            out.setdefault(at, []).append(one)
    return out


def _nodes(
    triples: Triples,
    members: Ints,
    general: pl.DataFrame,
    properties: Sequence[Property],
    used: set[str],
) -> Nodes:
    frame = general[members]
    frame = frame.select(
        "entity", *(c for c in frame.columns[1:] if frame[c].null_count() < len(frame))
    )
    for one in properties:
        columns = {"value": one.name} | ({"form": one.forms} if one.forms else {})
        frame = frame.join(
            one.values.rename(columns), on="entity", how="left", maintain_order="left"
        )
        if one.forms and frame[one.forms].null_count() == len(frame):
            frame = frame.drop(one.forms)
        used.update(name for name in columns.values() if name in frame.columns)
    ids = triples.entities.ids
    return Nodes(Vocabulary(ids[row] for row in members.tolist()), frame.drop("entity"))


def _edges(
    triples: Triples, label: Ints, row: Ints, labelled: Sequence[str], kinds: Sequence[str]
) -> dict[EdgeType, Edges]:
    size, n = len(labelled), len(kinds)
    head, tail = label[triples.head], label[triples.tail]
    key = (head * max(n, 1) + triples.relation) * size + tail
    order = np.argsort(key, kind="stable")
    found, start = np.unique(key[order], return_index=True)
    edges: dict[EdgeType, Edges] = {}
    if not len(order):
        return edges
    for one, part in zip(found.tolist(), np.split(order, start[1:]), strict=True):
        rest, target = divmod(one, size)
        source, relation = divmod(rest, max(n, 1))
        ends = labelled[int(source)], kinds[int(relation)], labelled[int(target)]
        edges[ends] = Edges(row[triples.head[part]], row[triples.tail[part]])
    return edges
