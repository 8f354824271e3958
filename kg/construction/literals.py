"""Literals as columns of properties: one for each kind of value, and how it was written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from trefoil.data.errors import GraphDataError
from trefoil.data.interactions import Floats
from trefoil.data.suggest import closest
from trefoil.kg.construction.values import NUMBER, TYPED, lexical_forms, typed
from trefoil.kg.graph import KnowledgeGraph
from trefoil.kg.naming import RESERVED_PROPERTIES, distinct_names, local, property_name

WRITTEN = "written form of "  # what a column stands for that keeps the forms of another


@dataclass(frozen=True)
class Property:
    """One predicate with one kind of value, or one language: its column, and its values.

    ``values`` has columns entity and value, one row for each entity that has any;
    a value is a list where some entity has several. Where a value is not written as
    its datatype would write it most simply, ``forms`` is the name of a column beside,
    and ``values`` has a column form: the lexical form, with its datatype as N-Triples
    puts it where that is another; empty or null where the simplest form was written.
    """

    name: str
    meaning: str
    values: pl.DataFrame
    forms: str | None = None


def meaning(iri: str, datatype: str = "", language: str = "") -> str:
    """What a property column stands for, as N-Triples would put it: ``<iri>^^<datatype>``."""
    return f"<{iri}>" + (f"^^<{datatype}>" if datatype else f"@{language}" if language else "")


def parse_meaning(text: str) -> tuple[str, str, str]:
    """Predicate, datatype and language of a column: the inverse of ``meaning``."""
    iri, _, rest = text.removeprefix("<").partition(">")
    datatype = rest[3:-1] if rest.startswith("^^<") else ""
    return iri, datatype, rest[1:] if rest.startswith("@") else ""


@dataclass(frozen=True)
class _Variant:
    """What one column of a predicate will hold: text in a datatype or language, or values."""

    datatype: str
    language: str
    rows: pl.DataFrame  # entity, value, and form where any is kept
    family: str = ""

    @property
    def suffix(self) -> str:
        told = local(self.datatype) if self.datatype else self.language
        return self.family or (property_name(told) if told else "text")


def columns_of(literals: pl.DataFrame, predicates: Sequence[str]) -> list[Property]:
    """One property for each predicate with each kind of value, other datatype or language.

    Numbers of any datatype are one kind (see ``kg.construction.values``). The predicate's
    own name goes to texts without language, or to the values where there are as many.
    """
    found: dict[int, list[_Variant]] = {}
    literals = literals.with_row_index("row")
    texts = literals
    for family, frame in _families(literals):
        texts = texts.join(frame, on="row", how="anti", maintain_order="left")
        for (row,), rows in frame.partition_by("predicate", as_dict=True).items():
            names = ["form"] if rows["form"].null_count() < len(rows) else []
            rows_kept = rows.select("entity", "value", *names)
            found.setdefault(row, []).append(_Variant(rows["main"][0], "", rows_kept, family))
    by_kind = texts.partition_by("predicate", "datatype", "language", as_dict=True)
    for (row, datatype, language), rows in sorted(by_kind.items(), key=lambda one: one[0]):
        kept = rows.select("entity", "value")
        found.setdefault(row, []).append(_Variant(datatype, language, kept))
    bases = distinct_names(
        (predicates[row] for row in found), property_name, reserved=RESERVED_PROPERTIES
    )
    taken = {name.casefold() for name in (*bases.values(), *RESERVED_PROPERTIES)}
    out = []
    for row, variants in sorted(found.items()):
        iri, plain = predicates[row], _plain(variants)
        for one in variants:
            name = bases[iri] if one is plain else _free(f"{bases[iri]}_{one.suffix}", taken)
            forms = _free(f"{name}_written", taken) if "form" in one.rows.columns else None
            said = meaning(iri, one.datatype, one.language)
            out.append(Property(name, said, _per_entity(one.rows), forms))
    return out


def _plain(variants: Sequence[_Variant]) -> _Variant | None:
    """The variant that bears the predicate's own name."""
    if len(variants) == 1:
        return variants[0]
    texts = [one for one in variants if not (one.family or one.datatype or one.language)]
    valued = sorted((one for one in variants if one.family), key=lambda one: -len(one.rows))
    if valued and (not texts or len(valued[0].rows) >= len(texts[0].rows)):
        return valued[0]
    return texts[0] if texts else None


