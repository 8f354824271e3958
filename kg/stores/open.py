"""A graph store by its address: a run folder, an embedded store, a Neo4j server."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from trefoil.kg.graph import KnowledgeGraph
from trefoil.kg.stores.base import GraphStore


def open_store(target: str | Path, *, read_only: bool = True) -> GraphStore:
    """Open the graph of a run folder, an embedded store's own path, or a Neo4j server.

    A URI (``neo4j://``, ``bolt://``, each also with ``+s`` or ``+ssc``) takes
    user, password and database from ``NEO4J_USERNAME``, ``NEO4J_PASSWORD`` and
    ``NEO4J_DATABASE``. Raises StoreError if there is nothing to open, and DataError
    where the manifest of a run says that its graph has changed.
    """
    if "://" in str(target):
        from trefoil.kg.stores.neo4j.store import Neo4jStore

        return Neo4jStore(str(target), read_only=read_only)
    from trefoil.kg.stores.embedded.store import EmbeddedStore

    return EmbeddedStore(target, read_only=read_only)


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

    with Neo4jStore(uri, database=database, auth=auth) as store:
        return store.read(
            labels=labels,
            relationships=relationships,
            properties=properties,
            key=key,
            likely=likely,
            deny=deny,
        )
