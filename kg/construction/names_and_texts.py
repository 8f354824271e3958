"""What a node is called and what is told of it, chosen from its literals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html.parser import HTMLParser

import polars as pl

from trefoil.kg.naming import local, readable
from trefoil.kg.triples.blank_nodes import PREFIX as BLANK
from trefoil.kg.triples.triples import Triples

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
RDFS = "http://www.w3.org/2000/01/rdf-schema#"
_SCHEMA = ("https://schema.org/", "http://schema.org/")
_DC = ("http://purl.org/dc/terms/", "http://purl.org/dc/elements/1.1/")

NAMES = (
    f"{RDFS}label",
    "http://www.w3.org/2004/02/skos/core#prefLabel",
    *(f"{space}name" for space in _SCHEMA),
    "http://xmlns.com/foaf/0.1/name",
    *(f"{space}title" for space in _DC),
)
TEXTS = (
    "http://dbpedia.org/ontology/abstract",
    *(f"{space}abstract" for space in _SCHEMA),
    *(f"{space}description" for space in _SCHEMA),
    *(f"{space}description" for space in _DC),
    f"{RDFS}comment",
)
_CALLED = ("name", "title", "preflabel", "label", "headline", "caption", "maintitle")
MARKUP = frozenset({f"{RDF}XMLLiteral", f"{RDF}HTML"})
_LISTS = {f"{RDF}rest": "list", f"{RDF}first": "entry of a list"}
_LONGEST = 80  # characters of a literal that may name a blank node


def names_of(triples: Triples, languages: Sequence[str], title: Sequence[str] = ()) -> pl.DataFrame:
    """entity and value: the best literal that names each entity, where there is one.

    ``title`` are predicates that go first, by IRI or local name; then those of ``NAMES``,
    then any whose local name is name, title, label, headline, caption, and the like.
    """
    wanted = _matching(triples.predicates, title)
    wanted += [iri for iri in NAMES if iri not in wanted]
    wanted += [iri for iri in _matching(triples.predicates, _CALLED) if iri not in wanted]
    return chosen(triples.literals, triples.predicates, wanted, languages)


def texts_of(triples: Triples, languages: Sequence[str]) -> pl.DataFrame:
    """entity and value: the best literal that describes each entity, where there is one."""
    return chosen(triples.literals, triples.predicates, TEXTS, languages)


def _matching(predicates: Sequence[str], words: Sequence[str]) -> list[str]:
    """Predicates that are one of the words, or are called so, in order of words and IRIs."""
    return [
        iri
        for word in words
        for iri in predicates
        if iri == word or local(iri).casefold() == word.casefold()
    ]


def chosen(
    literals: pl.DataFrame,
    predicates: Sequence[str],
    wanted: Sequence[str],
    languages: Sequence[str],
) -> pl.DataFrame:
    """entity and value: the one in the best language, then by the first predicate, then by text.

    ``languages`` go from most to least welcome, ``""`` is no language; ``en``
    also stands for ``en-gb``. Values in other languages come last. Of markup the text counts.
    """
    order = {iri: at for at, iri in reversed(list(enumerate(wanted)))}
    place = {row: order[iri] for row, iri in enumerate(predicates) if iri in order}
    ranks: Mapping[str, int] = {tag: at for at, tag in reversed(list(enumerate(languages)))}
    found = literals.filter(pl.col("predicate").is_in(list(place)) & (pl.col("value") != ""))
    tags = {tag: _rank(tag, ranks) for tag in found["language"].unique().to_list()}
    found = found.with_columns(
        by_language=pl.col("language").replace_strict(tags, default=0, return_dtype=pl.Int64),
        by_predicate=pl.col("predicate").replace_strict(place, default=0, return_dtype=pl.Int64),
    )
    found = found.sort("entity", "by_language", "by_predicate", "language", "value")
    found = found.unique("entity", keep="first", maintain_order=True)
    marked = found["datatype"].is_in(list(MARKUP)).arg_true()
    if len(marked):
        plain = pl.Series([without_markup(one) for one in found["value"].gather(marked)])
        found = found.with_columns(value=found["value"].scatter(marked, plain))
    return found.select("entity", "value")


def _rank(tag: str, ranks: Mapping[str, int]) -> int:
    tag = tag.split("--")[0]  # en--ltr is English, written from left to right
    exact = ranks.get(tag, len(ranks))
    return min(exact, ranks.get(tag.split("-")[0], len(ranks)) if tag else exact)


def without_markup(text: str) -> str:
    """The words of HTML or XML, its tags gone and its white space narrowed."""
    reader = _Words()
    reader.feed(text)
    reader.close()
    return " ".join("".join(reader.parts).split())


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._silent = 0

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.parts.append(data)

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002
        self._silent += tag in ("script", "style")
        if tag in ("br", "p", "div", "li", "tr", "td", "h1", "h2", "h3"):
            self.parts.append(" ")

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in ("script", "style") and self._silent > 0


def blank_names(triples: Triples, kinds: Mapping[int, str]) -> pl.DataFrame:
    """entity and value: a name for each blank node, made from what it is and says.

    ``kinds`` are the labels of entities that have one; without it, the first predicate
    that leads to the node says what it is. The literal beside is the rarest, text before
    numbers, long before short: ``PostalAddress, 1 High Street``.
    """
    ids = pl.Series(triples.entities.ids, dtype=pl.String)
    nodes = ids.str.starts_with(BLANK).arg_true().cast(pl.Int64)
    frame = pl.DataFrame({"entity": nodes})
    if not len(nodes):
        return frame.with_columns(value=pl.lit(None, pl.String))
    leads = {row: _LISTS.get(iri) or readable(iri) for row, iri in enumerate(triples.relations)}
    edges = pl.DataFrame({"entity": triples.tail, "relation": triples.relation})
    edges = edges.join(frame, on="entity", how="semi").group_by("entity").agg(pl.min("relation"))
    roles = edges.select("entity", role=pl.col("relation").replace_strict(leads, default=None))
    classes = pl.DataFrame(
        {"entity": list(kinds), "kind": list(kinds.values())},
        schema={"entity": pl.Int64, "kind": pl.String},
    )
    named = (
        frame.join(classes, on="entity", how="left", maintain_order="left")
        .join(roles, on="entity", how="left", maintain_order="left")
        .join(_telling(triples, frame), on="entity", how="left", maintain_order="left")
    )
    kind = pl.coalesce("kind", "role")
    both = pl.concat_str(kind, "literal", separator=", ", ignore_nulls=True)
    return named.select("entity", value=pl.when(both != "").then(both))


def _telling(triples: Triples, nodes: pl.DataFrame) -> pl.DataFrame:
    """The literal of each of these nodes that tells it best from the others."""
    said = triples.literals.join(nodes, on="entity", how="semi")
    said = said.filter(
        (pl.col("value") != "")
        & (pl.col("value").str.len_chars() <= _LONGEST)
        & ~pl.col("datatype").is_in(list(MARKUP))
    )
    said = said.with_columns(
        typed=pl.col("datatype") != "",
        crowd=pl.len().over("predicate", "value"),
        length=-pl.col("value").str.len_chars().cast(pl.Int64),
    )
    said = said.sort("entity", "typed", "crowd", "length", "predicate", "value", "language")
    best = said.unique("entity", keep="first", maintain_order=True)
    return best.select("entity", literal="value")
