"""Labels, relationship types and properties of a Neo4j database, by passes over it."""

from __future__ import annotations

from collections.abc import Mapping

from trefoil.kg.graph import EdgeType
from trefoil.kg.stores.base import Schema
from trefoil.kg.stores.neo4j.homes import Homes
from trefoil.kg.stores.neo4j.manifest import KEY, LABEL, Card
from trefoil.kg.stores.neo4j.pages import Run


def schema_of(run: Run, card: Card) -> Schema:
    """What there is; types of properties are known where Trefoil wrote them."""
    homes = Homes.of(run("MATCH (n) RETURN labels(n), count(*)"), card, None)
    names: dict[str, dict[str, str]] = {home: {} for home in homes.order}
    for labels, key in run(
        f"MATCH (n) WHERE NOT n:{LABEL} WITH labels(n) AS l, keys(n) AS ks"
        " WITH DISTINCT l, ks UNWIND ks AS k RETURN DISTINCT l, k"
    ):
        names[homes.sets[tuple(labels)]][key] = ""
    found = {}
    for home, there in names.items():
        written = card.nodes.get(home)
        own = there | dict(written) if written else dict(sorted(there.items()))
        found[home] = {"id": "string"} | own
    ends: dict[EdgeType, Mapping[str, str]] = {}
    for source, type, target in run(
        "MATCH (a)-[r]->(b) WITH DISTINCT labels(a) AS a, type(r) AS t, labels(b) AS b"
        " RETURN a, t, b ORDER BY a, t, b"
    ):
        pair = homes.sets.get(tuple(source)), homes.sets.get(tuple(target))
        if pair[0] is not None and pair[1] is not None:
            ends[pair[0], type, pair[1]] = {}
    ends |= card.edges
    kept = {e: {k: t for k, t in types.items() if k != KEY} for e, types in ends.items()}
    return Schema(found, kept)
