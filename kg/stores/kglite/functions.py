"""Functions that the engine lacks, or answers otherwise than Neo4j, written as it answers them.

Each entry says what is put around the call's arguments. An argument that is needed
twice is bound once: ``head([_x IN [argument] | ...])``.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rewritten:
    """``name`` in place of the function's; ``before`` the whole call, ``after`` it."""

    name: str
    before: str = ""
    after: str = ""


def _checked(function: str, otherwise: str) -> Rewritten:
    """Where a number has no such value, Neo4j says NaN or -Infinity and the engine null."""
    return Rewritten("", "head([_x IN [", f"] | coalesce({function}(_x), {otherwise})])")


_NAN = "CASE WHEN _x IS NULL THEN null ELSE toFloat('NaN') END"
_LOG = (
    "CASE WHEN _x IS NULL THEN null WHEN _x = 0 THEN toFloat('-Infinity')"
    " ELSE toFloat('NaN') END"
)
# of one argument, or of any number that pass as they are
REWRITTEN: dict[str, Rewritten] = {
    "sqrt": _checked("sqrt", _NAN),
    "log": _checked("log", _LOG),
    "ln": _checked("log", _LOG),
    "log10": _checked("log10", _LOG),
    "stdev": Rewritten("coalesce(stDev", after=", 0.0)"),
    "percentilecont": Rewritten("percentile_cont"),
    "percentiledisc": Rewritten("percentile_disc"),
    "isempty": Rewritten("(0 = size", after=")"),
    "char_length": Rewritten("size"),
    "character_length": Rewritten("size"),
    "ceiling": Rewritten("ceil"),
    "lower": Rewritten("toLower"),
    "upper": Rewritten("toUpper"),
    "id": Rewritten("toInteger(elementId", after=")"),
    **{
        f"to{kind.lower()}list": Rewritten("", "[_x IN ", f" | to{kind}(_x)]")
        for kind in ("Integer", "Float", "String", "Boolean")
    },
}
# without arguments
CONSTANTS = {"e": "2.718281828459045", "timestamp": "datetime().epochMillis"}

# moments from a number: the only key of the map that is the only argument
EPOCHS = {"epochseconds": "seconds", "epochmillis": "milliseconds"}


def between(name: str, first: str, second: str) -> str:
    """``duration.between`` and its kin; the engine forgets zones, and the months of between."""
    kinds = {"inmonths": "inMonths", "indays": "inDays", "inseconds": "inSeconds"}
    kind = kinds.get(name.partition(".")[2])
    if kind is not None:
        inner = f"duration.{kind}(_a, _b)"
    else:
        inner = (
            "head([_m IN [duration.inMonths(_a, _b)] |"
            " head([_d IN [duration.inDays(_a + _m, _b)] |"
            " _m + _d + duration.inSeconds(_a + _m + _d, _b)])])"
        )
    both = "_zones[0] AND _zones[1]"
    return (
        f"head([_p IN [{first}] | head([_q IN [{second}] |"
        " head([_zones IN [[_t IN [_p, _q] | valueType(_t) STARTS WITH 'ZONED DATETIME']] |"
        f" head([_a IN [CASE WHEN {both} THEN datetime({{datetime: _p, timezone: 'Z'}})"
        f" ELSE _p END] | head([_b IN [CASE WHEN {both} THEN"
        f" datetime({{datetime: _q, timezone: 'Z'}}) ELSE _q END] | {inner}])])])])])"
    )
