"""What a named question is made of: arguments, and the words of its statement."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from trefoil.kg.cypher.names import quoted
from trefoil.kg.stores.base import Schema


@dataclass(frozen=True)
class Argument:
    """``kind`` is id, number, label or type; without a default it must be given."""

    kind: str
    about: str
    default: str | int | None = None


class Words:
    """The pieces of a statement that depend on the schema and the dialect."""

    def __init__(self, schema: Schema, dialect: str, names: Mapping[str, str]) -> None:
        self.schema, self.embedded, self.names = schema, dialect == "embedded", names

    def quoted(self, argument: str) -> str:
        return quoted(self.names[argument])

    def name(self, variable: str, label: str | None = None) -> str:
        """A node's name or id; the embedded engine wants properties that some label has."""
        labels = self.schema.labels if label is None else {label: self.schema.labels.get(label, {})}
        if any("name" in properties for properties in labels.values()):
            return f"coalesce({variable}.name, {variable}.id)"
        return f"{variable}.id"

    def label(self, variable: str) -> str:
        return f"label({variable})" if self.embedded else f"labels({variable})[0]"

    def shortest(self, left: str, right: str, hops: int) -> str:
        if self.embedded:
            return f"p = {left}-[* SHORTEST 1..{hops}]-{right}"
        return f"p = shortestPath({left}-[*..{hops}]-{right})"


Builder = Callable[[Words], str]


@dataclass(frozen=True)
class Question:
    """``text`` returns a table to read, ``drawing`` the nodes and paths to draw."""

    about: str
    arguments: Mapping[str, Argument]
    text: Builder
    drawing: Builder
