"""MovieLens 1M: in the folder pairs without stars and times, with texts and a DBpedia graph.

A download has stars and times, titles, genres and users, but no texts and no graph.
"""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl

from trefoil.data.compression import read_bytes
from trefoil.data.dataset import GraphSource, SplitRule
from trefoil.data.readers.assemble import Tables
from trefoil.data.readers.entities import EntityColumns
from trefoil.data.readers.events import EventColumns
from trefoil.data.readers.tables import Table, delimited_table, read_table
from trefoil.data.sources.movielens_small import PUBLISHER, named_year
from trefoil.data.sources.source import Remote, Source

# The middle of each age band, by the number that the publisher gives the band.
AGES = {"1": "9", "18": "21", "25": "29", "35": "39", "45": "47", "50": "52", "56": "60"}
EXTRA = (
    "item_id", "title", "year", "rated", "released", "genres", "director", "writers", "actors",
    "plot", "poster",
)  # fmt: skip
ITEMS = EntityColumns("item_id", "title", ("title", "plot", "told"), ("genres",), ("year",))
LICENCE = "GroupLens: research use with acknowledgement, no redistribution, no commercial use"


def read(root: Path) -> Tables:
    """All pairs; stars and times where the publisher's ``ratings.dat`` is there."""
    path = root / "ratings.dat"
    if path.exists():
        events = _published(path, ("userID", "movieID", "stars", "at"))
        columns = EventColumns("userID", "movieID", "stars", time="at")
    else:
        events = read_table(root / "pairs_in_original_order.parquet")
        columns = EventColumns("userID", "movieID")
    return tables_of(root, events, columns)


def tables_of(root: Path, events: Table, columns: EventColumns) -> Tables:
    """Events with what is known of films and users, and the graph if it is there."""
    users = _published(root / "users.dat", ("user_id", "gender", "band", "occupation", "zip"))
    frame = users.frame.with_columns(age=pl.col("band").replace(AGES))
    graph = root / "derived" / "kg_dbpedia.nt.gz"
    return Tables(
        events,
        columns,
        _films(root),
        ITEMS,
        Table(users.source, frame, users.line, users.bad),
        EntityColumns("user_id", category=("gender", "occupation"), score=("age",)),
        GraphSource((graph,)) if graph.exists() else None,
        _links(root),
    )


def _films(root: Path) -> Table:
    films = _published(root / "movies.dat", ("item_id", "title", "genres"))
    frame = films.frame.with_columns(named_year("title")[1])
    empty = pl.lit(None, pl.String)
    frame = frame.with_columns(plot=empty, told=empty)
    extra, told = root / "movies_extrainfos.dat.gz", root / "colakg" / "llm_response_item.json.gz"
    if extra.exists():
        plots = delimited_table(read_bytes(extra), str(extra), "::", EXTRA).frame
        plots = plots.select("item_id", "plot").unique("item_id", keep="first")
        frame = frame.drop("plot").join(plots, on="item_id", how="left", maintain_order="left")
    if told.exists():
        texts = json.loads(read_bytes(told))
        frame = frame.with_columns(
            told=pl.Series([texts.get(one) for one in frame["item_id"]], dtype=pl.String)
        )
    return Table(films.source, frame, films.line, films.bad)


def _links(root: Path) -> Table | None:
    path = root / "derived" / "movie_dbpedia.csv"
    if not path.exists():
        return None
    told = read_table(path)
    first, second = pl.col("dbpedia_uri_lodrecsys"), pl.col("dbpedia_uri_frankgraphbench")
    frame = told.frame.select(
        pl.col("movieID").alias("item_id"),
        pl.when(first != "").then(first).otherwise(second).alias("entity"),
    )
    linked = (frame["entity"] != "").to_numpy()
    return Table(told.source, frame.filter(linked), told.line[linked], told.bad)


def _published(path: Path, names: tuple[str, ...]) -> Table:
    content = read_bytes(path).decode("latin-1").encode()
    return delimited_table(content, str(path), "::", names)


MOVIELENS_1M = Source(
    "movielens-1m",
    LICENCE,
    read,
    SplitRule("ratio", 0.1, 0.1),
    "ml-1m-text-kg",
    ("pairs_in_original_order.parquet", "ratings.dat"),
    (
        Remote(
            PUBLISHER + "ml-1m.zip",
            "md5:c4d9eecfca2ab87c1945afe126590906",
            members=tuple(f"ml-1m/{name}.dat" for name in ("ratings", "movies", "users")),
        ),
    ),
)
