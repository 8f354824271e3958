"""The film catalogue of the demo: Turtle files to frozen films and a table of items.

The films are real. Titles, years, people, genres and countries are common
knowledge; themes, moods and the one-sentence synopses were written for this
catalogue. The Turtle files beside this module are the source: nothing about a
film is said anywhere else.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from pyoxigraph import BlankNode, Literal, NamedNode, RdfFormat, Triple, parse

SCHEMA = "https://schema.org/"
TREFOIL = "urn:trefoil:"
ITEM = "urn:item:"
TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
NAME = SCHEMA + "name"

# What a film may be joined to: the name used in Python, and the predicate in the Turtle.
RELATIONS: Mapping[str, str] = {
    "director": SCHEMA + "director",
    "actor": SCHEMA + "actor",
    "genre": SCHEMA + "genre",
    "country": SCHEMA + "countryOfOrigin",
    "theme": TREFOIL + "theme",
    "mood": TREFOIL + "mood",
    "era": TREFOIL + "era",
}


@dataclass(frozen=True)
class Film:
    """One film. `links` holds, for each of RELATIONS, the IRIs it is joined to, in order of IRI."""

    item_id: str
    title: str
    year: int
    synopsis: str
    links: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Catalogue:
    """All films in order of item id, and the name of every entity they are joined to."""

    films: tuple[Film, ...]
    names: Mapping[str, str]

    def named(self, relation: str) -> list[tuple[str, ...]]:
        """The names behind one relation, film by film: `named("mood")[0] == ("tense",)`."""
        return [tuple(self.names[iri] for iri in film.links[relation]) for film in self.films]

    @property
    def items(self) -> pl.DataFrame:
        """One row per film: item_id, title, year, genre, country and synopsis.

        Several genres or countries are joined by `|`.
        """
        return pl.DataFrame(
            {
                "item_id": [film.item_id for film in self.films],
                "title": [film.title for film in self.films],
                "year": [film.year for film in self.films],
                "genre": ["|".join(names) for names in self.named("genre")],
                "country": ["|".join(names) for names in self.named("country")],
                "synopsis": [film.synopsis for film in self.films],
            }
        )


def turtle_files() -> list[Path]:
    """The Turtle files of the demo graph, in order of name."""
    return sorted(Path(__file__).parent.glob("*.ttl"))


def read_catalogue() -> Catalogue:
    """Parse the demo graph. Films, and what they are joined to, come in order of IRI."""
    texts: dict[tuple[str, str], str] = {}
    ends: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    films: list[str] = []
    for path in turtle_files():
        for statement in parse(path=str(path), format=RdfFormat.TURTLE):
            subject, predicate = _iri(statement.subject), statement.predicate.value
            if isinstance(statement.object, Literal):
                texts[subject, predicate] = statement.object.value
            else:
                ends[subject, predicate].append(_iri(statement.object))
            if predicate == TYPE and ends[subject, TYPE] == [SCHEMA + "Movie"]:
                films.append(subject)
    made = tuple(
        Film(
            item_id=iri.removeprefix(ITEM),
            title=texts[iri, NAME],
            year=int(texts[iri, SCHEMA + "datePublished"]),
            synopsis=texts[iri, SCHEMA + "abstract"],
            links={name: tuple(sorted(ends[iri, p])) for name, p in RELATIONS.items()},
        )
        for iri in sorted(films)
    )
    names = {iri: text for (iri, predicate), text in texts.items() if predicate == NAME}
    return Catalogue(made, {iri: names[iri] for iri in sorted(names) if not iri.startswith(ITEM)})


def _iri(node: NamedNode | BlankNode | Literal | Triple) -> str:
    """The text of an IRI; the demo graph has no blank nodes."""
    if not isinstance(node, NamedNode):
        raise ValueError(f"the demo graph should join IRIs only, but holds {node}")
    return node.value
