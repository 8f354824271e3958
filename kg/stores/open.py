"""A graph store by its address: a run folder, an embedded store, a Neo4j server.

Two engines keep a graph beside a run. kglite answers Cypher as people write it for
Neo4j and holds the graph in memory; LadybugDB answers from disk, for graphs that are
too large for that. Which one a folder holds is seen from its files.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from trefoil.data.errors import StoreError
from trefoil.data.given import given, path_of
from trefoil.data.progress import Progress
from trefoil.kg.cypher.names import quoted
from trefoil.kg.graph import KnowledgeGraph
from trefoil.kg.stores.base import GraphStore
from trefoil.kg.stores.property_types import type_name

MOST_IN_MEMORY = 1_500_000  # nodes and edges of a graph that kglite keeps: about 0.3 GB


def open_store(target: str | Path, *, read_only: bool = True) -> GraphStore:
    """Open the graph of a run folder, an embedded store's own path, or a Neo4j server.

    A URI (``neo4j://``, ``bolt://``, each also with ``+s`` or ``+ssc``) takes
    user, password and database from ``NEO4J_USERNAME``, ``NEO4J_PASSWORD`` and
    ``NEO4J_DATABASE``. Raises StoreError if there is nothing to open, and DataError
    where the manifest of a run says that its graph has changed.
    """
    if not isinstance(target, str):
        target = path_of("graph", target)
    if "://" in str(target):
        from trefoil.kg.stores.neo4j.store import Neo4jStore

        return Neo4jStore(str(target), read_only=read_only)
    from trefoil.kg.stores.embedded.store import EmbeddedStore, has_store
    from trefoil.kg.stores.kglite.store import KgliteStore

    if has_store(Path(target)):
        return EmbeddedStore(target, read_only=read_only)
    return KgliteStore(target, read_only=read_only)


def check_kept(graph: KnowledgeGraph) -> None:
    """Whether a store can keep a graph, before the work that would be lost if not.

    Raises StoreError for a name or a property type that no store keeps.
    """
    parts = {f"label {label!r}": (label, part) for label, part in graph.nodes.items()}
    parts |= {f"relationship type {ends[1]!r}": (ends[1], p) for ends, p in graph.edges.items()}
    for place, (name, part) in parts.items():
        quoted(name)
        for property, dtype in part.properties.schema.items():
            quoted(property)
            try:
                type_name(dtype, property)
            except StoreError as fault:
                raise StoreError(f"{place}: {fault}") from None


def write_graph(
    graph: KnowledgeGraph,
    path: str | Path,
    *,
    progress: Progress | None = None,
    most_in_memory: int = MOST_IN_MEMORY,
) -> None:
    """Write a graph as a store folder, for the engine that suits its size.

    A graph of up to ``most_in_memory`` nodes and edges is kept for kglite, a larger one
    for LadybugDB; so is one with integers from 2⁶³ up. Raises StoreError for names and
    values that neither keeps.
    """
    from trefoil.kg.stores.embedded.bulk_load import write_embedded
    from trefoil.kg.stores.kglite.store import write_kglite

    if graph.node_count + graph.edge_count <= most_in_memory:
        try:
            return write_kglite(graph, path, progress=progress)
        except StoreError as fault:
            if not isinstance(fault.__cause__, OverflowError):
                raise
    return write_embedded(graph, path, progress=progress)


def read_neo4j(
    uri: str,
    *,
    labels: Collection[str] | None = None,
    relationships: Collection[str] | None = None,
    properties: Collection[str] | None = None,
    key: str | Mapping[str, str] | None = None,
    likely: Mapping[str, str] | None = None,
    deny: Collection[str] = (),
    database: str | None = None,
    auth: tuple[str, str] | None = None,
) -> KnowledgeGraph:
    """The graph in a Neo4j database, or the part with these labels, types and properties.

    Rows are numbered in order of id. A node with several labels belongs to the first one
    asked for, else the one that most nodes bear; all of them stand in its property
    ``labels``. ``key`` is the property that holds ids, for all labels or by label; without
    it the one in ``likely`` for this label, else the one that a uniqueness constraint
    names, else ``id``; a node without it gets an id made from its element id. Relationship
    types in ``deny`` are left out. What no graph store keeps becomes ISO text, which
    ``report`` counts. Raises StoreError if the server cannot be reached, a name is not
    there, or an id occurs twice.
    """
    from trefoil.kg.stores.neo4j.store import Neo4jStore

    uri = given("uri", uri, str, "give the address of a server, such as neo4j://localhost")
    with Neo4jStore(uri, database=database, auth=auth) as store:
        return store.read(
            labels=labels,
            relationships=relationships,
            properties=properties,
            key=key,
            likely=likely,
            deny=deny,
        )
