"""MovieLens latest-small: star ratings in time, plots, and two knowledge graphs.

Ratings of four stars or more are positives; lower ones count as seen and train
the ratings. The default split is 8:1:1 per user at random, because a border in
time leaves mostly users without a past; any other rule can be passed.

The publisher renews this dataset now and then; a download has its present
edition, without plots and graphs, and so other figures than the folder.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from trefoil.data.dataset import GraphSource, SplitRule
from trefoil.data.readers.assemble import Tables
from trefoil.data.readers.entities import EntityColumns
from trefoil.data.readers.events import EventColumns
from trefoil.data.readers.tables import Table, read_table
from trefoil.data.sources.source import Remote, Source

PUBLISHER = "https://files.grouplens.org/datasets/movielens/"


def read(root: Path) -> Tables:
    """Ratings, titles, genres, year and plot per film, and the graphs that are there."""
    ratings = root / "ratings.csv.gz"
    events = read_table(ratings if ratings.exists() else root / "ratings.csv")
    return Tables(
        events,
        EventColumns("userId", "movieId", "rating", positive_from=4, time="timestamp"),
        _films(root),
        EntityColumns("movieId", "title", ("name", "plot"), ("genres",), ("year",)),
        graph=_graph(root),
    )


def _films(root: Path) -> Table:
    films = read_table(root / "movies.csv")
    frame = films.frame.with_columns(
        pl.col("genres").str.replace("(no genres listed)", "", literal=True), *named_year("title")
    )
    texts = root / "derived" / "item_text.jsonl.gz"
    if texts.exists():
        plots = read_table(texts).frame.select("movieId", "plot").unique("movieId", keep="first")
        frame = frame.join(plots, on="movieId", how="left", maintain_order="left")
    else:
        frame = frame.with_columns(plot=pl.lit(None, pl.String))
    return Table(films.source, frame, films.line, films.bad)


def named_year(title: str) -> tuple[pl.Expr, pl.Expr]:
    """Columns name and year of titles such as ``Heat (1995)``."""
    column = pl.col(title)
    return (
        column.str.replace(r"\s*\(\d{4}\)\s*$", "").alias("name"),
        column.str.extract(r"\((\d{4})\)\s*$").alias("year"),
    )


def _graph(root: Path) -> GraphSource | None:
    names = ("kg_names.nt.gz", "kg_dbpedia.nt.gz")
    files = tuple(path for name in names if (path := root / "derived" / name).exists())
    return GraphSource(files, iri="urn:kg:movie:{id}", same_as=True) if files else None


SMALL = Source(
    "movielens-small",
    "GroupLens: research use, redistribution under the same conditions, no commercial use",
    read,
    SplitRule("ratio", 0.1, 0.1),
    "ml-latest-small-kg",
    ("ratings.csv.gz", "ratings.csv"),
    (
        Remote(
            PUBLISHER + "ml-latest-small.zip",
            checksum_at=PUBLISHER + "ml-latest-small.zip.md5",
            members=tuple(f"ml-latest-small/{name}.csv" for name in ("ratings", "movies", "links")),
        ),
    ),
)