def _families(literals: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    """Literals that are values, family by family: row, entity, predicate, value, main, form.

    ``main`` is the datatype that most values of the predicate have, ``form`` how the
    value is written where that is not the simplest form in this datatype. Numbers of a
    predicate are whole where all of them are.
    """
    parts: dict[str, list[pl.DataFrame]] = {}
    told = literals.filter(pl.col("datatype").is_in(list(TYPED)))
    for (datatype,), rows in sorted(told.partition_by("datatype", as_dict=True).items()):
        for family, values in typed(rows["value"], datatype):
            held = rows.with_columns(held=values).filter(pl.col("held").is_not_null())
            if family == NUMBER:
                whole = pl.col("held") if values.dtype == pl.Int64 else pl.lit(None, pl.Int64)
                held = held.with_columns(pl.col("held").cast(pl.Float64), whole=whole)
            parts.setdefault(family, []).append(held)
    for family, frames in sorted(parts.items()):
        frame = pl.concat(frames).sort("row")
        if family != NUMBER:
            yield family, _with_forms(frame)
            continue
        whole = frame["whole"].is_not_null()
        whole = frame.select(pl.lit(whole).all().over("predicate")).to_series()
        yield family, _with_forms(frame.filter(whole).with_columns(held="whole"))
        yield family, _with_forms(frame.filter(~whole))


def _with_forms(frame: pl.DataFrame) -> pl.DataFrame:
    counts = frame.group_by("predicate", "datatype").len()
    counts = counts.sort("predicate", "len", "datatype", descending=[False, True, False])
    main = counts.unique("predicate", keep="first").select("predicate", main="datatype")
    frame = frame.join(main, on="predicate", how="left", maintain_order="left")
    simple = pl.Series("simple", [""], dtype=pl.String).clear()
    parts = [
        rows.with_columns(simple=lexical_forms(rows["held"], datatype))
        for (datatype,), rows in frame.partition_by("main", as_dict=True).items()
    ]
    frame = pl.concat(parts).sort("row") if parts else frame.with_columns(simple)
    foreign = pl.format('"{}"^^<{}>', "value", "datatype")
    form = (
        pl.when(pl.col("datatype") != pl.col("main"))
        .then(foreign)
        .when(pl.col("value") != pl.col("simple"))
        .then("value")
    )
    return frame.select("row", "entity", "predicate", "main", form=form, value="held")


def _free(name: str, taken: set[str]) -> str:
    fresh, number = name, 1
    while fresh.casefold() in taken:
        number += 1
        fresh = f"{name}_{number}"
    taken.add(fresh.casefold())
    return fresh


def _per_entity(rows: pl.DataFrame) -> pl.DataFrame:
    """One row per entity; lists where some entity has several values.

    In a list an empty form stands for the simplest one: stores keep no nulls in lists.
    """
    if rows["entity"].is_unique().all():
        return rows
    grouped = rows.group_by("entity", maintain_order=True)
    if "form" not in rows.columns:
        return grouped.agg("value")
    told = grouped.agg("value", pl.col("form").fill_null(""))
    return told.with_columns(pl.when(pl.col("form").list.join("") != "").then("form"))


def forms_of(values: pl.Series, written: pl.Series, datatype: str) -> pl.DataFrame:
    """text and datatype of the literals behind the values of one column, none of them a list.

    ``written`` are the forms kept beside; one that no longer says the value, because a
    store changed it, is passed over.
    """
    kept = written.set(written == "", None)
    parts = pl.DataFrame({"kept": kept}).select(
        datatype=pl.col("kept").str.extract(_FOREIGN, 2).fill_null(datatype),
        text=pl.coalesce(pl.col("kept").str.extract(_FOREIGN, 1), "kept"),
        value=values,
    )
    out = pl.DataFrame({"text": lexical_forms(values, datatype)})
    out = out.with_columns(datatype=pl.lit(datatype))
    for (kind,), rows in parts.with_row_index("row").partition_by("datatype", as_dict=True).items():
        for _, read in typed(rows["text"], str(kind)):
            if read.null_count() == len(read):
                continue
            same = rows.filter((read.cast(values.dtype) == rows["value"]).fill_null(False))
            for column in ("text", "datatype"):
                out = out.with_columns(out[column].scatter(same["row"], same[column]))
    return out


_FOREIGN = r'^"([^"]*)"\^\^<([^<>]*)>$'


def score_column(graph: KnowledgeGraph, label: str, name: str) -> Floats:
    """A property as numbers, one per node, NaN where there is none: what a score task trains on.

    Numbers stay; dates and times become years (1994-07-01 is 1994.5), durations seconds;
    of several values the mean counts; text that is none of them is NaN. Raises
    GraphDataError for an unknown label or property.
    """
    if label not in graph.nodes:
        raise GraphDataError(f"no nodes have the label {label!r}; {closest(label, graph.nodes)}")
    table = graph.nodes[label].properties
    if name not in table.columns:
        raise GraphDataError(f"{label} has no property {name!r}; {closest(name, table.columns)}")
    frame = table.select(row=pl.int_range(pl.len()), value=pl.col(name))
    if isinstance(frame.schema["value"], pl.List):
        frame = frame.explode("value")
    kind = frame.schema["value"]
    if kind == pl.String:
        frame = frame.with_columns(value=_numbers(frame["value"]))
    elif kind in (pl.Date, pl.Datetime):
        frame = frame.with_columns(value=_years(pl.col("value")))
    elif kind == pl.Duration:
        frame = frame.with_columns(value=pl.col("value").dt.total_microseconds() / 1e6)
    mean = frame.group_by("row", maintain_order=True).agg(pl.col("value").cast(pl.Float64).mean())
    return mean["value"].fill_null(np.nan).to_numpy().astype(np.float32)


def _numbers(text: pl.Series) -> pl.Series:
    plain = text.str.strip_chars().cast(pl.Float64, strict=False)
    day = text.str.extract(r"^\s*(-?\d{4}-\d{2}-\d{2})", 1).str.to_date("%Y-%m-%d", strict=False)
    finite = plain.is_finite().fill_null(False)
    return plain.zip_with(finite, pl.select(_years(pl.lit(day))).to_series())


def _years(day: pl.Expr) -> pl.Expr:
    return (day.dt.year() + (day.dt.ordinal_day() - 1) / 365.25).cast(pl.Float64)
