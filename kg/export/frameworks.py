"""The graph as PyG's HeteroData and networkx's MultiDiGraph, with nothing lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from trefoil.kg.graph import KnowledgeGraph

if TYPE_CHECKING:
    import networkx
    from torch_geometric.data import HeteroData


def to_hetero_data(graph: KnowledgeGraph) -> HeteroData:
    """The graph for PyG: ``num_nodes`` by label, ``edge_index`` [2, edges] by edge type.

    Row numbers stay, and parallel edges stay parallel. ``node_id`` holds the ids
    (an array of text) and ``properties`` the property table of each node and
    edge type. A property of edges that is a number everywhere is also a tensor
    of its own name: ``data["User", "INTERACTED", "Item"].at``; a missing float is NaN.
    """
    import torch
    from torch_geometric.data import HeteroData

    data = HeteroData()
    for label, nodes in graph.nodes.items():
        store = data[label]
        store.num_nodes = len(nodes)
        store.node_id = np.array(nodes.vocabulary.ids, dtype=object)
        store.properties = nodes.properties
    for key, edges in graph.edges.items():
        store = data[key]
        pairs = np.stack([edges.source, edges.target]).astype(np.int64)
        store.edge_index = torch.from_numpy(pairs)
        for name in edges.properties.columns:
            column = edges.properties[name]
            if _tensor_name(name) and (values := _numbers(column)) is not None:
                store[name] = torch.from_numpy(values)
        store.properties = edges.properties
    data.predicates = dict(graph.predicates)
    return data


def _tensor_name(name: str) -> bool:
    taken = ("edge_index", "properties", "num_nodes", "num_edges", "size", "keys", "values")
    return name.isidentifier() and not name.startswith("_") and name not in taken


def _numbers(column: pl.Series) -> np.ndarray | None:
    """A column that torch can hold; None for text, or where whole numbers are missing."""
    if column.dtype.is_float():
        return column.fill_null(np.nan).to_numpy().copy()
    whole = column.dtype.is_integer() or column.dtype == pl.Boolean
    if not whole or column.null_count():
        return None
    return column.cast(pl.Boolean if column.dtype == pl.Boolean else pl.Int64).to_numpy().copy()


def to_networkx(graph: KnowledgeGraph) -> networkx.MultiDiGraph:
    """The graph for networkx. A node is ``(label, id)``; an edge has its type in ``type``.

    Properties sit under ``properties``, without those that are missing; the
    types of their columns are kept in ``graph.graph["schema"]``.
    """
    import networkx

    out = networkx.MultiDiGraph(
        predicates=dict(graph.predicates),
        schema={
            "nodes": {label: dict(part.properties.schema) for label, part in graph.nodes.items()},
            "edges": {key: dict(part.properties.schema) for key, part in graph.edges.items()},
        },
    )
    for label, part in graph.nodes.items():
        rows = zip(part.vocabulary.ids, _rows(part.properties, len(part)), strict=True)
        out.add_nodes_from(
            ((label, one), {"label": label, "id": one, "properties": properties})
            for one, properties in rows
        )
    for (source, relation, target), part in graph.edges.items():
        heads, tails = graph.nodes[source].vocabulary.ids, graph.nodes[target].vocabulary.ids
        rows = _rows(part.properties, len(part))
        ends = zip(part.source.tolist(), part.target.tolist(), rows, strict=True)
        out.add_edges_from(
            (
                ((source, heads[s]), (target, tails[t]), {"type": relation, "properties": values})
                for s, t, values in ends
            )
        )
    return out


def _rows(table: pl.DataFrame, size: int) -> list[dict[str, Any]]:
    """Each row without what is missing."""
    if not table.width:
        return [{} for _ in range(size)]
    return [{k: v for k, v in row.items() if v is not None} for row in table.to_dicts()]
