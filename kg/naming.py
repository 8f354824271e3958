"""How RDF names become labels, relationship types and property names."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from urllib.parse import unquote, urlsplit

from trefoil.kg.graph import INTERACTED, ITEM, USER

ENTITY = "Entity"
RESERVED_LABELS = frozenset({USER, ITEM, ENTITY})
RESERVED_TYPES = frozenset({INTERACTED})
RESERVED_PROPERTIES = frozenset({"id", "iri", "name", "text", "classes", "same_as"})

_PREFIXES = {
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#": "rdf",
    "http://www.w3.org/2000/01/rdf-schema#": "rdfs",
    "http://www.w3.org/2002/07/owl#": "owl",
    "http://www.w3.org/2004/02/skos/core#": "skos",
    "http://xmlns.com/foaf/0.1/": "foaf",
    "http://schema.org/": "schema",
    "https://schema.org/": "schema",
    "http://purl.org/dc/terms/": "dcterms",
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://dbpedia.org/ontology/": "dbo",
    "http://dbpedia.org/property/": "dbp",
    "http://www.wikidata.org/prop/direct/": "wdt",
    "http://www.wikidata.org/entity/": "wd",
}


def local(iri: str) -> str:
    """What follows the last ``#``, ``/`` or ``:`` of an IRI."""
    return re.split(r"[#/:]", iri.rstrip("#/:"))[-1]


def namespace(iri: str) -> str:
    return iri[: len(iri) - len(local(iri))] if iri.endswith(local(iri)) else iri


def prefix(iri: str) -> str:
    """A short word for an IRI's namespace: the usual prefix, or its last telling part."""
    space = namespace(iri)
    if space in _PREFIXES:
        return _PREFIXES[space]
    parts = urlsplit(space)
    path = [part for part in re.split(r"[#/:]", parts.path) if re.search(r"[A-Za-z]", part)]
    host = [part for part in (parts.hostname or "").split(".") if part not in ("www", "org", "com")]
    return _word(path[-1] if path else host[0] if host else parts.scheme) or "ns"


def relationship(iri: str) -> str:
    """``directedBy`` becomes ``DIRECTED_BY``; ``film.actor.film`` becomes ``FILM_ACTOR_FILM``."""
    return upper_snake(local(iri))


def upper_snake(text: str) -> str:
    text = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", unquote(text))
    text = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", text)
    return _led(_word(text).upper())


def label(iri: str) -> str:
    """``http://schema.org/Person`` becomes ``Person``, ``film noir`` becomes ``FilmNoir``."""
    return _pascal(unquote(local(iri)))


def _pascal(text: str) -> str:
    words = re.split(r"_+", _word(text))
    return _led("".join(word[:1].upper() + word[1:] for word in words))


def property_name(iri: str) -> str:
    """The local name as it is, as far as letters, digits and underscores go."""
    return _led(_word(unquote(local(iri))))


def _word(text: str) -> str:
    """Letters of any script with their marks, digits and underscores; all else is a break.

    Composed as Unicode prefers, so that a name looks and compares the same however it
    was typed. Joiners inside a word (Persian, Hindi) stay.
    """
    text = unicodedata.normalize("NFC", text)
    kept = "".join(one if _in_word(one) else " " for one in text)
    return re.sub(rf"[\s{_JOINERS}]*[\s_]+[\s{_JOINERS}]*", "_", kept).strip("_" + _JOINERS)


_JOINERS = "\u200c\u200d"


def _in_word(character: str) -> bool:
    return (
        character.isalnum()
        or character in f"_{_JOINERS}"
        or unicodedata.category(character) in ("Mn", "Mc")
    )


def _led(text: str) -> str:
    """A name that begins with a letter, whatever it was made from."""
    return text if re.match(r"[^\W\d]", text) else f"_{text}" if text else "_"


def distinct_names(
    iris: Iterable[str],
    short: Callable[[str], str],
    *,
    reserved: frozenset[str] = frozenset(),
    given: Mapping[str, str] | None = None,
    join: Callable[[str, str], str] | None = None,
) -> dict[str, str]:
    """One name for each IRI: the given one or the short one; of those that clash, each gets
    its prefix.

    What still clashes is numbered in order of IRI. Names that differ only in case
    count as one, since not every store tells them apart.
    """
    iris, joined = sorted(set(iris)), join or (lambda space, name: f"{space}_{name}")
    names = {iri: (given or {}).get(iri) or short(iri) for iri in iris}
    crowd = Counter(name.casefold() for name in names.values())
    crowd.update(name.casefold() for name in reserved)
    for iri, name in names.items():
        if crowd[name.casefold()] > 1:
            names[iri] = joined(prefix(iri), name)
    taken = {name.casefold() for name in reserved}
    for iri in iris:
        name, number = names[iri], 1
        while name.casefold() in taken:
            number += 1
            name = f"{names[iri]}_{number}"
        taken.add(name.casefold())
        names[iri] = name
    return names


def relationship_types(iris: Iterable[str], given: Mapping[str, str] | None = None) -> dict:
    """Relationship type of each predicate: ``DIRECTED_BY``, of two such ``SCHEMA_DIRECTED_BY``."""
    named = {iri: upper_snake(name) for iri, name in (given or {}).items()}
    return distinct_names(
        iris,
        relationship,
        reserved=RESERVED_TYPES,
        given=named,
        join=lambda space, name: f"{upper_snake(space)}_{name}",
    )


def labels(iris: Iterable[str], given: Mapping[str, str] | None = None) -> dict[str, str]:
    """Label of each class: ``Person``, of two such ``SchemaPerson`` and ``DboPerson``."""
    return distinct_names(
        iris,
        label,
        reserved=RESERVED_LABELS,
        given={iri: _pascal(name) for iri, name in (given or {}).items()},
        join=lambda space, name: f"{space[:1].upper()}{space[1:]}{name}",
    )


def readable(iri: str) -> str:
    """A name for an entity that has none: the local part of its IRI, decoded."""
    return unquote(local(iri)).replace("_", " ").strip() or iri


def inverse(relation: str) -> str:
    """The relation read from its other end: ``^DIRECTOR``, and back."""
    return relation[1:] if relation.startswith("^") else "^" + relation
