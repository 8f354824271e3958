"""Values of the openCypher suite, and values of a store's answer, in one comparable form."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Mapping
from typing import Any

_TOKEN = re.compile(
    r"\s*(?:(?P<string>'(?:[^'\\]|\\.)*')|(?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
    r"|(?P<word>[A-Za-z_][\w]*)|(?P<mark><-|->|[][(){}<>:,|-]))"
)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}


def parsed(text: str) -> Any:
    """A value as the suite writes it: ``[:T {a: 1}]``, ``(:A)``, ``<(:A)-[:T]->()>``, ``'x'``."""
    reader = _Reader(text)
    return reader.value()


class _Reader:
    def __init__(self, text: str) -> None:
        self.tokens, at = [], 0
        while at < len(text.rstrip()):
            match = _TOKEN.match(text, at)
            if match is None:
                raise ValueError(f"cannot read {text!r}")
            self.tokens.append((match.lastgroup, match[match.lastgroup or ""]))
            at = match.end()
        self.at = 0

    def peek(self, ahead: int = 0) -> str:
        k = self.at + ahead
        return self.tokens[k][1] if k < len(self.tokens) else ""

    def take(self, wanted: str = "") -> str:
        found = self.peek()
        if wanted and found != wanted:
            raise ValueError(f"{wanted!r} expected, {found!r} found")
        self.at += 1
        return found

    def value(self) -> Any:
        kind, text = self.tokens[self.at]
        if kind == "string":
            self.take()
            return _texts(re.sub(r"\\(.)", lambda m: _ESCAPED.get(m[1], m[1]), text[1:-1]))
        if kind == "number":
            self.take()
            return number(float(text) if re.search(r"[.eE]", text) else int(text))
        if kind == "word":
            self.take()
            named = {"true": True, "false": False, "null": None, "NaN": ("nan",)}
            return named[text] if text in named else number(math.inf)
        if text == "-" and self.peek(1) == "Inf":
            self.at += 2
            return number(-math.inf)
        if text == "[" and self.peek(1) == ":":
            return self.relationship()
        if text == "[":
            return ("list", *self.listed("[", "]", self.value))
        if text == "{":
            return self.map()
        if text == "(":
            return self.node()
        return self.path()

    def listed(self, begin: str, end: str, part: Any) -> list[Any]:
        self.take(begin)
        out = []
        while self.peek() != end:
            out.append(part())
            if self.peek() == ",":
                self.take()
        self.take(end)
        return out

    def map(self) -> Any:
        def pair() -> tuple[str, Any]:
            name = self.take()
            self.take(":")
            return name, self.value()

        return ("map", *sorted(self.listed("{", "}", pair), key=repr))

    def names(self) -> list[str]:
        out = []
        while self.peek() == ":":
            self.take()
            out.append(self.take())
        return sorted(out)

    def node(self) -> Any:
        self.take("(")
        labels = self.names()
        properties = self.map() if self.peek() == "{" else ("map",)
        self.take(")")
        return ("node", tuple(labels), properties)

    def relationship(self) -> Any:
        self.take("[")
        (kind,) = self.names()
        properties = self.map() if self.peek() == "{" else ("map",)
        self.take("]")
        return ("relationship", kind, properties)

    def path(self) -> Any:
        self.take("<")
        parts = [self.node()]
        while self.peek() != ">":
            back = self.take() == "<-"
            edge = self.relationship()
            self.take("-" if back else "->")
            parts += [("back" if back else "on", edge), self.node()]
        self.take(">")
        return ("path", *parts)


def comparable(value: Any) -> Any:
    """A Python value of an answer in the form of ``parsed``."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return number(value)
    if isinstance(value, list | tuple):
        return ("list", *map(comparable, value))
    if isinstance(value, Mapping):
        return _mapping(value)
    if isinstance(value, dt.timedelta):
        return _texts(f"PT{value.total_seconds():.9f}S")
    if isinstance(value, dt.datetime | dt.date | dt.time):
        zone = getattr(getattr(value, "tzinfo", None), "key", None)
        return _texts(value.isoformat() + (f"[{zone}]" if zone else ""))
    return _texts(str(value))


def _mapping(value: Mapping[str, Any]) -> Any:
    if value.keys() == {"id", "labels", "properties"}:
        return ("node", tuple(sorted(value["labels"])), _pairs(value["properties"]))
    if value.keys() == {"id", "start", "end", "type", "properties"}:
        return ("relationship", value["type"], _pairs(value["properties"]))
    if value.keys() == {"nodes", "relationships"}:
        nodes, parts = value["nodes"], [comparable(value["nodes"][0])]
        for k, edge in enumerate(value["relationships"]):
            way = "on" if edge["start"] == nodes[k]["id"] else "back"
            parts += [(way, comparable(edge)), comparable(nodes[k + 1])]
        return ("path", *parts)
    return _pairs(value)


def _pairs(value: Mapping[str, Any]) -> Any:
    kept = [(name, comparable(part)) for name, part in value.items()]
    return ("map", *sorted(kept, key=repr))


def number(value: float) -> Any:
    if isinstance(value, int):
        return ("int", value)
    return ("nan",) if math.isnan(value) else ("float", float(f"{value:.12g}") + 0.0)


_TEMPORAL = re.compile(r"-?\d{4,}-\d\d-\d\d(T.*)?|-?\d\d:\d\d.*")
_DURATION = re.compile(
    r"P(?:(-?[\d.]+)Y)?(?:(-?[\d.]+)M)?(?:(-?[\d.]+)W)?(?:(-?[\d.]+)D)?"
    r"(?:T(?:(-?[\d.]+)H)?(?:(-?[\d.]+)M)?(?:(-?[\d.]+)S)?)?"
)


def _texts(text: str) -> Any:
    """A text; a temporal one without zeros that say nothing, below a microsecond cut off."""
    if len(text) > 1 and (found := _DURATION.fullmatch(text)):
        y, m, w, d, h, mi, s = (float(part or 0) for part in found.groups())
        months = 12 * y + m
        seconds = 86_400 * (7 * w + d) + 3600 * h + 60 * mi + s  # a column has no days of their own
        return ("duration", months, round(seconds, 6))
    if not _TEMPORAL.fullmatch(text):
        return text
    text = re.sub(r"(\.\d{1,6})\d*", lambda m: m[1].rstrip("0").rstrip("."), text)
    text = re.sub(r"(\d\d:\d\d):00(?![.\d])(?=$|[Z+\-\[])", r"\1", text, count=1)
    return re.sub(r"\+00:00(?=$|\[)", "Z", text)
