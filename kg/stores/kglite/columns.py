"""A graph as columns in one file: what was written, to the last bit and row.

The engine's file answers questions; these columns are what ``read`` and ``verify``
go by, and what a store is built from again when the engine cannot read its file.
"""

from __future__ import annotations

import io
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from trefoil.data.errors import StoreError
from trefoil.data.vocabulary import Vocabulary
from trefoil.kg.graph import Edges, KnowledgeGraph, Nodes
from trefoil.kg.stores.kglite.card import Card, Part
from trefoil.kg.stores.property_types import type_of


@dataclass(frozen=True)
class Columns:
    """The file of columns beside a card."""

    path: Path
    card: Card

    def graph(
        self,
        labels: Collection[str],
        types: Collection[str],
        properties: Collection[str] | None = None,
    ) -> KnowledgeGraph:
        """The part of the graph with these labels, relationship types and properties.

        Raises StoreError where the file is damaged.
        """
        try:
            with self.path.open("rb") as file:
                nodes = {
                    label: self._nodes(file, self.card.nodes[label], properties) for label in labels
                }
                edges = {
                    ends: self._edges(file, part, properties)
                    for ends, part in self.card.edges.items()
                    if ends[1] in types and ends[0] in nodes and ends[2] in nodes
                }
        except (OSError, pl.exceptions.PolarsError, ValueError, IndexError) as fault:
            raise StoreError(f"{self.path}: damaged ({fault}); write the graph again") from fault
        return KnowledgeGraph(nodes, edges, self.card.predicates)

    def _nodes(self, file: io.BufferedReader, part: Part, wanted: Collection[str] | None) -> Nodes:
        table = _table(file, part)
        ids = Vocabulary(table.to_series(0).to_list())
        return Nodes(ids, _properties(table, part, 1, wanted))

    def _edges(self, file: io.BufferedReader, part: Part, wanted: Collection[str] | None) -> Edges:
        table = _table(file, part)
        source, target = (table.to_series(k).to_numpy() for k in (0, 1))
        return Edges(source, target, _properties(table, part, 2, wanted))


def _table(file: io.BufferedReader, part: Part) -> pl.DataFrame:
    file.seek(part.at)
    return pl.read_ipc_stream(io.BytesIO(file.read(part.size)))


def _properties(
    table: pl.DataFrame, part: Part, first: int, wanted: Collection[str] | None
) -> pl.DataFrame:
    found = table.get_columns()[first:]
    return pl.DataFrame(
        [
            column.cast(type_of(kind)).alias(name)
            for column, (name, kind) in zip(found, part.properties.items(), strict=True)
            if wanted is None or name in wanted
        ]
    )


def write_columns(graph: KnowledgeGraph, path: Path) -> tuple[Mapping, Mapping]:
    """Write the file; the parts of nodes and of edges, each with its place in it."""
    nodes, edges = {}, {}
    with path.open("wb") as file:
        for label, some in graph.nodes.items():
            ids = pl.Series("id", some.vocabulary.ids, dtype=pl.String)
            nodes[label] = _written(file, [ids], some.properties, len(some))
        for ends, some in graph.edges.items():
            rows = [pl.Series("s", some.source), pl.Series("t", some.target)]
            edges[ends] = _written(file, rows, some.properties, len(some))
    return nodes, edges


def check_integers(graph: KnowledgeGraph) -> None:
    """Raises OverflowError for a property with integers that the engine has no type for."""
    for part in (*graph.nodes.values(), *graph.edges.values()):
        for name, column in part.properties.to_dict().items():
            numbers = column.explode() if isinstance(column.dtype, pl.List) else column
            if numbers.dtype == pl.UInt64 and int(numbers.max() or 0) >= 2**63:  # type: ignore[arg-type]
                raise OverflowError(f"property {name!r} holds integers from 2⁶³ up")


def _written(
    file: io.BufferedWriter, first: list[pl.Series], properties: pl.DataFrame, rows: int
) -> Part:
    part = Part.of(properties, rows)
    columns = [properties[name].cast(type_of(kind)) for name, kind in part.properties.items()]
    named = [column.alias(str(k)) for k, column in enumerate([*first, *columns])]
    at, buffer = file.tell(), io.BytesIO()
    pl.DataFrame(named).write_ipc_stream(buffer, compression="zstd")
    file.write(buffer.getvalue())
    return Part(part.properties, rows, at, file.tell() - at)
