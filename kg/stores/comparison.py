"""When two graphs are equal: the same nodes, edges and properties, in whatever order."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np
import polars as pl

from trefoil.kg.graph import EdgeType, KnowledgeGraph
from trefoil.kg.stores.property_types import type_name, type_of

Digest = dict[str, tuple[int, str]]


def digest(graph: KnowledgeGraph) -> Digest:
    """Count and hash of each node and edge type, independent of the order of rows.

    A node counts by id and properties, an edge by the ids of its ends and
    properties; parallel edges count each. Hashes hold within one version of
    polars, in any process.
    """
    out: Digest = {}
    ids = {
        label: pl.Series(part.vocabulary.ids, dtype=pl.String)
        for label, part in graph.nodes.items()
    }
    for label, part in graph.nodes.items():
        out[f"(:{label})"] = (len(part), _hash([ids[label]], part.properties))
    for (source, relation, target), part in graph.edges.items():
        ends = [ids[source].gather(part.source), ids[target].gather(part.target)]
        name = f"(:{source})-[:{relation}]->(:{target})"
        out[name] = (len(part), _hash(ends, part.properties))
    return out


def differences(one: KnowledgeGraph, other: KnowledgeGraph) -> list[str]:
    """What differs, in words; empty where the graphs are equal."""
    left, right = digest(one), digest(other)
    out = []
    for name in dict.fromkeys([*left, *right]):
        a, b = left.get(name), right.get(name)
        if a is None or b is None:
            out.append(f"{name}: only in the {'second' if a is None else 'first'} graph")
        elif a[0] != b[0]:
            out.append(f"{name}: {a[0]} against {b[0]}")
        elif a != b:
            out.append(f"{name}: {a[0]} each, but their ends or properties differ")
    if dict(one.predicates) != dict(other.predicates):
        out.append("the IRIs of the relationship types differ")
    return out


def occurrence(type: EdgeType, graph: KnowledgeGraph) -> np.ndarray:
    """For each edge, how many earlier ones of its type join the same two nodes: 0, 1, ...

    It tells parallel edges apart, and does not change when other pairs of
    nodes gain or lose edges.
    """
    edges = graph.edges[type]
    frame = pl.DataFrame({"s": edges.source, "t": edges.target})
    return frame.select(pl.int_range(pl.len()).over("s", "t")).to_series().to_numpy()


def _hash(keys: Iterable[pl.Series], properties: pl.DataFrame) -> str:
    columns = [key.alias(f"key {i}") for i, key in enumerate(keys)]
    names = sorted(properties.columns)
    kinds = [(name, type_name(properties.schema[name], name)) for name in names]
    columns += [properties[name].cast(type_of(kind)) for name, kind in kinds]
    whole = hashlib.sha256(repr(kinds).encode())
    whole.update(np.sort(pl.DataFrame(columns).hash_rows(seed=1).to_numpy()).tobytes())
    return whole.hexdigest()
