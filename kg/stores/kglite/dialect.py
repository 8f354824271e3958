"""Cypher as people write it for Neo4j, as kglite wants it.

kglite speaks nearly all of it. What it answers otherwise is written differently
here: properties of names that it answers itself, ``keys`` and ``id``, the end of
``*`` (kglite stops at ten steps where none is given), and the most rows wanted.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from trefoil.kg.cypher.functions import words
from trefoil.kg.cypher.guard import Checked
from trefoil.kg.cypher.names import quoted
from trefoil.kg.cypher.tokens import Token, label_positions, string_of, text_of
from trefoil.kg.stores.kglite.names import ANSWERED, stored

FARTHEST = 1_000_000  # steps of a path without an end of its own
UNLABELLED = "Node"  # what the engine calls a node without a label
_BEFORE_LISTS = words(
    "IN RETURN WITH UNWIND WHERE AND OR XOR NOT WHEN THEN ELSE CASE BY DISTINCT LIMIT SKIP CONTAINS"
    " STARTS ENDS SET"
)
_ADDED = "[" + ", ".join(f"'{name}'" for name in sorted(ANSWERED)) + "]"
_KEPT = "[" + ", ".join(f"'{stored(name)}'" for name in sorted(ANSWERED)) + "]"


def to_kglite(checked: Checked, limit: int, labels: Collection[str] = ()) -> str:
    """The statement as the engine answers it like Neo4j, bounded to ``limit`` rows.

    ``labels`` are those of the graph; ``Node`` is hidden where it is not among them.
    """
    return _Writer(checked, limit, UNLABELLED in labels).text()


def stored_parameters(value: Any) -> Any:
    """A parameter with the keys of its maps as they are stored."""
    if isinstance(value, Mapping):
        return {stored(str(name)): stored_parameters(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [stored_parameters(part) for part in value]
    return value


class _Writer:
    """Goes over the tokens once and notes which are written differently."""

    def __init__(self, checked: Checked, limit: int, node_is_a_label: bool) -> None:
        self.checked, self.tokens, self.limit = checked, checked.tokens, limit
        self.hides_node = not node_is_a_label
        self.before: dict[int, str] = {}  # position: text to put before, after, instead
        self.after: dict[int, str] = {}
        self.instead: dict[int, str] = {}

    def text(self) -> str:
        for k in label_positions(self.tokens):
            self.instead[k] = quoted(self.tokens[k].named)
        open_marks: list[int] = []
        for k, token in enumerate(self.tokens):
            if token.kind == "mark":
                if token.text in "([{":
                    open_marks.append(k)
                elif token.text in ")]}" and open_marks:
                    self.closed(open_marks.pop(), k)
                elif token.text == "*":
                    self.star(k, open_marks)
            elif token.kind in ("word", "name") and k not in self.instead:
                self.name(k, token, open_marks)
        changes = {
            k: self.before.get(k, "") + self.instead.get(k, self.tokens[k].text)
            + self.after.get(k, "")
            for k in {*self.before, *self.after, *self.instead}
        }  # fmt: skip
        text = text_of(self.tokens, changes)
        return text if self.checked.limited else f"{text} LIMIT {self.limit}"

    def peek(self, k: int) -> Token:
        return self.tokens[k] if 0 <= k < len(self.tokens) else Token("mark", "", 0)

    def name(self, k: int, token: Token, open_marks: list[int]) -> None:
        previous, following = self.peek(k - 1).text, self.peek(k + 1).text
        if previous == ".":
            if following != "(":  # a property, or part of a map projection
                self.instead[k] = quoted(stored(token.named))
            return
        if open_marks and self.is_map(open_marks[-1]) and previous in ("{", ","):
            if following == ":":
                self.instead[k] = quoted(stored(token.named))
                return
            if following in (",", "}") and stored(token.named) != token.named:
                self.before[k] = f"{quoted(stored(token.named))}: "
        if following == "(" and token.kind == "word":
            self.function(k, token.text.lower())

    def function(self, k: int, name: str) -> None:
        end = self.end_of(k + 1)
        if name == "keys":
            self.put(k, "[_k IN ", end, f" WHERE NOT _k IN {_ADDED} | {_plain_key('_k')}]")
        elif name == "id":
            self.put(k, "toInteger(", end, ")")
            self.instead[k] = "elementId"
        elif name == "labels" and self.hides_node:
            self.put(k, "[_l IN ", end, f" WHERE _l <> '{UNLABELLED}']")
        elif name == "timestamp" and end == k + 2:
            self.instead[k], self.after[end] = "datetime", ".epochMillis"

    def put(self, k: int, before: str, end: int, after: str) -> None:
        self.before[k] = self.before.get(k, "") + before
        self.after[end] = after + self.after.get(end, "")

    def end_of(self, k: int) -> int:
        depth = 0
        for at in range(k, len(self.tokens)):
            if self.tokens[at].kind == "mark":
                depth += (self.tokens[at].text in "([{") - (self.tokens[at].text in ")]}")
            if depth == 0:
                return at
        return len(self.tokens) - 1

    def closed(self, begin: int, end: int) -> None:
        """An index: the name of a property in it is that of the stored one."""
        if self.tokens[begin].text != "[" or not self.is_index(begin) or end == begin + 1:
            return
        inside = self.tokens[begin + 1 : end]
        if len(inside) == 1 and inside[0].kind == "number":
            return
        if any(token.text == ".." for token in inside):
            return
        if len(inside) == 1 and inside[0].kind == "string":
            if (name := string_of(inside[0])) in ANSWERED:
                self.instead[begin + 1] = f"'{stored(name)}'"
            return
        if any(token.kind != "number" and token.text not in "+-*/%" for token in inside):
            cases = " ".join(f"WHEN '{name}' THEN '{stored(name)}'" for name in sorted(ANSWERED))
            self.put(begin + 1, "head([_i IN [", end - 1, f"] | CASE _i {cases} ELSE _i END])")

    def is_map(self, k: int) -> bool:
        before = self.peek(k - 1)
        subquery = before.text == ")" or before.word in ("EXISTS", "COUNT", "COLLECT", "CALL")
        return self.tokens[k].text == "{" and not subquery

    def is_index(self, k: int) -> bool:
        before = self.peek(k - 1)
        if before.kind == "word":
            return before.word not in _BEFORE_LISTS
        return before.kind in ("name", "parameter", "string") or before.text in (")", "]", "}")

    def star(self, k: int, open_marks: list[int]) -> None:
        """The steps of a pattern get an end where they have none."""
        at = open_marks[-1] if open_marks else -1
        if at < 0 or self.tokens[at].text != "[" or self.peek(at - 1).text not in ("-", "<-"):
            return
        low = self.peek(k + 1)
        if low.kind == "number" and self.peek(k + 2).text == "..":
            if self.peek(k + 3).kind != "number":
                self.after[k + 2] = f"{FARTHEST} "
        elif low.text == ".." and self.peek(k + 2).kind != "number":
            self.instead[k + 1] = f"1..{FARTHEST} "
        elif low.kind != "number" and low.text != "..":
            self.after[k] = f"1..{FARTHEST} "


def _plain_key(name: str) -> str:
    return f"CASE WHEN {name} IN {_KEPT} THEN left({name}, size({name}) - 1) ELSE {name} END"
