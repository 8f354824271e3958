"""A pattern as people write it, read into nodes and edges; nothing of it reaches an engine.

::

    pattern = chain {"," chain}
    chain   = node {edge node}
    node    = "(" [variable] {":" label} ["{" property ":" value {"," ...} "}"] ")"
    edge    = "-[:TYPE|OTHER]->"  or  "<-[:TYPE]-"  or  "-[:TYPE]-"  or  "-->", "<--", "--"

A value is text in quotes, a number, true or false. Every chain holds the item once: the
node of the variable ``i`` or ``item``, else the first node.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from trefoil.data.errors import ConfigError
from trefoil.kg.cypher.tokens import Refused, Token, tokens_of

ITEM_NAMES = ("i", "item")
MOST_NODES = 16  # of a chain
Value = str | int | float | bool
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
_WORDS = {"TRUE": True, "FALSE": False}


@dataclass(frozen=True)
class NodePattern:
    """A node: all of these labels, and these values of properties."""

    labels: tuple[str, ...]
    properties: tuple[tuple[str, Value], ...]


@dataclass(frozen=True)
class EdgePattern:
    """An edge of any of these types, of any type where there is none."""

    types: tuple[str, ...]
    direction: Literal["out", "in", "both"]


@dataclass(frozen=True)
class Chain:
    """Nodes with an edge between each and the next; node ``item`` is the item."""

    nodes: tuple[NodePattern, ...]
    edges: tuple[EdgePattern, ...]
    item: int


def parse(text: str) -> tuple[Chain, ...]:
    """The chains of a pattern, all of which must hold. Raises ConfigError, saying where."""
    try:
        tokens = tokens_of(text)
    except Refused as fault:
        raise ConfigError(f"path {text[:80]!r}: {fault}") from None
    reader = _Reader(text, tokens)
    chains = [reader.chain()]
    while reader.took(","):
        chains.append(reader.chain())
    reader.end()
    return tuple(chains)


class _Reader:
    """Reads tokens from left to right."""

    def __init__(self, text: str, tokens: list[Token]) -> None:
        self.text, self.tokens, self.at = text, tokens, 0

    def chain(self) -> Chain:
        nodes, edges, variables = [], [], []
        while True:
            variable, node = self.node()
            nodes.append(node)
            variables.append(variable)
            if not self.next_is("-", "<", "<-", "->"):
                break
            edges.append(self.edge())
        if len(nodes) > MOST_NODES:
            raise self.fault(f"a chain of {len(nodes)} nodes; at most {MOST_NODES} are followed")
        named = [one for one in variables if one]
        if len(set(named)) < len(named):
            raise self.fault("a variable stands twice in one chain; circles are not followed")
        items = [at for at, one in enumerate(variables) if one in ITEM_NAMES]
        if len(items) > 1:
            raise self.fault("a chain names the item twice")
        return Chain(tuple(nodes), tuple(edges), items[0] if items else 0)

    def node(self) -> tuple[str, NodePattern]:
        self.take("(")
        variable = self.name() if self.next_is_name() else ""
        labels = []
        while self.took(":"):
            labels.append(self.name())
        properties = []
        if self.took("{"):
            while not self.took("}"):
                if properties:
                    self.take(",")
                name = self.name()
                self.take(":")
                properties.append((name, self.value()))
        self.take(")")
        return variable, NodePattern(tuple(labels), tuple(properties))

    def edge(self) -> EdgePattern:
        back = self.took("<-") or (self.took("<") and self.take("-"))
        if not back and self.took("->"):
            raise self.fault("an edge begins with - or <-")
        if not back:
            self.take("-")
        types: list[str] = []
        if self.took("["):
            if self.next_is_name():
                self.name()
            if self.took(":"):
                types.append(self.name())
                while self.took("|"):
                    self.took(":")
                    types.append(self.name())
            self.take("]")
        forward = self.took("->")
        if not forward:
            self.take("-")
            forward = self.took(">")
        if back and forward:
            raise self.fault("an edge points both ways; write -[...]- for either")
        return EdgePattern(tuple(types), "in" if back else "out" if forward else "both")

    def value(self) -> Value:
        negative = self.took("-")
        token = self.peek()
        if token is not None and token.kind == "number":
            self.at += 1
            try:
                number = float(token.text) if set(".eE") & set(token.text) else int(token.text, 0)
                return float(-number if negative else number)
            except (ValueError, OverflowError):
                raise self.fault(f"{token.text[:40]} is no number") from None
        if token is not None and not negative and token.kind == "string":
            self.at += 1
            return unquoted(token.text)
        if token is not None and not negative and token.word in _WORDS:
            self.at += 1
            return _WORDS[token.word]
        raise self.fault("text in quotes, a number, true or false is expected")

    def name(self) -> str:
        if not self.next_is_name():
            raise self.fault("a name is expected")
        self.at += 1
        return self.tokens[self.at - 1].named

    def peek(self) -> Token | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def next_is(self, *marks: str) -> bool:
        token = self.peek()
        return token is not None and token.kind == "mark" and token.text in marks

    def next_is_name(self) -> bool:
        token = self.peek()
        return token is not None and token.kind in ("word", "name")

    def took(self, mark: str) -> bool:
        if self.next_is(mark):
            self.at += 1
            return True
        return False

    def take(self, mark: str) -> bool:
        if not self.took(mark):
            raise self.fault(f"{mark!r} is expected")
        return True

    def end(self) -> None:
        if self.peek() is not None:
            raise self.fault("the pattern should end here")

    def fault(self, why: str) -> ConfigError:
        token = self.peek()
        where = "at its end" if token is None else f"at character {token.at + 1}, {token.text!r}"
        example = "write it as (i)-[:DIRECTOR]->(:Person {name: 'Ozu'})"
        return ConfigError(f"path {self.text[:80]!r}: {why}, {where}; {example}")


def unquoted(text: str) -> str:
    """What a text in quotes stands for."""
    out, inner = [], iter(text[1:-1])
    for letter in inner:
        if letter != "\\":
            out.append(letter)
            continue
        escape = next(inner)
        if escape in "uU":
            digits = "".join(next(inner) for _ in range(4 if escape == "u" else 8))
            code = int(digits, 16)
            out.append(chr(code) if code < 0x110000 else "\ufffd")
        else:
            out.append(_ESCAPED.get(escape.lower(), escape))
    return "".join(out)
