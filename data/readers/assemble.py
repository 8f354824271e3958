"""Tables to one ``Dataset``: the path that folders, frames and named sources share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
import polars as pl

from trefoil.data.dataset import Dataset, GraphSource, SplitRule
from trefoil.data.fingerprint import fingerprint
from trefoil.data.interactions import Interactions
from trefoil.data.order import FileOrder, canonical_order
from trefoil.data.privacy import ForgottenPeople
from trefoil.data.readers import columns as read
from trefoil.data.readers import notes
from trefoil.data.readers.blocks import Blocks
from trefoil.data.readers.counts import counts_of, kinds_of
from trefoil.data.readers.entities import EntityColumns, Listed, list_entities, read_entities
from trefoil.data.readers.events import EventColumns, read_events
from trefoil.data.readers.meeting import graph_note, links_note
from trefoil.data.readers.missing import WRITTEN
from trefoil.data.readers.people import with_pseudonyms, without_people
from trefoil.data.readers.quarantine import MAX_BAD_SHARE, Sieve
from trefoil.data.readers.tables import Table
from trefoil.data.report import DataReport
from trefoil.data.vocabulary import Vocabulary


@dataclass(frozen=True)
class Tables:
    """What a dataset is made of, before anything is checked; of events blocks will do."""

    events: Table | Blocks
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
    max_bad_share: float | None = None,
    missing_ids: Sequence[str] | None = None,
    pseudonym_key: str | None = None,
    forgotten: Sequence[ForgottenPeople] = (),
) -> Dataset:
    """Check, sort out bad rows, number the ids, and report.

    Ids are numbered in order of their text and events put in an order of their
    content, whatever the order of the files.
    Items occur if a table or an event names them. ``missing_ids`` are words that
    are no id. With ``pseudonym_key`` users are called by pseudonyms; rows of people on
    the ``forgotten`` lists are as if they were not there. Raises DataError.
    """
    rule = SplitRule.checked(rule)
    tables = _of_people(tables, pseudonym_key, missing_ids or WRITTEN, forgotten)
    share = MAX_BAD_SHARE if max_bad_share is None else max_bad_share
    words = WRITTEN if missing_ids is None else missing_ids
    found, sieve = read_events(Blocks.of(tables.events), tables.event_columns, share, words)
    sieves = _Sieves.of(tables, sieve, share, words)
    items = _Entities.of(found.item, tables.item_columns, sieves.items, "item")
    users = _Entities.of(found.user, tables.user_columns, sieves.users, "user")
    user_table = read_entities(users.ids, users.names, users.sieve, users.listed)
    item_table = read_entities(items.ids, items.names, items.sieve, items.listed)
    graph, linked = _linked(tables.graph, sieves.links, items.ids)
    quarantined = tuple(row for sieve in sieves for row in sieve.quarantined())
    named = tables.event_columns
    as_filed = found.rows(users.ids, items.ids, named.target, named.interest)
    events = as_filed.take(canonical_order(as_filed))
    kinds = kinds_of(events)
    said = (
        *notes.meaning_notes(tables.event_columns, events, kinds),
        *notes.event_notes(found, events, rule),
        *_entity_notes(events, users, items),
        *_graph_notes(graph, linked, sieves.links, items.ids, events),
        *(note for sieve in sieves for note in sieve.notes()),
    )
    counts = counts_of(events, found, user_table, item_table) | linked
    report = DataReport(
        counts | {"quarantined": len(quarantined)},
        quarantined,
        said,
        notes.low_below(tables.event_columns, events),
        kinds,
        FileOrder.of(as_filed, items.ids.ids),
    )
    digest = fingerprint(events, user_table, item_table, graph)
    columns = asdict(tables.event_columns)
    parts = user_table, item_table, graph, rule, report, digest, licence
    return Dataset(name, events, *parts, columns)


def _of_people(
    tables: Tables,
    key: str | None,
    missing_ids: Sequence[str],
    forgotten: Sequence[ForgottenPeople],
) -> Tables:
    """The tables of events and users with pseudonyms, and without forgotten people."""

    def told(table: Table, column: str) -> Table:
        table = table if key is None else with_pseudonyms(table, column, key, missing_ids)
        for people in forgotten:
            table = without_people(table, column, people)
        return table

    by = tables.event_columns.user
    tables = replace(tables, events=Blocks.of(tables.events).changed(lambda one: told(one, by)))
    if tables.users is not None and tables.user_columns is not None:
        tables = replace(tables, users=told(tables.users, tables.user_columns.id))
    return tables


@dataclass(frozen=True)
class _Sieves:
    """One for each table that there is, which iterating gives."""

    events: Sieve
    items: Sieve | None
    users: Sieve | None
    links: Sieve | None

    def __iter__(self) -> Iterator[Sieve]:
        every = (self.events, self.items, self.users, self.links)
        return (sieve for sieve in every if sieve is not None)

    @classmethod
    def of(cls, tables: Tables, events: Sieve, share: float, words: Sequence[str]) -> _Sieves:
        """Fresh ones for all tables but the events."""
        rest = (tables.items, tables.users, tables.links)
        return cls(events, *(None if one is None else Sieve(one, share, words) for one in rest))


@dataclass(frozen=True)
class _Entities:
    """Items or users on their way to a table: ids of events and of the table's own rows."""

    what: str
    ids: Vocabulary
    names: EntityColumns | None
    sieve: Sieve | None
    listed: Listed | None

    @classmethod
    def of(
        cls, seen: pl.Series, names: EntityColumns | None, sieve: Sieve | None, what: str
    ) -> _Entities:
        listed, ids = None, read.distinct(seen).alias("id")
        if names is not None and sieve is not None:
            listed = list_entities(names, sieve, what)
            ids = pl.concat([ids, listed.ids.filter(pl.Series(sieve.good)).alias("id")])
        return cls(what, Vocabulary(ids.unique().sort()), names, sieve, listed)


