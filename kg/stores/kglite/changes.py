"""What statements have made of a graph: counted, checked and read back from the engine."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import polars as pl

from trefoil.data.errors import StoreError
from trefoil.data.vocabulary import Vocabulary
from trefoil.kg.cypher.names import quoted
from trefoil.kg.graph import Edges, EdgeType, KnowledgeGraph, Nodes
from trefoil.kg.stores.kglite.card import Card, Part
from trefoil.kg.stores.kglite.engine import Engine
from trefoil.kg.stores.kglite.names import (
    ID,
    SECOND_ID,
    quoted_kind,
    shown,
    shown_kind,
    stored_kind,
)
from trefoil.kg.stores.property_types import type_name, type_of


def counts(engine: Engine, card: Card) -> list[str]:
    """Where the engine holds more or fewer nodes or edges than the card says, in words."""
    nodes, edges = held(engine)
    said = {f"(:{label})": part.rows for label, part in card.nodes.items()}
    said |= {_arrow(ends): part.rows for ends, part in card.edges.items()}
    found = {f"(:{label})": rows for label, rows in nodes.items()}
    found |= {_arrow(ends): rows for ends, rows in edges.items()}
    return [
        f"{name}: {said.get(name, 0)} written, {found.get(name, 0)} in the engine"
        for name in dict.fromkeys([*said, *found])
        if said.get(name, 0) != found.get(name, 0)
    ]


def _arrow(ends: EdgeType) -> str:
    return "(:{})-[:{}]->(:{})".format(*ends)


def held(engine: Engine) -> tuple[dict[str, int], dict[EdgeType, int]]:
    """How many nodes of each label and edges of each kind the engine holds."""
    nodes = engine.run("MATCH (n) RETURN labels(n)[0] AS label, count(*) AS n").to_list()
    edges = engine.run(
        "MATCH (a)-[r]->(b)"
        " RETURN labels(a)[0] AS s, type(r) AS r, labels(b)[0] AS t, count(*) AS n"
    ).to_list()
    kinds = [(shown_kind(row["s"]), shown_kind(row["r"]), shown_kind(row["t"])) for row in edges]
    return (
        {shown_kind(row["label"]): row["n"] for row in nodes},
        {ends: row["n"] for ends, row in zip(kinds, edges, strict=True)},
    )


def changed_card(engine: Engine, card: Card) -> Card:
    """The card of the graph as it is now: old labels and types first, with their properties.

    Raises StoreError for a node that has no text as its ``id``, or two of one id.
    """
    nodes, edges = held(engine)
    for label in nodes:
        _check_ids(engine, label)
    labels = [*card.nodes, *(label for label in nodes if label not in card.nodes)]
    kinds = [*card.edges, *(ends for ends in edges if ends not in card.edges)]
    new_nodes = {
        label: Part(
            _properties(
                engine, f"MATCH (n:{quoted_kind(label)})", card.nodes.get(label), of_node=True
            ),
            nodes.get(label, 0),
        )
        for label in labels
    }
    new_edges = {
        ends: Part(
            _properties(engine, "MATCH (:{})-[n:{}]->(:{})".format(*map(quoted_kind, ends)), part),
            edges.get(ends, 0),
        )
        for ends, part in ((ends, card.edges.get(ends)) for ends in kinds)
    }
    return Card(new_nodes, new_edges, card.predicates, changed=True)


def _check_ids(engine: Engine, label: str) -> None:
    name = quoted_kind(label)
    wrong = engine.run(
        f"MATCH (n:{name}) WHERE n.`{ID}` IS NULL OR n.`{ID}` <> toString(n.`{ID}`)"
        f" RETURN n.`{ID}` AS id LIMIT 1"
    ).to_list()
    if wrong:
        raise StoreError(
            f"a node (:{label}) has {wrong[0]['id']!r} as its id; every node needs a text of its"
            f" own: CREATE (:{label} {{id: '...'}}); nothing was changed"
        )
    twice = engine.run(
        f"MATCH (n:{name}) WITH n.`{ID}` AS id, count(*) AS n WHERE n > 1 RETURN id LIMIT 1"
    ).to_list()
    if twice:
        raise StoreError(
            f"two nodes (:{label}) have the id {twice[0]['id']!r}; nothing was changed"
        )


def read_back(
    engine: Engine,
    card: Card,
    labels: Collection[str],
    types: Collection[str],
    properties: Collection[str] | None,
) -> KnowledgeGraph:
    """The part of the graph with these labels, types and properties, in order of number."""
    nodes, places = {}, {}
    for label in labels:
        some = _nodes(engine, label)
        places |= {node["id"]: k for k, node in enumerate(some)}
        found = [node["properties"] for node in some]
        ids = [str(row.pop("id")) for row in found]
        for row in found:  # a property of that name, which questions do not see
            if shown(SECOND_ID) in row:
                row["id"] = row.pop(shown(SECOND_ID))
        nodes[label] = Nodes(Vocabulary(ids), _frame(found, card.nodes[label], properties))
    edges = {}
    for ends, part in card.edges.items():
        if ends[1] in types and ends[0] in nodes and ends[2] in nodes:
            pairs, found = _edge_rows(engine, ends)
            rows = np.array([[places[s], places[t]] for s, t in pairs], np.int64).reshape(-1, 2)
            edges[ends] = Edges(
                rows[:, 0].copy(), rows[:, 1].copy(), _frame(found, part, properties)
            )
    return KnowledgeGraph(nodes, edges, card.predicates)


def _nodes(engine: Engine, label: str) -> list[dict[str, Any]]:
    """All nodes whose first label this is, in order of the engine's numbers."""
    found = engine.run(f"MATCH (n:{quoted_kind(label)}) RETURN n").to_list()
    nodes = [engine.clean(row["n"]) for row in found]
    return sorted((n for n in nodes if n["labels"][:1] == [label]), key=lambda n: n["id"])


