"""Triples from statements in memory: plain tuples, or the graph of rdflib."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import pyoxigraph as ox

from trefoil.kg.triples.blank_nodes import PREFIX
from trefoil.kg.triples.lines import broken_share, read_lines
from trefoil.kg.triples.ntriples import XSD_STRING, Statements
from trefoil.kg.triples.rdf import finish
from trefoil.kg.triples.safety import Limits
from trefoil.kg.triples.triples import Triples

if TYPE_CHECKING:
    import rdflib

Term = tuple[str, str, str]  # text, datatype, language; an IRI or blank node has datatype "iri"
IRI = "iri"
I18N = "https://www.w3.org/ns/i18n#"  # language and direction of a text, where no tag can say so


def ntriples_lines(said: Iterable[tuple[str, str, Term]]) -> Iterator[str]:
    def resource(text: str) -> ox.BlankNode | ox.NamedNode:
        blank = text.startswith(PREFIX)
        return ox.BlankNode("b" + text.removeprefix(PREFIX)) if blank else ox.NamedNode(text)

    for s, p, (text, datatype, language) in said:
        if datatype == IRI:
            value = resource(text)
        elif language:
            tag, _, way = language.partition("--")
            direction = ox.BaseDirection(way) if way else None
            value = ox.Literal(text, language=tag, direction=direction)
        else:
            value = ox.Literal(text, datatype=ox.NamedNode(datatype or XSD_STRING))
        yield f"{resource(s)} {ox.NamedNode(p)} {value} .\n"


def from_rdflib(graph: rdflib.Graph, *, same_as: bool = False) -> Triples:
    """The statements of an rdflib graph or dataset. Raises GraphDataError for a forbidden term."""
    into = Statements()
    form = ox.RdfFormat.N_QUADS
    text = "".join(_rdflib_lines(graph)).encode(errors="surrogatepass")
    name = "rdflib graph"
    lines, broken = read_lines(io.BytesIO(text), form, into, name=name, scope="0", limits=Limits())
    broken_share(broken, lines, 0.0)
    return finish(into, same_as=same_as)


def from_statements(said: Iterable[tuple[str, str, Term]]) -> Triples:
    """Triples of statements in the form of ``statements``. Raises ValueError for a bad IRI."""
    into = Statements()
    text = "".join(ntriples_lines(said)).encode()
    lines, broken = read_lines(
        io.BytesIO(text),
        ox.RdfFormat.N_TRIPLES,
        into,
        name="statements",
        scope="0",
        limits=Limits(),
    )
    broken_share(broken, lines, 0.0)
    return finish(into)


def _rdflib_lines(graph: rdflib.Graph) -> Iterator[str]:
    import rdflib

    labels: dict[str, int] = {}

    def term(one: Any) -> str:
        if isinstance(one, rdflib.BNode):
            return f"_:n{labels.setdefault(str(one), len(labels))}"
        if isinstance(one, rdflib.Literal):
            kind = f"^^<{one.datatype.translate(_ESCAPES)}>" if one.datatype is not None else ""
            way = _DIRECTED.fullmatch(str(one.datatype or ""))
            kind = f"@{way[1]}--{way[2]}" if way else kind
            tail = f"@{one.language}" if one.language else kind
            return f'"{one.translate(_ESCAPES)}"{tail}'
        return f"<{str(one).translate(_ESCAPES)}>"

    if not isinstance(graph, rdflib.Dataset):
        yield from (f"{term(s)} {term(p)} {term(o)} .\n" for s, p, o in graph)
        return
    for s, p, o, where in graph.quads((None, None, None, None)):
        place = f" {term(where)}" if where is not None else ""
        yield f"{term(s)} {term(p)} {term(o)}{place} .\n"


_DIRECTED = re.compile(rf"{re.escape(I18N)}([a-z][A-Za-z0-9-]*)_(ltr|rtl)")
_ESCAPES = {ord("\\"): "\\\\", ord('"'): '\\"', ord("\n"): "\\n", ord("\r"): "\\r"}
