"""Book-Crossing as the KGCN family uses it: who read what, and a graph with opaque names.

``book-crossing`` has the positives, split 8:1:1 per user; ``book-crossing-ctr``
has the drawn negatives too, split 6:2:2 by rows. One book in twelve has a
title here, and none has a text of its own.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl

from trefoil.data.dataset import SplitRule
from trefoil.data.readers.assemble import Tables
from trefoil.data.readers.entities import EntityColumns
from trefoil.data.readers.events import EventColumns
from trefoil.data.readers.tables import Table, read_table
from trefoil.data.sources import mcclk
from trefoil.data.sources.source import Remote, Source

LICENCE = "Book-Crossing (Ziegler et al. 2005): research use with acknowledgement"


def read(root: Path) -> Tables:
    """Positive pairs, titles and authors where known, and the triples."""
    tables = read_ctr(root)
    pairs = tables.events
    assert isinstance(pairs, Table)  # as they were read
    return replace(
        tables, events=mcclk.positives(pairs), event_columns=EventColumns("user", "item")
    )


def read_ctr(root: Path) -> Tables:
    """The same with one drawn negative for each positive."""
    pairs = mcclk.labelled_pairs(root / "mcclk" / "ratings_final.npy")
    graph = mcclk.triples(root / "mcclk" / "kg_final.npy", root / "mcclk" / "kg_named.txt")
    books = pl.DataFrame({"item": pairs.frame["item"].unique().sort().cast(pl.String)})
    path = root / "derived" / "isbn_link.csv"
    if path.exists():
        known = read_table(path).frame.filter(pl.col("mcclk_entity") != "")
        known = known.select("title", "author", item="mcclk_entity").unique("item", keep="first")
        books = books.join(known, on="item", how="left", maintain_order="left")
    else:
        books = books.with_columns(title=pl.lit(None, pl.String), author=pl.lit(None, pl.String))
    return Tables(
        pairs,
        EventColumns("user", "item", positive="label"),
        Table.of(books, str(path)),
        EntityColumns("item", "title", ("title", "author")),
        graph=graph,
    )


REMOTES = (
    Remote(
        mcclk.PUBLISHER + "book/ratings_final.npy",
        "sha256:d223b814c1a2c313eb030767d8b828ffad6f6341111b1911e485e008885071ba",
        save_as="mcclk/ratings_final.npy",
    ),
    Remote(
        mcclk.PUBLISHER + "book/kg_final.npy",
        "sha256:192ad826df7042e6c6534cc172f75422dd043f97dd3ce10d50a9ed031fcac378",
        save_as="mcclk/kg_final.npy",
    ),
)
MARKS = ("mcclk/ratings_final.npy",)
FOLDER = "book-crossing-kg"

BOOK_CROSSING = Source("book-crossing", LICENCE, read, SplitRule("ratio"), FOLDER, MARKS, REMOTES)
BOOK_CROSSING_CTR = Source(
    "book-crossing-ctr", LICENCE, read_ctr, SplitRule("rows", 0.2, 0.2), FOLDER, MARKS, REMOTES
)
