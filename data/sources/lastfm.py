"""Last.FM of HetRec 2011, as the KGCN family uses it: who listened to whom, and a graph.

Positives are those of ``mcclk/ratings_final.npy``; item ids are its entity
numbers, so that an item is its own entity in the graph. Names, where known,
serve as titles, and generated descriptions as texts. Split 8:1:1 per user.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import polars as pl

from data.assemble import Tables
from data.dataset import GraphSource, SplitRule
from data.entities import EntityColumns
from data.errors import DataError
from data.events import EventColumns
from data.sources.source import Source
from data.tables import Table, read_bytes, read_table


def read(root: Path) -> Tables:
    """Positive pairs, artists with names and texts, and the KGCN triples."""
    rated = read_array(root / "mcclk" / "ratings_final.npy", 3)
    artists = _artists(root, np.unique(rated[:, 1]))
    return Tables(
        pair_table(root / "mcclk" / "ratings_final.npy", rated[rated[:, 2] == 1]),
        EventColumns("user", "item"),
        artists,
        EntityColumns("item", "name", ("name", "text")),
        graph=graph_of(root),
    )


def read_array(path: Path, width: int) -> np.ndarray:
    """Whole numbers [n, width] of an npy file, nothing unpickled. Raises DataError."""
    try:
        rows = np.load(path, allow_pickle=False)
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except (OSError, ValueError, EOFError) as fault:
        raise DataError(f"{path}: no readable array ({fault}); fetch it again") from None
    if rows.ndim != 2 or rows.shape[1] != width or rows.dtype.kind not in "iu":
        raise DataError(f"{path}: {rows.dtype} {rows.shape}, not whole numbers of {width} columns")
    return rows


def pair_table(path: Path, rows: np.ndarray) -> Table:
    """User, item and, if there, label columns as a table."""
    names = ("user", "item", "label")[: rows.shape[1]]
    return Table.of(pl.DataFrame({name: rows[:, i] for i, name in enumerate(names)}), str(path))


def graph_of(root: Path) -> GraphSource:
    """The triples of MCCLK, with the relation names of KGCN, whose order of rows it keeps."""
    path = root / "mcclk" / "kg_final.npy"
    triples = read_array(path, 3)
    named = root / "kgcn" / "kg.txt"
    relation = pl.Series(triples[:, 1]).cast(pl.String)
    if named.exists():
        lines = [line.split("\t") for line in read_bytes(named).decode().splitlines()]
        ends = np.array([[line[0], line[2]] for line in lines], np.int64)
        if not np.array_equal(ends, triples[:, [0, 2]]):
            raise DataError(f"{named}: its rows are not those of {path}; fetch both again")
        relation = pl.Series([line[1] for line in lines])
    table = pl.DataFrame(
        {
            "head": pl.Series(triples[:, 0]).cast(pl.String),
            "relation": relation,
            "tail": pl.Series(triples[:, 2]).cast(pl.String),
        }
    )
    return GraphSource(table=table.unique(maintain_order=True), iri="{id}")


def _artists(root: Path, items: np.ndarray) -> Table:
    path = root / "derived" / "artist_names.tsv"
    frame = pl.DataFrame({"item": pl.Series(items).cast(pl.String)})
    if not path.exists():
        empty = pl.lit(None, pl.String)
        return Table.of(frame.with_columns(name=empty, text=empty), str(root))
    names = read_table(path).frame.filter(pl.col("kgcn_entity") != "")
    names = names.with_columns(text=_descriptions(root, names["colakg_item"]))
    names = names.select(item="kgcn_entity", name="name", text="text")
    return Table.of(frame.join(names, on="item", how="left", maintain_order="left"), str(path))


def _descriptions(root: Path, keys: pl.Series) -> pl.Series:
    path = root / "colakg" / "llm_response_item.json.gz"
    if not path.exists():
        return pl.Series([None] * len(keys), dtype=pl.String)
    texts = json.loads(gzip.decompress(path.read_bytes()))
    return pl.Series([texts.get(key) for key in keys], dtype=pl.String)


SOURCE = Source(
    "lastfm",
    "HetRec 2011: non-commercial research use with acknowledgement",
    "lastfm-hetrec-kg",
    ("mcclk/ratings_final.npy",),
    read,
    SplitRule("ratio", 0.1, 0.1),
)
