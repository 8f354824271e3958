"""Cypher as people write it for Neo4j, as kglite wants it.

kglite speaks nearly all of it. What it answers otherwise is written differently
here: properties of names that it answers itself, some functions, patterns whose end
or order it would choose (``*`` stops at ten steps there), and division by zero.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from trefoil.kg.cypher.functions import words
from trefoil.kg.cypher.guard import Checked
from trefoil.kg.cypher.names import quoted
from trefoil.kg.cypher.tokens import Refused, Token, label_positions, string_of, text_of
from trefoil.kg.stores.kglite.functions import CONSTANTS, EPOCHS, OF_ONE, REWRITTEN, between
from trefoil.kg.stores.kglite.names import ANSWERED, quoted_kind, stored, stored_kind
from trefoil.kg.stores.kglite.patterns import Patterns
from trefoil.kg.stores.kglite.walk import Walk

UNLABELLED = "Node"  # what the engine calls a node without a label
_BEFORE_LISTS = words(
    "IN RETURN WITH UNWIND WHERE AND OR XOR NOT WHEN THEN ELSE CASE BY DISTINCT LIMIT SKIP CONTAINS"
    " STARTS ENDS SET"
)
_ADDED = "[" + ", ".join(f"'{name}'" for name in sorted(ANSWERED)) + "]"
_KEPT = "[" + ", ".join(f"'{stored(name)}'" for name in sorted(ANSWERED)) + "]"
_PLAIN_KEY = f"CASE WHEN _k IN {_KEPT} THEN left(_k, size(_k) - 1) ELSE _k END"
_STORED_KEY = (
    "CASE _i "
    + " ".join(f"WHEN '{name}' THEN '{stored(name)}'" for name in sorted(ANSWERED))
    + " ELSE _i END"
)
FAILS = "!! "  # begins the text of an error that a statement of ours raises itself


def _failing(why: str, value: str) -> str:
    """An expression that fails, with a reason, when it is reached."""
    return f"date('{FAILS}{why}' + coalesce(toString({value}), ''))"


# where the engine would say null
_NOT_ZERO = "CASE WHEN _z = 0 THEN {} ELSE _z END".format(
    _failing("a division by zero: leave such rows out with WHERE; the divisor is ", "_z")
)
# where the engine would add null to a list
_NOT_NULL = "CASE WHEN _n IS NULL THEN {} ELSE _n END".format(
    _failing("a list + null, which is null in Neo4j: use coalesce()", "_n")
)
_LISTS = words("collect range split keys labels nodes relationships tail")


def to_kglite(
    checked: Checked, limit: int, labels: Collection[str] = (), types: Collection[str] = ()
) -> str:
    """The statement as the engine answers it like Neo4j, bounded to ``limit`` rows.

    ``labels`` and ``types`` are those of the graph; ``Node`` is hidden where it is not
    among them. Raises Refused for what could only be answered otherwise.
    """
    writer = _Writer(checked, labels, types)
    text = writer.text()
    return text if checked.limited else f"{text} LIMIT {limit}"


def stored_parameters(value: Any) -> Any:
    """A parameter with the keys of its maps as they are stored."""
    if isinstance(value, Mapping):
        return {stored(str(name)): stored_parameters(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [stored_parameters(part) for part in value]
    return value


def _decoded(name: str, kinds: Collection[str]) -> str:
    """The label or type behind a stored one, for those that are stored under other names."""
    other = {stored_kind(kind): kind for kind in sorted(kinds) if stored_kind(kind) != kind}
    cases = " ".join(f"WHEN '{key}' THEN {_text(kind)}" for key, kind in other.items())
    return f"CASE {name} {cases} ELSE {name} END" if cases else name


def _text(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


class _Writer(Walk):
    """Goes over the tokens once and notes which are written differently."""

    def __init__(self, checked: Checked, labels: Collection[str], types: Collection[str]) -> None:
        super().__init__(checked.tokens)
        self.hidden = "" if UNLABELLED in labels else f" WHERE _l <> '{UNLABELLED}'"
        self.label, self.type = _decoded("_l", labels), _decoded("_y", types)

    def text(self) -> str:
        for k in label_positions(self.tokens):
            self.instead[k] = quoted_kind(self.tokens[k].named)
        Patterns(self).write()
        open_marks: list[int] = []
        for k, token in enumerate(self.tokens):
            if self.is_gone(k, k):  # written with what it is a part of; its brackets close there
                continue
            if token.kind == "mark":
                if token.text in "([{":
                    open_marks.append(k)
                elif token.text in ")]}" and open_marks:
                    self.closed(open_marks.pop(), k)
                elif token.text == "/":
                    self.divided(k + 1)
                elif token.text == "+":
                    self.joined(k)
            elif token.kind == "number" and token.text.startswith("."):
                self.instead[k] = "0" + token.text
            elif token.kind in ("word", "name") and self.is_predicate(k, open_marks):
                self.instead[k] = quoted_kind(token.named)
            elif token.word == "IN" and self.peek(k + 1).text == "[":
                self.listed(k + 1)
            elif token.kind in ("word", "name") and k not in self.instead:
                self.name(k, token, open_marks)
        return text_of(self.tokens, self.changes())

    def name(self, k: int, token: Token, open_marks: list[int]) -> None:
        previous, following = self.peek(k - 1).text, self.peek(k + 1).text
        if previous == ".":
            if following != "(":  # a property, or part of a map projection
                self.instead[k] = quoted(stored(token.named))
            elif (whole := f"{self.peek(k - 2).text}.{token.text}".lower()).startswith("duration."):
                self.duration(k, whole)
            elif token.word == "TRUNCATE":
                self.truncated(k)
            return
        if open_marks and self.is_map(open_marks[-1]) and previous in ("{", ","):
            if following == ":":
                self.instead[k] = quoted(stored(token.named))
                return
            if following in (",", "}") and stored(token.named) != token.named:
                self.put(k, f"{quoted(stored(token.named))}: ", k, "")
        if following == "(" and token.kind == "word":
            self.function(k, token.text.lower())

    def function(self, k: int, name: str) -> None:
        end, arguments = self.arguments(k + 1)
        if name in CONSTANTS and not arguments:
            self.replace(k, end, CONSTANTS[name])
        elif name == "keys":
            self.put(k, "([_k IN ", end, f" WHERE NOT _k IN {_ADDED} | {_PLAIN_KEY}])")
        elif name == "labels":
            self.put(k, "([_l IN ", end, f"{self.hidden} | {self.label}])")
        elif name == "type" and self.type != "_y":
            self.put(k, "head([_y IN [", end, f"] | {self.type}])")
        elif name == "nullif" and len(arguments) == 2:
            first, second = (self.written(*span) for span in arguments)
            whole = f"head([_x IN [{first}] | CASE WHEN _x = {second} THEN null ELSE _x END])"
            self.replace(k, end, whole)
        elif name == "datetime":
            self.moment(k, end)
        elif name in OF_ONE and len(arguments) == 1 and not self.is_plain_call(k, arguments[0]):
            self.replace(k, end, OF_ONE[name](self.written(*arguments[0])))
        elif name == "btrim" and len(arguments) == 1:
            self.instead[k] = "trim"
        elif name in REWRITTEN:
            as_ = REWRITTEN[name]
            self.instead[k] = as_.name
            self.put(k, as_.before, end, as_.after)

    def is_plain_call(self, k: int, argument: tuple[int, int]) -> bool:
        """A call that stays: of distinct values, or of an aggregate inside another."""
        inside = self.tokens[argument[0] : argument[1] + 1]
        name = self.tokens[k].text.lower()
        nested = name == "stdevp" and any(token.text.lower() == name for token in inside)
        return nested or inside[0].word == "DISTINCT"

    def moment(self, k: int, end: int) -> None:
        """``datetime({epochSeconds: n})``; a map of another time and a zone is refused."""
        keys = {
            token.text.lower(): at
            for at, token in enumerate(self.tokens[k:end], k)
            if token.kind == "word" and self.peek(at + 1).text == ":"
        }
        part = next((name for name in EPOCHS if name in keys), None)
        if part and len(keys) == 1 and keys[part] == k + 3:
            value = self.written(keys[part] + 2, end - 2)
            start = "datetime('1970-01-01T00:00:00Z')"
            self.replace(k, end, f"({start} + duration({{{EPOCHS[part]}: {value}}}))")
        elif "time" in keys and "timezone" in keys:
            raise Refused(
                "datetime() of another time and a timezone is answered otherwise than in Neo4j;"
                " give hour, minute and second, or one text with the zone"
            )

    def duration(self, k: int, whole: str) -> None:
        end, arguments = self.arguments(k + 1)
        if len(arguments) == 2 and whole in (
            "duration.between", "duration.inmonths", "duration.indays", "duration.inseconds"
        ):  # fmt: skip
            first, second = (self.written(*span) for span in arguments)
            self.replace(k - 2, end, between(whole, first, second))

    def truncated(self, k: int) -> None:
        """``time.truncate`` forgets the zone of a moment; a map of nanoseconds, what is finer."""
        _, arguments = self.arguments(k + 1)
        if self.peek(k - 2).text.lower() == "time" and len(arguments) > 1:
            self.put(arguments[1][0], "time(", arguments[1][1], ")")
        unit = string_of(self.peek(k + 2)).lower()
        more = self.tokens[slice(arguments[2][0], arguments[2][1])] if arguments[2:] else []
        if unit in ("millisecond", "microsecond") and any(t.word == "NANOSECOND" for t in more):
            raise Refused(
                "truncate() to this unit with nanoseconds is answered otherwise than in Neo4j;"
                " leave the third argument out"
            )

    def closed(self, begin: int, end: int) -> None:
        """An index: the name of a property in it is that of the stored one."""
        if self.tokens[begin].text != "[" or not self.is_index(begin) or end == begin + 1:
            return
        inside = self.tokens[begin + 1 : end]
        if any(token.text == ".." for token in inside):
            return
        if len(inside) == 1 and inside[0].kind == "string":
            if (name := string_of(inside[0])) in ANSWERED:
                self.instead[begin + 1] = f"'{stored(name)}'"
            return
        if any(token.kind != "number" and token.text not in "+-*/%" for token in inside):
            self.put(begin + 1, "head([_i IN [", end - 1, f"] | {_STORED_KEY}])")

    def listed(self, k: int) -> None:
        """What IN looks into, in brackets where it is more than a list of values."""
        end, whole = self.end_of(k), self.operand(k)
        inside = self.tokens[k:end]
        if whole != end or any(
            token.text == "|" or token.word in ("IN", "WHERE") for token in inside
        ):
            self.put(k, "(", end if whole is None else whole, ")")

    def divided(self, k: int) -> None:
        """The divisor that begins here fails where it is zero; numbers are seen at once."""
        token = self.peek(k)
        end = self.operand(k)
        if end is None or (token.kind == "number" and end == k and float(token.text) != 0):
            return
        self.put(k, "head([_z IN [", end, f"] | {_NOT_ZERO}])")

    def joined(self, k: int) -> None:
        """What is added to a list is not null."""
        before, after, end = self.peek(k - 1), self.peek(k + 1), self.operand(k + 1)
        if before.kind != "mark" or before.text not in ("]", ")") or end is None:
            return
        opened = self.start_of(k - 1)
        a_list = (
            not self.is_index(opened)
            if before.text == "]"
            else self.peek(opened - 1).text.lower() in _LISTS
        )
        if a_list and after.kind not in ("number", "string") and after.text != "[":
            self.put(k + 1, "head([_n IN [", end, f"] | {_NOT_NULL}])")

    def is_predicate(self, k: int, open_marks: list[int]) -> bool:
        """A label after the colon of ``n:Label``, outside patterns and maps."""
        inside = self.tokens[open_marks[-1]].text if open_marks else ""
        return (
            k not in self.instead
            and self.peek(k - 1).text in (":", "|", "&")
            and (inside != "{" or not self.is_map(open_marks[-1]))
            and (self.peek(k - 1).text == ":" or self.instead.get(k - 2, "").startswith("`"))
            and self.peek(k - 2).kind in ("word", "name")
        )

    def is_map(self, k: int) -> bool:
        before = self.peek(k - 1)
        subquery = before.text == ")" or before.word in ("EXISTS", "COUNT", "COLLECT", "CALL")
        return self.tokens[k].text == "{" and not subquery

    def is_index(self, k: int) -> bool:
        before = self.peek(k - 1)
        if before.kind == "word":
            return before.word not in _BEFORE_LISTS
        return before.kind in ("name", "parameter", "string") or before.text in (")", "]", "}")
