"""The graph as PyG's HeteroData and networkx's MultiDiGraph, and back, with nothing lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from trefoil.data.errors import GraphDataError
from trefoil.data.vocabulary import Vocabulary
from trefoil.kg.graph import Edges, EdgeType, KnowledgeGraph, Nodes

if TYPE_CHECKING:
    import networkx
    from torch_geometric.data import HeteroData

RELATED_TO = "RELATED_TO"


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


def from_hetero_data(data: HeteroData) -> KnowledgeGraph:
    """The graph behind a HeteroData, ours or another's: without ``node_id``, rows are ids."""
    nodes, edges = {}, {}
    for label in data.node_types:
        store = data[label]
        ids = store["node_id"] if "node_id" in store else map(str, range(int(store.num_nodes or 0)))
        table = store["properties"] if "properties" in store else pl.DataFrame()
        nodes[label] = Nodes(Vocabulary(str(one) for one in ids), table)
    for key in data.edge_types:
        store = data[key]
        source, target = store.edge_index.cpu().numpy().astype(np.int64)
        table = store["properties"] if "properties" in store else pl.DataFrame()
        edges[key] = Edges(source, target, table)
    predicates = data.predicates if "predicates" in data else {}
    return KnowledgeGraph(nodes, edges, dict(predicates))


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


def from_networkx(graph: networkx.Graph) -> KnowledgeGraph:
    """The graph behind a networkx graph, ours or another's.

    Another's nodes have their text as id and ``label`` (or ``type``) as label,
    else ``Entity``; its edges have ``type`` (or ``relation``) as type, else
    ``RELATED_TO``, and an undirected one goes one way. Other attributes become
    properties. Raises GraphDataError where two nodes have the same label and id.
    """
    schema = graph.graph.get("schema", {"nodes": {}, "edges": {}})
    place: dict[Any, tuple[str, int]] = {}
    ids: dict[str, list[str]] = {label: [] for label in schema["nodes"]}
    tables: dict[str, list[Mapping]] = {label: [] for label in schema["nodes"]}
    for node, held in graph.nodes(data=True):
        label = str(held.get("label") or held.get("type") or "Entity")
        members = ids.setdefault(label, [])
        place[node] = label, len(members)
        members.append(str(held.get("id", node)))
        tables.setdefault(label, []).append(_properties(held, ("label", "type", "id")))
    ends: dict[EdgeType, list[tuple[int, int]]] = {key: [] for key in schema["edges"]}
    said: dict[EdgeType, list[Mapping]] = {key: [] for key in schema["edges"]}
    for source, target, held in graph.edges(data=True):
        relation = str(held.get("type") or held.get("relation") or RELATED_TO)
        key = (place[source][0], relation, place[target][0])
        ends.setdefault(key, []).append((place[source][1], place[target][1]))
        said.setdefault(key, []).append(_properties(held, ("type", "relation")))
    nodes = {label: _nodes(label, ids[label], tables[label], schema["nodes"]) for label in ids}
    edges = {}
    for key, pairs in ends.items():
        source, target = np.array(pairs, np.int64).reshape(-1, 2).T.copy()
        edges[key] = Edges(source, target, _table(said[key], schema["edges"].get(key)))
    return KnowledgeGraph(nodes, edges, dict(graph.graph.get("predicates", {})))


def _properties(held: Mapping[str, Any], taken: Sequence[str]) -> Mapping[str, Any]:
    if "properties" in held:
        return held["properties"]
    return {str(name): value for name, value in held.items() if name not in taken}


def _nodes(label: str, ids: Sequence[str], rows: Sequence[Mapping], schemas: Mapping) -> Nodes:
    try:
        vocabulary = Vocabulary(ids)
    except ValueError as fault:
        raise GraphDataError(f"nodes labelled {label!r}: {fault}; give them distinct ids") from None
    return Nodes(vocabulary, _table(rows, schemas.get(label)))


def _table(rows: Sequence[Mapping], schema: Mapping[str, pl.DataType] | None) -> pl.DataFrame:
    names = schema if schema is not None else dict.fromkeys(name for row in rows for name in row)
    columns = []
    for name in names:
        values = [row.get(name) for row in rows]
        columns.append(_series(name, values, schema[name] if schema is not None else None))
    return pl.DataFrame(columns)


def _series(name: str, values: list[Any], dtype: pl.DataType | None) -> pl.Series:
    if isinstance(dtype, pl.Datetime) and dtype.time_zone:
        utc = pl.Series(name, values, dtype=pl.Datetime(dtype.time_unit, "UTC"))
        return utc.dt.convert_time_zone(dtype.time_zone)
    if dtype is not None:
        return pl.Series(name, values, dtype=dtype)
    try:
        return pl.Series(name, values)
    except (TypeError, pl.exceptions.PolarsError, OverflowError):
        return pl.Series(name, [None if v is None else str(v) for v in values], dtype=pl.String)
