"""Literals as columns of properties: names and texts chosen, everything else kept as written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from trefoil.data.errors import GraphDataError
from trefoil.data.interactions import Floats
from trefoil.data.suggest import closest
from trefoil.kg.graph import KnowledgeGraph
from trefoil.kg.naming import RESERVED_PROPERTIES, distinct_names, local, property_name

XSD = "http://www.w3.org/2001/XMLSchema#"
_SCHEMA = ("https://schema.org/", "http://schema.org/")
_DC = ("http://purl.org/dc/terms/", "http://purl.org/dc/elements/1.1/")
RDFS = "http://www.w3.org/2000/01/rdf-schema#"

NAMES = (
    f"{RDFS}label",
    "http://www.w3.org/2004/02/skos/core#prefLabel",
    *(f"{space}name" for space in _SCHEMA),
    "http://xmlns.com/foaf/0.1/name",
)
TEXTS = (
    "http://dbpedia.org/ontology/abstract",
    *(f"{space}abstract" for space in _SCHEMA),
    *(f"{space}description" for space in _SCHEMA),
    *(f"{space}description" for space in _DC),
    f"{RDFS}comment",
)
_WHOLE = ("integer", "int", "long", "short", "byte", "nonNegativeInteger", "positiveInteger")
_WHOLE += ("unsignedInt", "unsignedShort", "unsignedByte", "negativeInteger", "gYear")
_REAL = ("double", "float", "decimal")


@dataclass(frozen=True)
class Property:
    """One predicate with one datatype or language: the name of its column, and its values.

    ``values`` has columns entity and value, one row for each entity that has any;
    a value is a list where some entity has several.
    """

    name: str
    meaning: str
    values: pl.DataFrame


def meaning(iri: str, datatype: str = "", language: str = "") -> str:
    """What a property column stands for, as N-Triples would put it: ``<iri>^^<datatype>``."""
    return f"<{iri}>" + (f"^^<{datatype}>" if datatype else f"@{language}" if language else "")


def parse_meaning(text: str) -> tuple[str, str, str]:
    """Predicate, datatype and language of a column: the inverse of ``meaning``."""
    iri, _, rest = text.removeprefix("<").partition(">")
    datatype = rest[3:-1] if rest.startswith("^^<") else ""
    return iri, datatype, rest[1:] if rest.startswith("@") else ""


def columns_of(literals: pl.DataFrame, predicates: Sequence[str]) -> list[Property]:
    """One property for each predicate with each datatype or language that occurs."""
    parts = literals.partition_by("predicate", "datatype", "language", as_dict=True)
    variants = sorted((predicates[int(p)], d, t, part) for (p, d, t), part in parts.items())
    bases = distinct_names(
        {iri for iri, *_ in variants}, property_name, reserved=RESERVED_PROPERTIES
    )
    crowd: dict[str, int] = {}
    for iri, *_ in variants:
        crowd[iri] = crowd.get(iri, 0) + 1
    taken = {name.casefold() for name in (*bases.values(), *RESERVED_PROPERTIES)}
    out = []
    for iri, datatype, language, part in variants:
        name = bases[iri]
        if crowd[iri] > 1 and (datatype or language):
            name = _free(
                f"{name}_{property_name(local(datatype) if datatype else language)}", taken
            )
        out.append(Property(name, meaning(iri, datatype, language), _values(part, datatype)))
    return out


def _free(name: str, taken: set[str]) -> str:
    fresh, number = name, 1
    while fresh.casefold() in taken:
        number += 1
        fresh = f"{name}_{number}"
    taken.add(fresh.casefold())
    return fresh


def _values(part: pl.DataFrame, datatype: str) -> pl.DataFrame:
    """One row per entity. Numbers become numbers only where each is written as it would be."""
    part = part.select("entity", value=_typed(part["value"], datatype))
    if part["entity"].is_unique().all():
        return part
    return part.group_by("entity", maintain_order=True).agg("value")


def _typed(value: pl.Series, datatype: str) -> pl.Series:
    kind = datatype.removeprefix(XSD) if datatype.startswith(XSD) else ""
    if kind in _WHOLE:
        number = value.cast(pl.Int64, strict=False)
        if (number.cast(pl.String) == value).fill_null(False).all():
            return number
    if kind in _REAL:
        number = value.cast(pl.Float64, strict=False)
        if number.is_finite().fill_null(False).all():
            written = [str(one) for one in number.to_list()]
            if written == value.to_list():
                return number
    if kind == "boolean" and value.is_in(["true", "false"]).all():
        return value == "true"
    return value


def lexical(value: object) -> str:
    """A typed value as it was written: the inverse of the reading above."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def chosen(
    literals: pl.DataFrame,
    predicates: Sequence[str],
    wanted: Sequence[str],
    languages: Sequence[str],
) -> pl.DataFrame:
    """entity and value: the one in the best language, then by the first predicate, then by text.

    ``languages`` go from most to least welcome, ``""`` is no language; ``en``
    also stands for ``en-gb``. Values in other languages come last.
    """
    order = {iri: at for at, iri in enumerate(wanted)}
    place = {row: order[iri] for row, iri in enumerate(predicates) if iri in order}
    ranks: Mapping[str, int] = {tag: at for at, tag in reversed(list(enumerate(languages)))}
    found = literals.filter(pl.col("predicate").is_in(list(place)) & (pl.col("value") != ""))
    tags = {tag: _rank(tag, ranks) for tag in found["language"].unique().to_list()}
    found = found.with_columns(
        by_language=pl.col("language").replace_strict(tags, default=0, return_dtype=pl.Int64),
        by_predicate=pl.col("predicate").replace_strict(place, default=0, return_dtype=pl.Int64),
    )
    found = found.sort("entity", "by_language", "by_predicate", "language", "value")
    return found.unique("entity", keep="first", maintain_order=True).select("entity", "value")


def _rank(tag: str, ranks: Mapping[str, int]) -> int:
    exact = ranks.get(tag, len(ranks))
    return min(exact, ranks.get(tag.split("-")[0], len(ranks)) if tag else exact)


def score_column(graph: KnowledgeGraph, label: str, name: str) -> Floats:
    """A property as numbers, one per node, NaN where there is none: what a score task trains on.

    Numbers stay; dates and times become years (1994-07-01 is 1994.5); of several
    values the mean counts; text that is neither is NaN. Raises GraphDataError for
    an unknown label or property.
    """
    if label not in graph.nodes:
        raise GraphDataError(f"no nodes have the label {label!r}; {closest(label, graph.nodes)}")
    table = graph.nodes[label].properties
    if name not in table.columns:
        raise GraphDataError(f"{label} has no property {name!r}; {closest(name, table.columns)}")
    frame = table.select(row=pl.int_range(pl.len()), value=pl.col(name))
    if isinstance(frame.schema["value"], pl.List):
        frame = frame.explode("value")
    if frame.schema["value"] == pl.String:
        frame = frame.with_columns(value=_numbers(frame["value"]))
    mean = frame.group_by("row", maintain_order=True).agg(pl.col("value").cast(pl.Float64).mean())
    return mean["value"].fill_null(np.nan).to_numpy().astype(np.float32)


def _numbers(text: pl.Series) -> pl.Series:
    plain = text.str.strip_chars().cast(pl.Float64, strict=False)
    day = text.str.extract(r"^\s*(-?\d{4}-\d{2}-\d{2})", 1).str.to_date("%Y-%m-%d", strict=False)
    year = day.dt.year() + (day.dt.ordinal_day() - 1) / 365.25
    finite = plain.is_finite().fill_null(False)
    return plain.zip_with(finite, year.cast(pl.Float64))
