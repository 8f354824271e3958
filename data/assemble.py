"""Tables to one ``Dataset``: the path that folders, frames and named sources share."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from data import columns as read
from data.dataset import Dataset, GraphSource, SplitRule
from data.entities import EntityColumns, entity_ids, read_entities
from data.events import EventColumns, Events, read_events
from data.fingerprint import fingerprint
from data.interactions import UNKNOWN_TIME, Interactions, Ints
from data.items import Items
from data.order import FileOrder, canonical_order
from data.pairs import distinct_pairs
from data.report import DataReport
from data.sieve import MAX_BAD_SHARE, Sieve
from data.tables import Table
from data.vocabulary import Vocabulary


@dataclass(frozen=True)
class Tables:
    """What a dataset is made of, before anything is checked."""

    events: Table
    event_columns: EventColumns
    items: Table | None = None
    item_columns: EntityColumns | None = None
    users: Table | None = None
    user_columns: EntityColumns | None = None
    graph: GraphSource | None = None
    links: Table | None = None  # columns item_id (or item) and entity


def assemble(
    name: str,
    tables: Tables,
    rule: SplitRule,
    *,
    licence: str | None = None,
    max_bad_share: float = MAX_BAD_SHARE,
) -> Dataset:
    """Check, sort out bad rows, number the ids, and report.

    Ids are numbered in order of their text and events put in an order of their
    content, whatever the order of the files.
    Items occur if a table or an event names them. Raises DataError.
    """
    event_sieve = Sieve(tables.events, max_bad_share)
    item_sieve, user_sieve, link_sieve = (
        None if table is None else Sieve(table, max_bad_share)
        for table in (tables.items, tables.users, tables.links)
    )
    found = read_events(tables.events, tables.event_columns, event_sieve)
    users = _vocabulary(found.user, tables.users, tables.user_columns, user_sieve)
    items = _vocabulary(found.item, tables.items, tables.item_columns, item_sieve)
    user_table = read_entities(users, tables.users, tables.user_columns, user_sieve)
    item_table = read_entities(items, tables.items, tables.item_columns, item_sieve)
    graph, links = tables.graph, {}
    if link_sieve is not None:
        graph = replace(graph or GraphSource(), link=read_links(link_sieve))
    if graph is not None and graph.link is not None:
        graph, links = _known_links(graph, graph.link, items)
    sieves = (event_sieve, item_sieve, user_sieve, link_sieve)
    quarantined = tuple(row for sieve in sieves if sieve is not None for row in sieve.quarantined())
    as_filed = found.rows(users, items)
    events = as_filed.take(canonical_order(as_filed))
    counts = _counts(events, found, user_table, item_table) | links
    report = DataReport(
        counts | {"quarantined": len(quarantined)},
        quarantined,
        _warnings(counts, users, items),
        FileOrder.of(as_filed, items.ids),
    )
    digest = fingerprint(events, user_table, item_table, graph)
    return Dataset(name, events, user_table, item_table, graph, rule, report, digest, licence)


def _vocabulary(
    seen: pl.Series, table: Table | None, names: EntityColumns | None, sieve: Sieve | None
) -> Vocabulary:
    ids = seen
    if table is not None and names is not None and sieve is not None:
        ids = pl.concat(
            [ids.alias("id"), entity_ids(table, names, sieve).filter(sieve.good).alias("id")]
        )
    return Vocabulary(ids.unique().sort())


def read_links(sieve: Sieve) -> pl.DataFrame:
    """Columns item and entity, as text; rows without either are set aside."""
    table = sieve.table
    name = "item" if "item" in table.frame.columns else "item_id"
    item = read.ids(table.column(name, "item of a link"), table.source)
    entity = read.ids(table.column("entity", "entity of a link"), table.source)
    sieve.refuse((item == "").to_numpy(), "empty item id")
    sieve.refuse((entity == "").to_numpy(), "empty entity")
    return pl.DataFrame({"item": item, "entity": entity}).filter(pl.Series(sieve.good))


def _known_links(
    graph: GraphSource, link: pl.DataFrame, items: Vocabulary
) -> tuple[GraphSource, dict[str, int]]:
    """The graph with links of known items only, and how many links and items that leaves."""
    link = link.unique().sort("item", "entity")
    known = items.rows(link["item"]) >= 0
    kept = link.filter(pl.Series(known, dtype=pl.Boolean))
    counts = {
        "links": len(kept),
        "items_with_link": kept["item"].n_unique(),
        "links_to_unknown_items": int((~known).sum()),
    }
    return replace(graph, link=kept), counts


def _counts(
    events: Interactions, found: Events, users: Items, items: Items
) -> dict[str, int | float | str]:
    n, cells = len(events), len(users) * len(items)
    pairs = len(distinct_pairs(events)[0])
    counts: dict[str, int | float | str] = {
        "users": len(users),
        "items": len(items),
        "events": n,
        "positives": int(events.positive.sum()),
        "pairs": pairs,
        "repeated": n - pairs,
        "duplicates": found.duplicates,
        "conflicting": found.conflicts,
        "density": pairs / cells,
        "users_without_event": _absent(events.user, len(users)),
        "items_without_event": _absent(events.item, len(items)),
        "items_with_title": sum(title is not None for title in items.titles),
        "items_with_text": sum(text is not None for text in items.texts),
    }
    if events.stars is not None:
        counts["rated"] = int((~np.isnan(events.stars)).sum())
    if events.at is not None:
        timed = events.at[events.at != UNKNOWN_TIME]
        counts["untimed"] = n - len(timed)
        if len(timed):
            span = np.array([timed.min(), timed.max()], "datetime64[s]")
            counts["first_at"], counts["last_at"] = (f"{moment}Z" for moment in span)
    return counts


def _absent(rows: Ints, size: int) -> int:
    return int((np.bincount(rows, minlength=size) == 0).sum())


def _warnings(counts: dict, users: Vocabulary, items: Vocabulary) -> tuple[str, ...]:
    said = []
    for what, vocabulary in (("user", users), ("item", items)):
        alike, pair = read.lookalikes(vocabulary)
        if pair is not None:
            one, other = (text[:40] for text in pair)
            said.append(
                f"{alike} {what} ids look like another one, such as {one!a} and {other!a}; "
                "they are kept apart"
            )
    for key, text in (
        ("duplicates", "events that occur again and are kept once"),
        (
            "conflicting",
            "events that occur again with another rating, of which the highest is kept",
        ),
        ("untimed", "events without a time, which no split in time holds out"),
        ("links_to_unknown_items", "links to items that occur nowhere"),
    ):
        if counts.get(key):
            said.append(f"{text}: {counts[key]}")
    return tuple(said)
