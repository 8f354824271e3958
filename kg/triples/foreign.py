"""Files that go by the name of RDF and are something else: each is called by its own name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.parsers import expat

from trefoil.data.errors import GraphDataError

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_HTML = re.compile(
    rb"\s*(?:<\?xml[^>]*\?>\s*)?(?><!--.*?-->\s*)*+(?:<!doctype\s+html|<html[\s>])", re.I | re.S
)
_COMMENTS = rb"(?:\s|#[^\n]*\n)*+"
_TEXTS = {
    "OWL in functional syntax": re.compile(_COMMENTS + rb"(?:Prefix|Ontology)\s*\("),
    "OWL in Manchester syntax": re.compile(_COMMENTS + rb"(?:Prefix|Ontology):\s"),
    "an OBO file": re.compile(rb"\s*format-version:"),
    "HDT": re.compile(rb"\$HDT"),
}
_SPACES = {
    "http://www.w3.org/2002/07/owl#": "OWL/XML",
    "http://www.w3.org/2005/sparql-results#": "SPARQL results",
    "http://www.w3.org/2004/03/trix/trix-1/": "TriX",
    "http://graphml.graphdrawing.org/xmlns": "GraphML",
    "http://www.w3.org/2005/Atom": "an Atom feed",
    "http://www.w3.org/2000/svg": "an SVG picture",
    "http://www.w3.org/1999/xhtml": "an XHTML page",
}
_SUFFIXES = {
    ".owx": "OWL/XML",
    ".omn": "OWL in Manchester syntax",
    ".ofn": "OWL in functional syntax",
    ".obo": "an OBO file",
    ".hdt": "HDT",
    ".trix": "TriX",
    ".srx": "SPARQL results",
    ".rj": "RDF/JSON",
}
_SAVE = "save it as RDF/XML, Turtle or N-Triples"
_PAGE = (
    "fetch the data itself, for example with curl -L -H 'Accept: text/turtle' ADDRESS; "
    'what stands in <script type="application/ld+json"> may be saved as .jsonld'
)


def foreign_suffix(suffix: str) -> str | None:
    """What a file of this suffix is, and what to do with it; None where nothing is known."""
    if suffix in (".html", ".htm", ".xhtml"):
        return f"this is an HTML page; {_PAGE}"
    named = _SUFFIXES.get(suffix)
    return named and f"this is {named}, which is not read; {_SAVE}"


def refuse_foreign(path: Path, head: bytes) -> None:
    """Raises GraphDataError where the first bytes are not of RDF, but of something known."""
    if _HTML.match(head):
        raise GraphDataError(f"{path}: this is an HTML page, saved under the name of RDF; {_PAGE}")
    named = next((name for name, begins in _TEXTS.items() if begins.match(head)), None)
    named = named or _SPACES.get(_outermost(head))
    if named is not None:
        raise GraphDataError(f"{path}: this is {named}, which is not read; {_SAVE}")


class _Found(Exception):
    """The outermost element."""


def _outermost(head: bytes) -> str:
    """The name space of the first element of XML; empty where it has none, or says RDF itself."""
    parser = expat.ParserCreate(namespace_separator=" ")

    def element(name: str, attributes: dict[str, str]) -> None:
        rdf = any(one.startswith(_RDF) for one in (name, *attributes))
        raise _Found("" if rdf else name.rpartition(" ")[0])

    parser.StartElementHandler = element
    try:
        parser.Parse(head, False)
    except _Found as found:
        return found.args[0]
    except (expat.ExpatError, LookupError, ValueError):  # no XML, or of an unknown encoding
        pass
    return ""


def refuse_foreign_json(name: str, document: Any) -> None:
    """Raises GraphDataError for JSON that is no JSON-LD."""
    if isinstance(document, dict):
        if "head" in document and ("results" in document or "boolean" in document):
            raise GraphDataError(
                f"{name}: this is SPARQL results, no graph; ask with CONSTRUCT, or read them "
                "as a table of head, relation, tail"
            )
        if document and all(map(_told, document.values())):
            raise GraphDataError(f"{name}: this is RDF/JSON, which is not read; {_SAVE}")
        if isinstance(document.get("entities"), dict) and "@context" not in document:
            raise GraphDataError(
                f"{name}: this is Wikidata's own JSON, no RDF; fetch Special:EntityData/Q....ttl"
            )
    if document and not any(key.startswith("@") or ":" in key for key in _keys(document)):
        raise GraphDataError(
            f"{name}: JSON without @context: its keys are no IRIs; "
            'write "@context": {"@vocab": "http://example.org/"} into it'
        )


def _told(properties: Any) -> bool:
    """Whether this is what RDF/JSON says about a subject: lists of values with a type each."""
    if not isinstance(properties, dict) or not properties:
        return False
    values = [
        one for several in properties.values() if isinstance(several, list) for one in several
    ]
    return bool(values) and all(
        isinstance(one, dict) and "value" in one and one.get("type") in ("uri", "bnode", "literal")
        for one in values
    )


def _keys(document: Any) -> Iterator[str]:
    rest = [document]
    while rest:
        value = rest.pop()
        if isinstance(value, list):
            rest.extend(value)
        elif isinstance(value, dict):
            yield from value
            rest.extend(value.values())
