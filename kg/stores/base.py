"""What every graph store can do, and how one is opened."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import polars as pl

from trefoil.data.errors import StoreError
from trefoil.data.progress import Progress
from trefoil.kg.cypher.guard import Dialect
from trefoil.kg.graph import EdgeType, KnowledgeGraph
from trefoil.kg.stores.comparison import differences

ROWS, SECONDS = 10_000, 30.0


@dataclass(frozen=True)
class Answer:
    """What a statement returned: at most ``limit`` rows; ``cut`` says that there were more."""

    table: pl.DataFrame
    cut: bool
    seconds: float


@dataclass(frozen=True)
class Schema:
    """Labels and relationship types in a store, each with its properties and their types."""

    labels: Mapping[str, Mapping[str, str]]
    relationships: Mapping[EdgeType, Mapping[str, str]] = field(default_factory=dict)

    @property
    def types(self) -> tuple[str, ...]:
        """Relationship types, each once."""
        return tuple(dict.fromkeys(relation for _, relation, _ in self.relationships))

    @property
    def properties(self) -> tuple[str, ...]:
        """Property names of nodes and relationships, each once."""
        parts = (*self.labels.values(), *self.relationships.values())
        return tuple(dict.fromkeys(name for part in parts for name in part))


class GraphStore(ABC):
    """A property graph that answers Cypher.

    Nodes carry one label and a text ``id``, unique within the label. ``query``
    is read-only unless ``write=True`` and the store was opened for writing.
    """

    dialect: Dialect

    @abstractmethod
    def write(self, graph: KnowledgeGraph, progress: Progress | None = None) -> None:
        """Store a graph; writing the same graph again changes nothing."""

    @abstractmethod
    def read(
        self,
        *,
        labels: Collection[str] | None = None,
        relationships: Collection[str] | None = None,
        properties: Collection[str] | None = None,
    ) -> KnowledgeGraph:
        """The graph, or the part with these labels, relationship types and properties.

        An edge is kept where both its ends are. Raises StoreError for a name
        that the store does not have.
        """

    @abstractmethod
    def schema(self) -> Schema:
        """What labels, relationship types and properties there are."""

    @abstractmethod
    def ask(
        self,
        cypher: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        limit: int = ROWS,
        timeout_s: float = SECONDS,
        write: bool = False,
    ) -> Answer:
        """Run one statement and say whether its rows were cut at ``limit``."""

    def query(
        self,
        cypher: str,
        *,
        limit: int = ROWS,
        timeout_s: float = SECONDS,
        write: bool = False,
        **parameters: Any,
    ) -> pl.DataFrame:
        """The whole table that one statement returns; ``ask`` gives the first rows of a longer one.

        Keywords become parameters (``$name``): the only way for text of a user
        to reach a statement. Raises StoreError if the statement may not be run,
        fails, returns more than ``limit`` rows, or takes longer than ``timeout_s``.
        """
        answer = self.ask(cypher, parameters, limit=limit, timeout_s=timeout_s, write=write)
        if answer.cut:
            raise StoreError(
                f"the statement returns more than {limit} rows; pass a higher limit=, put LIMIT"
                " into the statement, or use ask(), which gives the first rows and says `cut`"
            )
        return answer.table

    def verify(self, graph: KnowledgeGraph) -> list[str]:
        """What of this graph the store holds otherwise, in words; empty where all is there.

        Compares counts and hashes of the graph's labels and relationship types;
        what else the store holds is not looked at.
        """
        types = dict.fromkeys(relation for _, relation, _ in graph.edges)
        found = self.read(labels=list(graph.nodes), relationships=list(types))
        asked = {ends: edges for ends, edges in found.edges.items() if ends in graph.edges}
        predicates = {name: iri for name, iri in graph.predicates.items() if name in types}
        return differences(
            KnowledgeGraph(found.nodes, asked, found.predicates),
            KnowledgeGraph(graph.nodes, graph.edges, predicates),
        )

    @abstractmethod
    def close(self) -> None:
        """Give back files and connections; closing twice is harmless."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, _: TracebackType | None
    ) -> None:
        self.close()


def chosen(wanted: Collection[str] | None, known: Collection[str], what: str) -> list[str]:
    """The wanted names in the order in which the store has them. Raises StoreError if unknown."""
    if wanted is None:
        return list(known)
    if missing := [name for name in wanted if name not in known]:
        raise StoreError(f"no {what} {missing[0]!r} in the store; it has {', '.join(known)}")
    return [name for name in known if name in wanted]
