"""Tokens of Turtle as terms: prefixes expanded, numbers typed, all by strict patterns."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from trefoil.kg.triples.ntriples import STRICT, canonical

SUBJECT, PREDICATE, OBJECT = 1, 2, 4  # places that a term may have, added up
_ANYWHERE = SUBJECT | PREDICATE | OBJECT
_XSD = "http://www.w3.org/2001/XMLSchema#"
_TYPE = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"

_LETTER = (
    r"A-Za-z\x{C0}-\x{D6}\x{D8}-\x{F6}\x{F8}-\x{2FF}"
    r"\x{370}-\x{37D}\x{37F}-\x{1FFF}\x{3001}-\x{D7FF}"
)
_LOCAL = (
    rf"(?:(?:[{_LETTER}_0-9:]|%[0-9A-Fa-f]{{2}})"
    rf"(?:(?:[{_LETTER}_0-9:.\-]|%[0-9A-Fa-f]{{2}})*(?:[{_LETTER}_0-9:\-]|%[0-9A-Fa-f]{{2}}))?)?"
)
_NUMBERS = (
    (r"[+-]?[0-9]+", "integer"),
    (r"[+-]?[0-9]*\.[0-9]+", "decimal"),
    (r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)[eE][+-]?[0-9]+", "double"),
    (r"true|false", "boolean"),
)


def terms(
    pieces: pl.Series, prefixes: dict[str, str], scope: str
) -> tuple[pl.Series, NDArray[np.uint8]]:
    """The term that each token stands for, and which places in a statement it may have."""
    role = np.zeros(len(pieces), np.uint8)
    first = pieces.str.slice(0, 1)
    literal, whole, blank = first == '"', first == "<", first == "_"
    name = ~(literal | whole | blank)
    text = pieces.clone()  # scatter changes it
    if len(rows := name.arg_true()):
        text = text.scatter(rows, _expanded(pieces.gather(rows), prefixes))
    short = literal & ~(pieces.str.ends_with('"') | pieces.str.ends_with(">"))
    if len(rows := short.arg_true()):
        found = pieces.gather(rows)
        rows = rows.filter(typed := found.str.contains(r"\^\^[^<>\"]*$"))
        found = found.filter(typed)
        value, kind = found.str.replace(r"[^\"]*$", ""), found.str.extract(r"\^\^([^<>\"]*)$")
        text = text.scatter(rows, (value + "^^" + _expanded(kind, prefixes)).fill_null(""))
    for where, pattern, places in (
        (name & (text != "") & (pieces != "a"), None, _ANYWHERE),
        (whole, STRICT.predicate, _ANYWHERE),
        (blank, STRICT.subject, SUBJECT | OBJECT),
        (literal, STRICT.thing, OBJECT),
    ):
        rows = where.arg_true()
        good = pl.Series([True]).new_from_index(0, len(rows))
        if pattern is not None:
            good = text.gather(rows).str.contains(rf"(?s)^(?:{pattern})$")
        role[rows.filter(good).to_numpy()] = places
    role[(pieces == "a").to_numpy()] = PREDICATE
    if len(rows := (name & text.str.starts_with('"')).arg_true()):
        role[rows.to_numpy()] = OBJECT
    text = text.scatter(np.flatnonzero(role == 0), "")
    text, slow = canonical(text, scope)
    role[slow] = 0
    return text, role


def _expanded(names: pl.Series, prefixes: dict[str, str]) -> pl.Series:
    """``ex:a`` as ``<http://e.org/a>``, ``1`` as ``"1"^^<...integer>``; "" where unknown."""
    parts = names.str.splitn(":", 2).struct
    space = parts[0].replace_strict(prefixes, default=None, return_dtype=pl.String)
    good = parts[1].str.contains(rf"^{_LOCAL}$").fill_null(False)
    whole = ("<" + space + parts[1] + ">").zip_with(good, pl.Series([None], dtype=pl.String))
    whole = whole.fill_null("").scatter((names == "a").arg_true(), _TYPE)
    bare = parts[1].is_null().arg_true()
    for pattern, kind in _NUMBERS if len(bare) else ():
        rows = bare.filter(names.gather(bare).str.contains(rf"^(?:{pattern})$"))
        whole = whole.scatter(rows, '"' + names.gather(rows) + f'"^^<{_XSD}{kind}>')
    return whole
