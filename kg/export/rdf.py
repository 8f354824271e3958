"""The graph as RDF again: statement by statement what was read, and IRIs for what had none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import polars as pl

from trefoil.kg.construction.literals import WRITTEN, forms_of, parse_meaning
from trefoil.kg.construction.names_and_texts import MARKUP, RDFS, without_markup
from trefoil.kg.construction.values import XSD, lexical
from trefoil.kg.graph import INTERACTED, ITEM, KnowledgeGraph
from trefoil.kg.naming import readable
from trefoil.kg.triples.blank_nodes import PREFIX
from trefoil.kg.triples.statements import I18N, IRI, Term
from trefoil.kg.triples.triples import SAME_AS, TYPE

if TYPE_CHECKING:
    import rdflib

OURS = "urn:trefoil:"


def to_rdf(graph: KnowledgeGraph, *, events: bool = False) -> rdflib.Graph:
    """The graph as an rdflib graph; see ``statements`` for what becomes what."""
    import rdflib
    from rdflib import BNode, Literal, URIRef

    def term(one: Term) -> Any:
        text, datatype, language = one
        if datatype == IRI:
            blank = text.startswith(PREFIX)
            return BNode("b" + text.removeprefix(PREFIX)) if blank else URIRef(text)
        if "--" in language:  # rdflib knows no directions; JSON-LD names this datatype for them
            return Literal(text, datatype=URIRef(I18N + language.replace("--", "_")))
        if language:
            return Literal(text, lang=language)
        return Literal(text, datatype=URIRef(datatype) if datatype else None, normalize=False)

    out = rdflib.Graph()
    out.addN((term((s, IRI, "")), URIRef(p), term(o), out) for s, p, o in statements(graph, events))
    return out


def statements(graph: KnowledgeGraph, events: bool = False) -> Iterator[tuple[str, str, Term]]:
    """Subject, predicate and object of each statement; duplicates may occur.

    Labels, relationship types and properties get the IRIs of ``predicates``;
    without one, IRIs below ``urn:trefoil:``. A node without IRI is
    ``urn:item:<id>`` or ``urn:trefoil:node:<label>:<id>``. Blank nodes become
    blank again. ``name`` and ``text`` are written, as rdfs:label and
    rdfs:comment, where no literal says the same. INTERACTED edges, and the users
    that have no others, are left out unless ``events`` asks for them: each is then
    a node of its own, with user, item and properties.
    """
    iris = {label: _iris(graph, label) for label in graph.nodes}
    for label in graph.nodes:
        if events or label != "User":
            yield from _said_of_nodes(graph, label, iris[label])
    for (source, relation, target), edges in graph.edges.items():
        if relation == INTERACTED:
            if events:
                yield from _events(graph, (source, relation, target), iris)
            continue
        predicate = _predicate(graph, relation)
        heads, tails = iris[source], iris[target]
        for s, t in zip(edges.source.tolist(), edges.target.tolist(), strict=True):
            yield heads[s], predicate, (tails[t], IRI, "")


def _predicate(graph: KnowledgeGraph, relation: str) -> str:
    iri = graph.predicates.get(relation, "")
    return iri if ":" in iri and " " not in iri else f"{OURS}relation:{quote(iri or relation, '')}"


def _iris(graph: KnowledgeGraph, label: str) -> list[str]:
    """The IRI of each node; where several nodes share one, each gets its own."""
    nodes = graph.nodes[label]
    start = "urn:item:" if label == ITEM else f"{OURS}node:{quote(label, '')}:"
    made = [start + quote(one, safe="-._~") for one in nodes.vocabulary.ids]
    if "iri" not in nodes.properties.columns:
        return made
    own = nodes.properties["iri"]
    shared = (own.is_duplicated() & own.is_not_null()).to_list()
    return [made[at] if iri is None or shared[at] else iri for at, iri in enumerate(own.to_list())]


def _said_of_nodes(
    graph: KnowledgeGraph, label: str, iris: list[str]
) -> Iterator[tuple[str, str, Term]]:
    table = graph.nodes[label].properties
    klass = graph.predicates.get(f":{label}")
    rows = table.to_dicts() if table.width else [{}] * len(iris)
    columns = {
        name: list(_literals(graph, table, name))
        for name in table.columns
        if name not in ("iri", "name", "text", "classes", "same_as")
        and not graph.predicates.get(f".{name}", "").startswith(WRITTEN)
    }
    for at, (iri, row) in enumerate(zip(iris, rows, strict=True)):
        for one in row.get("classes") or ([klass] if klass else []):
            yield iri, TYPE, (one, IRI, "")
        given = row.get("iri")
        others = [given] if given is not None and given != iri else []
        for one in [*(row.get("same_as") or []), *others]:
            yield iri, SAME_AS, (one, IRI, "")
        said = set()
        for literals in columns.values():
            for predicate, term in literals[at]:
                said |= {term[0], *([without_markup(term[0])] if term[1] in MARKUP else ())}
                yield iri, predicate, term
        made = {readable(iri)} | ({row.get("name")} if iri.startswith(PREFIX) else set())
        for name, predicate in (("name", "label"), ("text", "comment")):
            value = row.get(name)
            if isinstance(value, str) and value not in said and value not in made:
                yield iri, RDFS + predicate, (value, "", "")


def _literals(
    graph: KnowledgeGraph, table: pl.DataFrame, name: str
) -> Iterator[list[tuple[str, Term]]]:
    """Predicate and literal of each value of a property, for each row of a table."""
    predicate, datatype, language = parse_meaning(graph.predicates.get(f".{name}", ""))
    cells = [
        [one for one in cell if one is not None] if isinstance(cell, list) else [cell]
        for cell in table[name].to_list()
    ]
    cells = [[] if cell == [None] else cell for cell in cells]
    if not predicate:
        ours = f"{OURS}property:{quote(name, '')}"
        yield from ([(ours, _literal(one)) for one in cell] for cell in cells)
        return
    beside = [key[1:] for key, of in graph.predicates.items() if of == f"{WRITTEN}.{name}"]
    if not beside or beside[0] not in table.columns:
        for cell in cells:
            yield [(predicate, (lexical(one, datatype), datatype, language)) for one in cell]
        return
    forms = [form if isinstance(form, list) else [form] for form in table[beside[0]].to_list()]
    forms = [
        form if len(form) == len(cell) else [None] * len(cell)
        for form, cell in zip(forms, cells, strict=True)
    ]
    values = table[name].explode() if isinstance(table.schema[name], pl.List) else table[name]
    written = pl.Series([one for form in forms for one in form], dtype=pl.String)
    terms = forms_of(values.drop_nulls(), written, datatype).iter_rows()
    for cell in cells:
        yield [(predicate, (*next(terms), "")) for _ in cell]


def _literal(value: Any) -> Term:
    """A value that no RDF gave: text, or a number with its datatype."""
    if isinstance(value, bool):
        return lexical(value), f"{XSD}boolean", ""
    if isinstance(value, int):
        return str(value), f"{XSD}integer", ""
    if isinstance(value, float):
        special = {"nan": "NaN", "inf": "INF", "-inf": "-INF"}
        return special.get(str(value), str(value)), f"{XSD}double", ""
    return str(value), "", ""


def _events(
    graph: KnowledgeGraph, key: tuple[str, str, str], iris: Mapping[str, list[str]]
) -> Iterator[tuple[str, str, Term]]:
    edges = graph.edges[key]
    table = edges.properties
    rows = table.to_dicts() if table.width else [{}] * len(edges)
    ends = zip(edges.source.tolist(), edges.target.tolist(), rows, strict=True)
    for at, (s, t, row) in enumerate(ends):
        event = f"{OURS}event:{at}"
        yield event, TYPE, (f"{OURS}Event", IRI, "")
        yield event, f"{OURS}user", (iris[key[0]][s], IRI, "")
        yield event, f"{OURS}item", (iris[key[2]][t], IRI, "")
        for name, value in row.items():
            if value is not None:
                yield event, f"{OURS}{quote(name, '')}", _literal(value)
