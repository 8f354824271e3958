"""What Trefoil wrote into a Neo4j database: property types and IRIs that Neo4j does not keep.

It is the text of one node with the label ``_Trefoil``, merged with each write.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import polars as pl

from trefoil.kg.graph import EdgeType, KnowledgeGraph
from trefoil.kg.stores.property_types import type_name

LABEL = "_Trefoil"
KEY = "_key"  # tells parallel edges apart, hidden from readers

Types = Mapping[str, str]
K = TypeVar("K")


@dataclass(frozen=True)
class Card:
    nodes: Mapping[str, Types] = field(default_factory=dict)
    edges: Mapping[EdgeType, Types] = field(default_factory=dict)
    predicates: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, graph: KnowledgeGraph) -> Card:
        """Raises StoreError if a property has a type that cannot be kept."""

        def types(properties: pl.DataFrame) -> Types:
            return {name: type_name(dtype, name) for name, dtype in properties.schema.items()}

        return cls(
            {label: types(part.properties) for label, part in graph.nodes.items()},
            {ends: types(part.properties) for ends, part in graph.edges.items()},
            dict(graph.predicates),
        )

    def merged(self, later: Card) -> Card:
        """Both; where they disagree on a type, the later write counts."""
        return Card(
            _both(self.nodes, later.nodes),
            _both(self.edges, later.edges),
            {**self.predicates, **later.predicates},
        )

    def text(self) -> str:
        edges = [[*ends, dict(types)] for ends, types in self.edges.items()]
        return json.dumps(
            {"nodes": self.nodes, "edges": edges, "predicates": self.predicates}, ensure_ascii=False
        )

    @classmethod
    def parse(cls, text: str | None) -> Card:
        """An empty card where there is no text, or none that can be read."""
        try:
            parts = json.loads(text or "{}")
            edges = {(s, r, t): types for s, r, t, types in parts.get("edges", [])}
            return cls(parts.get("nodes", {}), edges, parts.get("predicates", {}))
        except (ValueError, TypeError, AttributeError):
            return cls()


def _both(one: Mapping[K, Types], other: Mapping[K, Types]) -> dict[K, Types]:
    return {
        key: {**one.get(key, {}), **other.get(key, {})} for key in dict.fromkeys([*one, *other])
    }
