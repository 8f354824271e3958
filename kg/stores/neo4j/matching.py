"""A graph that was read from a database, written back into the nodes that it came from.

What is there is read first, so that only what differs is sent: nothing is doubled, and a
value that our columns cannot hold (a point, nanoseconds) is not touched unless it was changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from trefoil.data.errors import StoreError
from trefoil.kg.cypher.names import quoted
from trefoil.kg.graph import LABELS, MADE_UP, EdgeType, Key, KnowledgeGraph, Nodes, Origin
from trefoil.kg.stores.neo4j.homes import ID
from trefoil.kg.stores.neo4j.manifest import Card
from trefoil.kg.stores.neo4j.reader import OTHER_ID, Neo4jReader
from trefoil.kg.stores.neo4j.writer import BATCH, sendable_rows

Statement = tuple[str, dict[str, Any]]


def is_ours(graph: KnowledgeGraph, database: str, card: Card) -> bool:
    """Whether a graph goes by its ids: of no database, of another, or of labels that we wrote."""
    origin = graph.origin
    if origin is None or origin.database != database:
        return True
    return not _renamed(graph, origin) and set(graph.nodes) <= set(card.nodes)


def _renamed(graph: KnowledgeGraph, origin: Origin) -> dict[str, str]:
    """Node types that a run calls otherwise than its database does, with the label there."""
    keys = ((name, origin.keys.get(name)) for name in graph.nodes)
    return {name: key.label for name, key in keys if key is not None and key.label != name}


def changes(graph: KnowledgeGraph, reader: Neo4jReader, batch: int = BATCH) -> Iterator[Statement]:
    """Statements, nodes first, that make the database say what the graph says.

    ``reader`` reads the labels and types of the graph. Nodes that are not there are made
    by their key. Raises StoreError for nodes with made-up ids that are not there, for the
    graph of a run, and where parallel relationships cannot be told apart.
    """
    origin = graph.origin
    assert origin is not None
    for name, label in _renamed(graph, origin).items():
        raise StoreError(
            f"this is the graph of a run, whose {name} nodes are {label} nodes of the "
            "database: write the graph as it was read, or recommendations with write_to"
        )
    there = reader.graph()
    elements = dict(reader.found)
    for name, nodes in graph.nodes.items():
        key = origin.keys.get(name, Key(name, ID))
        held = there.nodes.get(name)
        yield from _node_changes(name, nodes, held, elements.get(name, []), key, batch)
    for ends in graph.edges:
        yield from _edge_changes(graph, there, ends, origin, batch)


def _node_changes(
    name: str, nodes: Nodes, there: Nodes | None, elements: list[str], key: Key, batch: int
) -> Iterator[Statement]:
    own = (LABELS, OTHER_ID, key.property or ID)
    frame = _frame(nodes).with_row_index("row")
    known = pl.DataFrame({"id": [], "element": []}, schema={"id": pl.String, "element": pl.String})
    before = known
    if there is not None:
        known = pl.DataFrame({"id": pl.Series(there.vocabulary.ids, dtype=pl.String)})
        known = known.with_columns(element=pl.Series(elements, dtype=pl.String))
        before = _frame(there)
    fresh = frame.join(known, on="id", how="anti", maintain_order="left")
    if lost := next((one for one in fresh["id"] if one.startswith(MADE_UP)), None):
        raise StoreError(
            f"{name} {lost} is not in the database any more, and its id was made up: read the "
            "graph again before writing, or name a key when reading"
        )
    if len(fresh):
        extra = [c for c in fresh.columns if c not in ("row", "id", *own)]
        create = (
            f"UNWIND $rows AS row MERGE (n:{quoted(name)} {{{quoted(key.property or ID)}: row.id}})"
            " SET n += row.p"
        )
        ids = [key.value(one) for one in fresh["id"]]
        yield from _sent(create, fresh.select(extra), {"id": ids}, batch)
    both = frame.join(known, on="id", how="inner", maintain_order="left")
    for column in (c for c in frame.columns if c not in ("row", "id", *own)):
        pair = both.select("id", "element", column)
        if column in before.columns:
            old = before.select("id", pl.col(column).alias("old"))
            pair = pair.join(old, on="id", how="left", maintain_order="left")
            if pair["old"].dtype == pair[column].dtype:
                pair = pair.filter(pl.col(column).ne_missing(pl.col("old")))
        else:
            pair = pair.filter(pl.col(column).is_not_null())
        change = "UNWIND $rows AS row MATCH (n) WHERE elementId(n) = row.id SET n += row.p"
        yield from _sent(change, pair.select(column), {"id": pair["element"].to_list()}, batch)


def _edge_changes(
    graph: KnowledgeGraph, there: KnowledgeGraph, ends: EdgeType, origin: Origin, batch: int
) -> Iterator[Statement]:
    new = _edge_frame(graph, ends)
    old = _edge_frame(there, ends) if ends in there.edges else new.clear()
    names = sorted({*new.columns, *old.columns} - {"s", "t"})
    new, old = (_numbered(frame, names) for frame in (new, old))
    every = ["s", "t", *names, "number"]
    try:
        more = new.join(old, on=every, how="anti", nulls_equal=True)
        less = old.join(new, on=every, how="anti", nulls_equal=True)
    except pl.exceptions.PolarsError as fault:
        raise StoreError(f"{'-'.join(ends)}: properties changed their type ({fault})") from fault
    changed = more.join(less, on=["s", "t"], how="semi")
    parallel = old.group_by("s", "t").len().filter(pl.col("len") > 1)
    if len(twice := changed.join(parallel, on=["s", "t"], how="semi")):
        raise StoreError(
            f"{ends[0]} {twice['s'][0]} and {ends[2]} {twice['t'][0]} are joined by several "
            f"{ends[1]} relationships, and which of them changed cannot be told"
        )
    source, target = (origin.keys.get(name, Key(name, ID)) for name in (ends[0], ends[2]))
    match = (
        f"UNWIND $rows AS row MATCH (a:{quoted(ends[0])}) WHERE {_found('a', source, 'row.s')}"
        f" MATCH (b:{quoted(ends[2])}) WHERE {_found('b', target, 'row.t')}"
    )
    type = quoted(ends[1])
    for part, act in (
        (more.join(less, on=["s", "t"], how="anti"), f" CREATE (a)-[r:{type}]->(b) SET r = row.p"),
        (changed, f" MATCH (a)-[r:{type}]->(b) SET r += row.p"),
    ):
        given = {"s": list(map(source.value, part["s"])), "t": list(map(target.value, part["t"]))}
        yield from _sent(match + act, part.select(names), given, batch)


def _found(variable: str, key: Key, value: str) -> str:
    if key.property is None:
        return f"elementId({variable}) = substring({value}, {len(MADE_UP)})"
    return f"{variable}.{quoted(key.property)} = {value}"


def _frame(nodes: Nodes) -> pl.DataFrame:
    ids = pl.Series("id", nodes.vocabulary.ids, dtype=pl.String)
    properties = nodes.properties.select(c for c in nodes.properties.columns if c != "id")
    return pl.DataFrame([ids, *properties.get_columns()])


def _edge_frame(graph: KnowledgeGraph, ends: EdgeType) -> pl.DataFrame:
    edges = graph.edges[ends]
    ids = [pl.Series(graph.nodes[name].vocabulary.ids, dtype=pl.String) for name in ends[::2]]
    source = ids[0].gather(edges.source).alias("s")
    return pl.DataFrame([source, ids[1].gather(edges.target).alias("t"), *edges.properties])


def _numbered(frame: pl.DataFrame, names: list[str]) -> pl.DataFrame:
    """All properties, and which of several equal ones each row is."""
    missing = [pl.lit(None).alias(name) for name in names if name not in frame.columns]
    frame = frame.with_columns(missing)
    return frame.with_columns(number=pl.int_range(pl.len()).over("s", "t", *names))


def _sent(
    statement: str, frame: pl.DataFrame, given: Mapping[str, list[Any]], batch: int
) -> Iterator[Statement]:
    """A statement for each batch of rows, properties as ``row.p``."""
    size = len(next(iter(given.values())))
    for start in range(0, size, batch):
        properties = sendable_rows(frame[start : start + batch], min(batch, size - start))
        rows = [
            {"p": p} | {name: values[start + at] for name, values in given.items()}
            for at, p in enumerate(properties)
        ]
        yield statement, {"rows": rows}
