"""MovieLens 100K: every rating is a positive; plots, abstracts and a graph.

The graph is DBpedia's with casts and directors as IMDb lists them. Split 8:1:1
per user. A download has ratings, titles, genres and users, but no plots and no
graph.
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

EVENTS = ("user_id", "item_id", "rating", "timestamp")
USERS = ("user_id", "age", "gender", "occupation", "zip_code")
GENRES = (
    "unknown", "Action", "Adventure", "Animation", "Children", "Comedy", "Crime", "Documentary",
    "Drama", "Fantasy", "Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi",
    "Thriller", "War", "Western",
)  # fmt: skip


def read(root: Path) -> Tables:
    """The folder with plots and graph, or the publisher's own files."""
    published = (root / "u.data").exists()
    if published:
        events = _published(root / "u.data", "\t", EVENTS)
        users = _published(root / "u.user", "|", USERS)
    else:
        events, users = read_table(root / "ratings.csv"), read_table(root / "users_info.csv")
    links = None if published else _links(root)
    return Tables(
        events,
        EventColumns("user_id", "item_id", "rating", time="timestamp"),
        _published_films(root) if published else _films(root),
        EntityColumns("item_id", "title", ("title", "plot", "abstract"), ("genres",), ("year",)),
        users,
        EntityColumns("user_id", category=("gender", "occupation"), score=("age",)),
        None if links is None else _graph(root, links),
        links,
    )


def _graph(root: Path, links: Table) -> GraphSource:
    """DBpedia's triples, and who plays and directs, by name."""
    entity = dict(links.frame.select("item_id", "entity").iter_rows())
    people = {
        (entity[film["movielens_id"]], relation, name.strip())
        for film in _told(root)
        for relation in ("cast", "directors")
        for name in (film.get(relation) or "").split(",")
        if name.strip()
    }
    table = pl.DataFrame(sorted(people), schema=["head", "relation", "tail"], orient="row")
    return GraphSource((root / "derived" / "kg.nt.gz",), table)


def _told(root: Path) -> list[dict[str, str]]:
    return json.loads(read_bytes(root / "items_info.json.gz"))


def _films(root: Path) -> Table:
    path = root / "items_info.json.gz"
    told = _told(root)
    names = {"item_id": "movielens_id", "title": "title", "plot": "plot", "year": "year"}
    frame = pl.DataFrame(
        {name: [film.get(key) or "" for film in told] for name, key in names.items()}
        | {"genres": [(film.get("genres") or "").replace(", ", "|") for film in told]}
    )
    enriched = read_table(root / "frankgraphbench" / "enriched.csv.gz").frame
    abstracts = enriched.select(item_id="item_id::string", abstract="abstract::string")
    frame = frame.join(abstracts, on="item_id", how="left", maintain_order="left")
    return Table.of(frame, str(path))


def _links(root: Path) -> Table:
    """Each film's name in DBpedia; one that has none there is its own entity."""
    told = read_table(root / "derived" / "item_entity.csv")
    there = pl.col("dbpedia_uri")
    own = pl.format("urn:movielens:{}", "movielens_id")
    entity = pl.when(there != "").then(there).otherwise(own)
    frame = told.frame.select(item_id="movielens_id", entity=entity)
    return Table(told.source, frame, told.line, told.bad)


def _published(path: Path, delimiter: str, names: tuple[str, ...]) -> Table:
    content = read_bytes(path).decode("latin-1").encode()
    return delimited_table(content, str(path), delimiter, names)


def _published_films(root: Path) -> Table:
    table = _published(
        root / "u.item", "|", ("item_id", "title", "date", "video", "address", *GENRES)
    )
    genres = pl.concat_str(
        [pl.when(pl.col(g) == "1").then(pl.lit(g + "|")).otherwise(pl.lit("")) for g in GENRES]
    )
    empty = pl.lit(None, pl.String)
    frame = table.frame.with_columns(
        genres=genres, plot=empty, abstract=empty, year=named_year("title")[1]
    ).select("item_id", "title", "plot", "abstract", "genres", "year")
    return Table(table.source, frame, table.line, table.bad)


MOVIELENS_100K = Source(
    "movielens-100k",
    "GroupLens: research use with acknowledgement, no redistribution, no commercial use",
    read,
    SplitRule("ratio", 0.1, 0.1),
    "ml-100k-dbpedia",
    ("ratings.csv", "u.data"),
    (
        Remote(
            PUBLISHER + "ml-100k.zip",
            "md5:0e33842e24a9c977be4e0107933c0723",
            members=tuple(f"ml-100k/{name}" for name in ("u.data", "u.item", "u.user")),
        ),
    ),
)
