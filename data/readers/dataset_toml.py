"""A folder with a ``dataset.toml`` to the tables it names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from trefoil.data.compression import archive_of
from trefoil.data.corpus import Corpus
from trefoil.data.dataset import EventQuery, GraphSource, SplitRule
from trefoil.data.errors import ConfigError, GraphDataError
from trefoil.data.readers.assemble import Tables
from trefoil.data.readers.blocks import Blocks, read_blocks
from trefoil.data.readers.corpora import read_corpus
from trefoil.data.readers.description import (
    FILE,
    Description,
    EntitiesPart,
    GraphPart,
    InteractionsPart,
    TablePart,
    read_description,
)
from trefoil.data.readers.entities import EntityColumns
from trefoil.data.readers.events import EventColumns
from trefoil.data.readers.tables import Table, read_table


def corpus_of(folder: Path, told: Description) -> Corpus | None:
    """The texts that a description names; None where it names none."""
    part = told.corpus
    if part is None:
        return None
    if part.label is None and part.number is None:
        raise ConfigError(f"{folder / FILE}: [corpus] names neither label nor number; add one")
    table = _Places(folder, told).table("corpus", part)
    return read_corpus(table, part.text, part.label, part.number, told.max_bad_share)


def read_folder(folder: Path) -> tuple[Description, Tables, SplitRule]:
    """The description, the tables and the split rule of a folder.

    Without ``[split]``, a split column is used as given; else events with a time
    are split by time, others by ratio. Raises ConfigError and DataError.
    """
    path = folder / FILE
    told = read_description(path)
    events, items, users = told.interactions, told.items, told.users
    columns = _event_columns(events, path)
    if events.pseudonyms is not None and told.graph is not None and told.graph.neo4j is not None:
        raise ConfigError(
            f"{path}: [interactions] pseudonyms do nothing for ids in the graph of a server; "
            "export the events to a file, or leave pseudonyms out"
        )
    item_columns = None if items is None else _entity_columns(items, path, "items")
    user_columns = None if users is None else _entity_columns(users, path, "users")
    places = _Places(folder, told)
    tables = Tables(
        places.blocks("interactions", events),
        columns,
        None if items is None else places.table("items", items),
        item_columns,
        None if users is None else places.table("users", users),
        user_columns,
        None if told.graph is None else _graph(told.graph, folder, path, places.events()),
        _links(told, folder),
    )
    return told, tables, _rule(told, columns, path)


def default_rule(columns: EventColumns) -> SplitRule:
    """As given if there is a split column, else by time if there is a time, else by ratio."""
    if columns.split is not None:
        return SplitRule("given")
    return SplitRule("ratio" if columns.time is None else "time")


@dataclass(frozen=True)
class _Places:
    """Where the tables of a description lie: in files of the folder, or on a server."""

    folder: Path
    told: Description

    def blocks(self, section: str, part: TablePart) -> Blocks:
        """A file that is read when it is needed, or all rows of a query."""
        if part.query is None and part.file is not None:
            return read_blocks(self.folder / part.file, part.form())
        return Blocks.of(self.table(section, part))

    def table(self, section: str, part: TablePart) -> Table:
        where = f"{self.folder / FILE}: [{section}]"
        if part.query is None:
            if part.file is None:
                raise ConfigError(f"{where} names neither file nor query; add one of them")
            return read_table(self.folder / part.file, part.form())
        from trefoil.data.neo4j.query import query_frame

        server, database = self.server(part)
        if server is None:
            raise ConfigError(f"{where} has a query and no server; add neo4j, its address")
        frame = query_frame(server, part.query, database, where)
        return Table.of(frame, f"{where} query")

    def server(self, part: TablePart | GraphPart) -> tuple[str | None, str | None]:
        """Address and database: the part's own, else those of the first section that has one."""
        told = self.told
        named = (part, told.interactions, told.graph, told.items, told.users)
        one = next((p for p in named if p is not None and p.neo4j is not None), None)
        return (None, None) if one is None else (one.neo4j, part.database or one.database)

    def events(self) -> EventQuery | None:
        """The query of the events, where it was asked of the server that holds the graph."""
        part, graph = self.told.interactions, self.told.graph
        if part.query is None or graph is None or graph.neo4j is None:
            return None
        if self.server(part) != self.server(graph):
            return None
        return EventQuery(part.query, part.user, part.item)


def _event_columns(part: InteractionsPart, path: Path) -> EventColumns:
    try:
        return EventColumns(
            part.user, part.item, part.rating, part.positive_from, part.time, part.behaviour,
            part.scenario, part.split, target=part.target, interest=part.interest,
            time_format=part.time_format, time_unit=part.time_unit,
        )  # fmt: skip
    except ConfigError as fault:
        raise ConfigError(f"{path}: [interactions] {fault}") from None


def _entity_columns(part: EntitiesPart, path: Path, section: str) -> EntityColumns:
    try:
        return EntityColumns(
            part.id, part.title, part.text, part.category, part.numeric, part.separator, part.score
        )
    except ConfigError as fault:
        raise ConfigError(f"{path}: [{section}] {fault}") from None


def _graph(part: GraphPart, folder: Path, path: Path, events: EventQuery | None) -> GraphSource:
    if part.files and part.neo4j is not None:
        raise ConfigError(f"{path}: [graph] names both files and neo4j; keep one of them")
    if not part.files and part.neo4j is None:
        raise ConfigError(f"{path}: [graph] names neither files nor neo4j; add one of them")
    if part.iri is not None and part.iri.count("{id}") != 1:
        raise ConfigError(f"{path}: [graph] iri is {part.iri!r}; it must hold {{id}} once")
    plain = "{id}" if part.neo4j is not None else GraphSource.iri
    files = tuple(folder / name for name in part.files)
    contexts = {address: folder / name for address, name in part.contexts.items()}
    for file in (*files, *contexts.values()):
        if not (archive_of(file) or file).is_file():
            raise GraphDataError(f"{file}: no such graph file; mend [graph] files in {path}")
    return GraphSource(
        files, neo4j=part.neo4j, iri=part.iri or plain, names=part.names, languages=part.languages,
        allow=part.allow, deny=part.deny, same_as=part.same_as, database=part.database,
        labels=part.labels, relationships=part.relationships or part.allow * bool(part.neo4j),
        base=part.base, contexts=contexts, title=part.title, properties=part.properties,
        keys=part.keys, events=events,
    )  # fmt: skip


def _links(told: Description, folder: Path) -> Table | None:
    if told.graph is None or told.graph.link is None:
        return None
    return read_table(folder / told.graph.link)


def _rule(told: Description, columns: EventColumns, path: Path) -> SplitRule:
    part = told.split
    if part is None:
        return default_rule(columns)
    if part.by == "given" and columns.split is None:
        raise ConfigError(f"{path}: [split] by = 'given' needs [interactions] split, the column")
    if part.by in ("time", "leave-one-out") and columns.time is None:
        raise ConfigError(
            f"{path}: [split] by = {part.by!r} needs [interactions] time; name it, or use 'ratio'"
        )
    try:
        return SplitRule(part.by, part.valid, part.test, part.repeats, negatives=part.negatives)
    except ConfigError as fault:
        raise ConfigError(f"{path}: [split] {fault}") from None
