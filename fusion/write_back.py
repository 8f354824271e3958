"""Recommendations written into the graph that people have."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol, runtime_checkable

import numpy as np
import polars as pl

from trefoil.data.errors import ConfigError
from trefoil.fusion.explaining.reasons import reasons_for
from trefoil.fusion.requests.state import State
from trefoil.kg.graph import ITEM, LABELS, USER, Key
from trefoil.kg.stores.written import Written


@runtime_checkable
class Recommends(Protocol):
    """Whoever has a state and lists for everybody: a ``Recommender``."""

    about: dict[str, Any]

    @property
    def state(self) -> State: ...

    def recommend_many(self, users: Iterable[str | int], k: int) -> pl.DataFrame: ...


def write_back(
    recommender: Recommends,
    uri: str,
    relationship: str = "RECOMMENDED",
    k: int = 10,
    *,
    users: Iterable[str | int] | None = None,
    user: str | None = None,
    item: str | None = None,
    database: str | None = None,
) -> Written:
    """Write the best ``k`` of everybody, or of ``users``, between nodes that are there.

    Each relationship has rank, score, reason, run, ``at`` (when) and ``by: "trefoil"``. Those
    written before go, of these users or of all; nothing else is touched. Users and items
    are found as the graph says, if it was read from a database, or as ``user`` and ``item``
    say: "Label.property". Raises ConfigError where nothing does, StoreError where others
    wrote relationships of this type or no node is found.
    """
    from trefoil.data.neo4j.server import Neo4jServer
    from trefoil.kg.stores.neo4j.recommendations import write_recommendations

    state = recommender.state
    keys = _key(state, USER, user), _items(state, item)
    run = state.folder.name if state.folder else str(recommender.about["dataset"]["name"])
    table = recommender.recommend_many(state.catalogue.users.ids if users is None else users, k)
    told = table.with_columns(
        reason=pl.Series(_reasons(state, table), dtype=pl.String),
        score=pl.col("score").cast(pl.Float64),
    )
    with Neo4jServer(uri, database=database) as server:
        at = datetime.now(UTC)
        return write_recommendations(server, told, relationship, *keys, run, at, users is None)


def _key(state: State, kind: str, told: str | None) -> Key:
    if told is not None:
        label, dot, name = told.partition(".")
        if not (label and dot and name):
            raise ConfigError(f"{kind.lower()}={told!r}; write Label.property")
        return Key(label, name)
    origin = state.held.graph.origin
    key = None if origin is None else origin.keys.get(kind)
    if key is None:
        raise ConfigError(
            f"this run does not say which nodes of a database are {kind.lower()}s; "
            f'name label and property: {kind.lower()}="{kind}.id"'
        )
    return key


def _items(state: State, told: str | None) -> Sequence[Key]:
    """The key of each label that items are nodes of, the one of most items first."""
    first = _key(state, ITEM, told)
    graph = state.held.graph
    table = graph.nodes[ITEM].properties
    if told is not None or graph.origin is None or LABELS not in table.columns:
        return [first]
    homes = table[LABELS].list.first().drop_nulls().unique().sort()
    more = [graph.origin.keys[home] for home in homes if home in graph.origin.keys]
    return list(dict.fromkeys([first, *more]))


def _reasons(state: State, table: pl.DataFrame) -> list[str | None]:
    """The first reason of each row in words, as ``recommend`` gives it; None where there is none.

    Rows of a user stand together.
    """
    user = state.catalogue.users.rows(table["user"].to_list())
    item = state.catalogue.items.vocabulary.rows(table["item"].to_list())
    codes, out = state.catalogue.scenario_codes(None, 1), list[str | None]()
    for rows in np.split(np.arange(len(table)), np.flatnonzero(np.diff(user)) + 1):
        cases = state.catalogue.cases(user[rows[:1]], codes)
        found = reasons_for(state, cases, item[rows], 1)
        out += [own[0].text if own else None for own in found]
    return out
