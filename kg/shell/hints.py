"""Names in a statement that the graph does not have, and what was perhaps meant."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from trefoil.data.suggest import closest
from trefoil.kg.cypher.functions import words
from trefoil.kg.cypher.tokens import Refused, Token, label_positions, tokens_of
from trefoil.kg.stores.base import Schema

# parts of dates, times, durations and points, which no schema lists
_PARTS = words(
    "year quarter month week day hour minute second millisecond microsecond nanosecond timezone"
    " offset epochmillis epochseconds years months weeks days hours minutes seconds milliseconds"
    " microseconds nanoseconds dayofweek dayofquarter ordinalday weekyear x y z latitude longitude"
    " height crs srid id"
)
_SHOWN = 8  # names that a hint lists


def hints(cypher: str, schema: Schema) -> list[str]:
    """One sentence for each label, relationship type and property that the graph lacks.

    Neo4j and the embedded store answer such a question with nothing, or with nulls.
    """
    try:
        tokens = tokens_of(cypher)
    except Refused:
        return []
    positions = label_positions(tokens)
    out = []
    for k, kind in positions.items():
        types = kind == "type"
        what, known = ("relationship type", schema.types) if types else ("label", schema.labels)
        out += _missing(what, tokens[k].named, known)
    for token in _properties(tokens, positions):
        out += _missing("property", token.named, schema.properties)
    return list(dict.fromkeys(out))


def _missing(what: str, name: str, known: Iterable[str]) -> list[str]:
    names = list(known)
    if name in names or (what == "property" and name.lower() in _PARTS):
        return []
    return [f"no {what} {name!r} in the graph; {closest(name, names, _SHOWN)}"]


def _properties(tokens: Sequence[Token], labels: Iterable[int]) -> list[Token]:
    """What follows the dot of a variable, and is no function."""
    taken = set(labels)
    return [
        token
        for k, token in enumerate(tokens)
        if k >= 2
        and token.kind in ("word", "name")
        and tokens[k - 1].text == "."
        and tokens[k - 2].kind in ("word", "name")
        and k not in taken
        and not (k + 1 < len(tokens) and tokens[k + 1].text == "(")
    ]