def _entity_notes(events: Interactions, users: _Entities, items: _Entities) -> Iterator[str]:
    for one, rows in ((users, events.user), (items, events.item)):
        yield from notes.id_notes(one.what, one.ids, rows)
        met = pl.Series([one.ids[row] for row in np.unique(rows).tolist()], dtype=pl.String)
        yield from notes.entity_notes(one.what, one.names, one.sieve, one.listed, met)


def _graph_notes(
    graph: GraphSource | None,
    linked: dict[str, int],
    links: Sieve | None,
    items: Vocabulary,
    events: Interactions,
) -> Iterator[str]:
    met = [items[row] for row in np.unique(events.item).tolist()]
    unknown = linked.get("links_to_unknown_items", 0)
    if unknown:
        yield f"links to items that occur nowhere: {unknown}"
    said = None
    if links is not None and not linked.get("links"):
        said = links_note(pl.Series(items.ids, dtype=pl.String), read_links(links)["item"],
                          links.table.source)  # fmt: skip
    elif graph is not None:
        said = graph_note(graph, met)
    if said is not None:
        yield said


def _linked(
    graph: GraphSource | None, links: Sieve | None, items: Vocabulary
) -> tuple[GraphSource | None, dict[str, int]]:
    """The graph with links of known items only, and how many links and items that leaves."""
    if links is not None:
        graph = replace(graph or GraphSource(), link=read_links(links))
    if graph is None or graph.link is None:
        return graph, {}
    link = graph.link.unique().sort("item", "entity")
    known = items.rows(link["item"]) >= 0
    kept = link.filter(pl.Series(known, dtype=pl.Boolean))
    counts = {
        "links": len(kept),
        "items_with_link": kept["item"].n_unique(),
        "links_to_unknown_items": int((~known).sum()),
    }
    return replace(graph, link=kept), counts


def read_links(sieve: Sieve) -> pl.DataFrame:
    """Columns item and entity, as text; rows without either are left out."""
    table = sieve.table
    name = "item" if "item" in table.frame.columns else "item_id"
    item = sieve.ids(name, "item")
    entity = sieve.ids("entity", "entity")
    return pl.DataFrame({"item": item, "entity": entity}).filter(pl.Series(sieve.good))