def _edge_rows(
    engine: Engine, ends: EdgeType
) -> tuple[list[tuple[int, int]], list[dict[str, Any]]]:
    source, relation, target = ends
    found = engine.run(
        f"MATCH (a:{quoted_kind(source)})-[r:{quoted_kind(relation)}]->(b:{quoted_kind(target)})"
        " WHERE labels(a)[0] = $s AND labels(b)[0] = $t RETURN r",
        {"s": stored_kind(source), "t": stored_kind(target)},
    ).to_list()
    edges = sorted((engine.clean(row["r"]) for row in found), key=lambda edge: edge["id"])
    return [(edge["start"], edge["end"]) for edge in edges], [e["properties"] for e in edges]


def _properties(
    engine: Engine, match: str, before: Part | None, *, of_node: bool = False
) -> dict[str, str]:
    """Properties with their types: those of before as declared, new ones by their values."""
    kinds = dict(before.properties) if before else {}
    keys = engine.run(f"{match} UNWIND keys(n) AS key RETURN DISTINCT key").to_list()
    for key in sorted(row["key"] for row in keys):
        name = shown(key)
        if name is None or name in kinds or (of_node and key in (ID, SECOND_ID)):
            continue
        rows = engine.run(f"{match} RETURN n.{quoted(key)} AS v").to_list()
        found = [{name: engine.clean(row["v"])} for row in rows]
        kinds[name] = type_name(_column(name, found, None).dtype, name)
    return kinds


def _frame(found: list[dict[str, Any]], part: Part, wanted: Collection[str] | None) -> pl.DataFrame:
    return pl.DataFrame(
        [
            _column(name, found, kind)
            for name, kind in part.properties.items()
            if wanted is None or name in wanted
        ]
    )


def _column(name: str, found: list[dict[str, Any]], declared: str | None) -> pl.Series:
    values = [row.get(name) for row in found]
    if declared is not None:
        dtype = type_of(declared)
        try:
            if dtype == pl.Binary:
                values = [None if value is None else bytes.fromhex(value) for value in values]
            return pl.Series(name, values, dtype=dtype)
        except (TypeError, ValueError, OverflowError, pl.exceptions.PolarsError):
            pass
    try:
        return pl.Series(name, values)
    except (TypeError, OverflowError, pl.exceptions.PolarsError):
        return pl.Series(name, [None if v is None else str(v) for v in values], dtype=pl.String)
