"""A dataset of frames in memory, by the same path as one of files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from trefoil.data.dataset import Dataset, GraphSource, SplitRule
from trefoil.data.errors import DataError
from trefoil.data.given import given
from trefoil.data.items import Entities
from trefoil.data.readers.assemble import Tables, assemble
from trefoil.data.readers.dataset_toml import default_rule
from trefoil.data.readers.entities import EntityColumns, list_entities, read_entities
from trefoil.data.readers.events import EventColumns
from trefoil.data.readers.missing import WRITTEN
from trefoil.data.readers.quarantine import MAX_BAD_SHARE, Sieve
from trefoil.data.readers.tables import Table
from trefoil.data.vocabulary import Vocabulary

if TYPE_CHECKING:
    import pandas as pd


def dataset_of(
    interactions: pl.DataFrame | pd.DataFrame,
    columns: EventColumns,
    *,
    items: pl.DataFrame | pd.DataFrame | None = None,
    item_columns: EntityColumns | None = None,
    users: pl.DataFrame | pd.DataFrame | None = None,
    user_columns: EntityColumns | None = None,
    graph: GraphSource | Sequence[Path] | pl.DataFrame | pd.DataFrame | None = None,
    links: pl.DataFrame | pd.DataFrame | None = None,
    name: str = "in memory",
    rule: SplitRule | None = None,
    max_bad_share: float = MAX_BAD_SHARE,
    missing_ids: Sequence[str] = WRITTEN,
) -> Dataset:
    """A dataset of polars or pandas frames.

    ``graph`` is a source, files, or a frame of head, relation, tail; ``links`` a
    frame of item_id and entity. NaN means missing, and so do the words
    ``missing_ids`` where an id should be. Raises DataError as ``read_dataset`` does.
    """
    tables = Tables(
        Table.of(as_polars(interactions, "interactions"), "interactions"),
        columns,
        *_entities(items, item_columns, "items"),
        *_entities(users, user_columns, "users"),
        graph=_graph(graph),
        links=None if links is None else Table.of(as_polars(links, "links"), "links"),
    )
    chosen = default_rule(columns) if rule is None else rule
    return assemble(name, tables, chosen, max_bad_share=max_bad_share, missing_ids=missing_ids)


def _entities(
    frame: pl.DataFrame | pd.DataFrame | None, columns: EntityColumns | None, what: str
) -> tuple[Table | None, EntityColumns | None]:
    if (frame is None) != (columns is None):
        raise DataError(f"{what} and the names of their columns belong together; give both")
    return (None if frame is None else Table.of(as_polars(frame, what), what)), columns


def _graph(graph: object) -> GraphSource | None:
    if graph is None or isinstance(graph, GraphSource):
        return graph
    if isinstance(graph, Sequence) and not isinstance(graph, str):
        return GraphSource(tuple(Path(file) for file in graph))
    return GraphSource(table=_triples(as_polars(graph, "graph"), "graph"))


def _triples(frame: pl.DataFrame, what: str) -> pl.DataFrame:
    missing = {"head", "relation", "tail"} - set(frame.columns)
    if missing:
        raise DataError(f"{what}: no column {sorted(missing)[0]!r}; there is {frame.columns}")
    return frame.select(pl.col("head", "relation", "tail").cast(pl.String))


def triples_in(
    rows: pl.DataFrame | pd.DataFrame | Iterable[Sequence[str]],
) -> list[tuple[str, str, str]]:
    """Triples of a frame with columns head, relation, tail, or of rows of three.

    Raises DataError with the number of a row that is no triple.
    """
    if not isinstance(rows, pl.DataFrame) and type(rows).__module__.partition(".")[0] != "pandas":
        remedy = "give rows of head, relation and tail, or a frame with these columns"
        listed = [
            tuple(row) if isinstance(row, Sequence) and not isinstance(row, str) else (row,)
            for row in given("triples", rows, Iterable, remedy)
        ]
    else:
        listed = _triples(as_polars(rows, "triples"), "triples").rows()
    for number, row in enumerate(listed, 1):
        if len(row) != 3 or not all(isinstance(part, str) and part for part in row):
            raise DataError(f"triple {number}: {row!r}; give head, relation and tail as text")
    return listed  # type: ignore[return-value]


def as_polars(frame: object, what: str) -> pl.DataFrame:
    """A polars or pandas frame as a polars one. Raises DataError for anything else."""
    if isinstance(frame, pl.DataFrame):
        return frame
    if type(frame).__module__.partition(".")[0] != "pandas":
        raise DataError(f"{what}: a {type(frame).__name__}; give a polars or pandas frame")
    try:
        return pl.from_pandas(frame)  # type: ignore[arg-type]
    except Exception as fault:  # pyarrow has many classes for columns of mixed kinds
        raise DataError(
            f"{what}: no columns of one kind each ({str(fault).splitlines()[0]}); "
            "write ids as text, all of them"
        ) from None


def items_of(
    frame: pl.DataFrame | pd.DataFrame,
    columns: EntityColumns | None = None,
    *,
    numbers: Iterable[str] = (),
) -> Entities:
    """Items of a frame; unless told otherwise, from its columns id, title, text and ``numbers``.

    A row that says what another row says is passed over. Raises DataError for a row
    without an id and for two rows that say different things of one id.
    """
    table = Table.of(as_polars(frame, "items"), "items")
    if columns is None:
        there = [name for name in ("title", "text") if name in table.frame.columns]
        columns = EntityColumns(
            "id",
            "title" if "title" in there else None,
            ("text",) if "text" in there else (),
            numeric=tuple(name for name in numbers if name in table.frame.columns),
        )
    sieve = Sieve(table, max_bad_share=0.0)
    listed = list_entities(columns, sieve, "item")
    sieve.judge()
    nobody = (listed.ids == "").arg_true()
    if len(nobody):
        raise DataError(f"items: empty item id in row {nobody[0] + 1}; give every row an id")
    ids = listed.ids.filter(pl.Series(sieve.good))
    return read_entities(Vocabulary(ids), columns, sieve, listed)
