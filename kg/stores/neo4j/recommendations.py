"""Recommendations as relationships of a database, between nodes that are there already."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import polars as pl

from trefoil.data.errors import StoreError
from trefoil.data.neo4j.server import Neo4jServer
from trefoil.kg.cypher.names import quoted
from trefoil.kg.graph import MADE_UP, Key
from trefoil.kg.stores.neo4j.pages import node_pages
from trefoil.kg.stores.written import Written

BY = "trefoil"  # what tells our relationships from others of their type
BATCH = 10_000


def write_recommendations(
    server: Neo4jServer,
    table: pl.DataFrame,
    relationship: str,
    users: Key,
    items: Sequence[Key],
    run: str,
    at: dt.datetime,
    whole: bool,
) -> Written:
    """A relationship for each row of user, item, rank, score and reason.

    Those of an earlier writing go: of the users in the table, with ``whole`` of all. Users
    are written a batch at a time, each batch in one transaction, so that nobody is ever
    without a list or has two. Raises StoreError where relationships of this type were
    written by others, or no pair has both its nodes.
    """
    type = quoted(relationship)
    others = f"MATCH ()-[r:{type}]->() WHERE r.by IS NULL OR r.by <> $by RETURN count(r)"
    if server.rows(others, by=BY)[0][0]:
        raise StoreError(
            f"{server.uri}: there are {relationship} relationships that Trefoil did not write; "
            "name another type: relationship="
        )
    who = elements(server, users, table["user"].unique())
    what: dict[str, str] = {}
    for key in items:
        what = elements(server, key, table["item"].unique()) | what
    pairs = table.with_columns(
        u=pl.col("user").replace_strict(who, default=None, return_dtype=pl.String),
        i=pl.col("item").replace_strict(what, default=None, return_dtype=pl.String),
    )
    unknown = [
        tuple(pairs.filter(pl.col(end).is_null())[name].unique().sort().head(10))
        for end, name in (("u", "user"), ("i", "item"))
    ]
    known = pairs.drop_nulls(["u", "i"])
    if not len(known):
        user, item = (one[0] if one else None for one in unknown)
        raise StoreError(
            f"{server.uri}: no recommendation has both its nodes there (looked for user {user!r} "
            f"as {_shown(users)}, item {item!r} as {', '.join(map(_shown, items))}): name where "
            'ids are: user="User.userId", item="Movie.movieId"'
        )
    written = removed = 0
    for part in _batches(known):
        done = server.write(_statements(type, part, run, at))
        removed += done[0][0][0]
        written += done[1][0][0]
    if whole:
        old = f"MATCH ()-[r:{type} {{by: $by}}]->() WHERE r.at <> $at DELETE r RETURN count(*)"
        removed += server.write([(old, {"by": BY, "at": at})])[0][0][0]
    return Written(written, known["u"].n_unique(), removed, unknown[0], unknown[1])


def elements(server: Neo4jServer, key: Key, ids: pl.Series) -> dict[str, str]:
    """The element id of the node that each id stands for. Raises StoreError for two of one id."""
    wanted, found = set(ids), {}
    if key.property is None:
        return {one: one.removeprefix(MADE_UP) for one in wanted if one.startswith(MADE_UP)}
    for page in node_pages(server.rows, key.label, [key.property]):
        values = page.values.get(key.property, [])
        for element, value in zip(page.ids, values, strict=False):
            one = str(value)
            if value is not None and one in wanted and found.setdefault(one, element) != element:
                raise StoreError(
                    f"{server.uri}: two {key.label} nodes have the {key.property} {one!r}; "
                    "make it unique"
                )
    return found


def _statements(
    type: str, part: pl.DataFrame, run: str, at: dt.datetime
) -> list[tuple[str, Mapping[str, object]]]:
    rows = part.select("u", "i", "rank", "score", "reason").to_dicts()
    told = {"by": BY, "run": run, "at": at}
    remove = (
        "UNWIND $users AS one MATCH (u) WHERE elementId(u) = one"
        f" MATCH (u)-[r:{type} {{by: $by}}]->() DELETE r RETURN count(*)"
    )
    create = (
        "UNWIND $rows AS row MATCH (u) WHERE elementId(u) = row.u"
        " MATCH (i) WHERE elementId(i) = row.i"
        f" CREATE (u)-[r:{type}]->(i) SET r = $told, r.rank = row.rank, r.score = row.score,"
        " r.reason = row.reason RETURN count(*)"
    )
    users = part["u"].unique().to_list()
    return [(remove, {"users": users, "by": BY}), (create, {"rows": rows, "told": told})]


def _batches(known: pl.DataFrame) -> Sequence[pl.DataFrame]:
    """Rows cut between users."""
    order = known.sort("u", "rank")
    number = pl.int_range(pl.len()) // BATCH
    cut = order.with_columns(batch=number.first().over("u"))
    return [part.drop("batch") for part in cut.partition_by("batch", maintain_order=True)]


def _shown(key: Key) -> str:
    return f"{key.label}.{key.property}" if key.property else f"{key.label} by element id"
