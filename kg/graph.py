"""The typed graph: nodes by type, edges by (source type, relation, target type)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from trefoil.data.interactions import Ints
from trefoil.data.report import DataReport
from trefoil.data.vocabulary import Vocabulary

if TYPE_CHECKING:
    import networkx
    import rdflib
    from torch_geometric.data import HeteroData

EdgeType = tuple[str, str, str]

USER, ITEM, INTERACTED = "User", "Item", "INTERACTED"
LABELS = "labels"  # the property that keeps all labels of a node of a database


@dataclass(frozen=True)
class Nodes:
    """Nodes of one type; ``properties`` has one row each (iri, name, text, and literals)."""

    vocabulary: Vocabulary
    properties: pl.DataFrame

    def __post_init__(self) -> None:
        if self.properties.width and len(self.properties) != len(self.vocabulary):
            raise ValueError(f"{len(self.properties)} property rows, {len(self.vocabulary)} nodes")

    def __len__(self) -> int:
        return len(self.vocabulary)

    def take(self, rows: Ints) -> Nodes:
        """These nodes, in this order."""
        if len(rows) == len(self) and (rows == np.arange(len(self))).all():
            return self
        ids = self.vocabulary.ids
        table = self.properties[rows] if self.properties.width else self.properties
        return Nodes(Vocabulary(ids[row] for row in rows.tolist()), table)


@dataclass(frozen=True)
class Edges:
    """Edges of one type as rows into the source and target nodes; parallel edges are kept."""

    source: Ints
    target: Ints
    properties: pl.DataFrame = field(default_factory=pl.DataFrame)

    def __post_init__(self) -> None:
        if len(self.source) != len(self.target):
            raise ValueError(f"{len(self.source)} sources, {len(self.target)} targets")
        if self.properties.width and len(self.properties) != len(self.source):
            raise ValueError(f"{len(self.properties)} property rows, {len(self.source)} edges")

    def __len__(self) -> int:
        return len(self.source)


@dataclass(frozen=True)
class Key:
    """How a node is found in the database that it came from: label, property, kind of value.

    ``whole`` says that the ids are whole numbers there. Without a ``property`` the
    ids were made from element ids.
    """

    label: str
    property: str | None
    whole: bool = False

    def value(self, id: str) -> str | int:
        """The id as the database holds it."""
        return int(id) if self.whole and id.removeprefix("-").isdigit() else id


@dataclass(frozen=True)
class Origin:
    """The Neo4j database that a graph was read from, and how its nodes are found there.

    ``database`` is the server's own name for it, which no other has. ``keys`` are by node
    type. ``events`` are the relationships that lead from a user to an item there, each
    with its direction, and between them the labels of nodes on the way.
    """

    uri: str
    database: str
    keys: Mapping[str, Key]
    events: tuple[tuple[str, bool], ...] = ()
    between: tuple[str, ...] = ()

    def told(self) -> dict[str, Any]:
        """As JSON values, for the manifest of a run."""
        keys = {name: [key.label, key.property, key.whole] for name, key in self.keys.items()}
        events, between = [list(step) for step in self.events], list(self.between)
        said = {"uri": self.uri, "database": self.database, "keys": keys}
        return {**said, "events": events, "between": between}

    @classmethod
    def parse(cls, told: Mapping[str, Any]) -> Origin:
        keys = {name: Key(*key) for name, key in told["keys"].items()}
        events = tuple((type, forward) for type, forward in told["events"])
        return cls(told["uri"], told["database"], keys, events, tuple(told["between"]))


MADE_UP = "neo4j:"  # how an id begins that was made from an element id


@dataclass(frozen=True)
class KnowledgeGraph:
    """Who relates to what.

    ``predicates`` says what the names stand for: the IRI behind a relationship
    type (``DIRECTOR``), behind a label (``:Person``), and behind a property
    (``.year``) with its datatype or language, as ``<iri>^^<datatype>`` or
    ``<iri>@en``. ``report`` counts what was read, linked and set aside. ``origin`` says
    which database it came from, if it did.

    >>> import numpy as np
    >>> items = Nodes(Vocabulary(["alien", "brazil"]), pl.DataFrame())
    >>> genres = Nodes(Vocabulary(["horror"]), pl.DataFrame())
    >>> alien_is_horror = Edges(np.array([0]), np.array([0]))
    >>> nodes = {"Item": items, "Genre": genres}
    >>> graph = KnowledgeGraph(nodes, {("Item", "GENRE", "Genre"): alien_is_horror})
    >>> graph.node_count, graph.edge_count
    (3, 1)
    """

    nodes: Mapping[str, Nodes]
    edges: Mapping[EdgeType, Edges]
    predicates: Mapping[str, str] = field(default_factory=dict)
    report: DataReport = field(default_factory=DataReport, compare=False)
    origin: Origin | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        for (source, relation, target), edges in self.edges.items():
            for name, rows in ((source, edges.source), (target, edges.target)):
                if name not in self.nodes:
                    raise ValueError(f"edges {relation!r} name an unknown node type {name!r}")
                if len(rows) and not (rows.min() >= 0 and rows.max() < len(self.nodes[name])):
                    raise ValueError(f"edges {relation!r} point outside {name!r}")

    @property
    def node_count(self) -> int:
        return sum(len(nodes) for nodes in self.nodes.values())

    @property
    def edge_count(self) -> int:
        return sum(len(edges) for edges in self.edges.values())

    def to_hetero_data(self) -> HeteroData:
        """The graph for PyG; see ``kg.export.frameworks``."""
        from trefoil.kg.export.frameworks import to_hetero_data

        return to_hetero_data(self)

    def to_networkx(self) -> networkx.MultiDiGraph:
        """The graph for networkx; see ``kg.export.frameworks``."""
        from trefoil.kg.export.frameworks import to_networkx

        return to_networkx(self)

    def to_rdf(self, *, events: bool = False) -> rdflib.Graph:
        """The graph for rdflib; see ``kg.export.rdf``."""
        from trefoil.kg.export.rdf import to_rdf

        return to_rdf(self, events=events)
