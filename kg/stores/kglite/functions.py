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
    "CASE WHEN _x IS NULL THEN null WHEN _x = 0 THEN toFloat('-Infinity') ELSE toFloat('NaN') END"
)
_KINDS = ("Integer", "Float", "String", "Boolean")

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
    **{f"to{kind.lower()}ornull": Rewritten(f"to{kind}") for kind in _KINDS},
    "lower": Rewritten("toLower"),
    "upper": Rewritten("toUpper"),
    "id": Rewritten("toInteger(elementId", after=")"),
    **{f"to{kind.lower()}list": Rewritten("", "[_x IN ", f" | to{kind}(_x)]") for kind in _KINDS},
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


def rounded(value: str) -> str:
    """To the nearer integer; halves go up, and for the engine away from zero."""
    return f"floor({value} + 0.5)"


def deviation(value: str) -> str:
    """The standard deviation of a whole population, from that of a sample."""
    return f"coalesce(stDev({value}) * sqrt((count({value}) - 1.0) / count({value})), 0.0)"


def text(value: str) -> str:
    """A value as text; floats from 10⁷ up and below 10⁻³ with an exponent, as Java has them."""
    digits = "substring(toString(toFloat('0.' + {})), 2)"
    large = (
        "head([_w IN [split(toString(abs(_f)), '.')] | left(_w[0], 1) + '.'"
        f" + {digits.format('substring(_w[0], 1) + _w[1]')} + 'E' + toString(size(_w[0]) - 1)])"
    )
    small = (
        "head([_w IN [toInteger(floor(log10(abs(_f))))] |"
        " head([_d IN [substring(toString(abs(_f)), 1 - _w)] | left(_d, 1) + '.'"
        f" + {digits.format('substring(_d, 1)')} + 'E' + toString(_w)])])"
    )
    return (
        f"head([_f IN [{value}] | CASE WHEN NOT valueType(_f) STARTS WITH 'FLOAT' OR _f = 0"
        " OR _f <> _f OR abs(_f) = toFloat('Infinity')"
        " OR (abs(_f) >= 0.001 AND abs(_f) < 10000000.0) THEN toString(_f)"
        f" ELSE CASE WHEN _f < 0 THEN '-' ELSE '' END + CASE WHEN abs(_f) >= 1 THEN {large}"
        f" ELSE {small} END END])"
    )


# of which the only argument is written anew
OF_ONE = {"round": rounded, "stdevp": deviation, "tostring": text}
