"""Last.FM of HetRec 2011, as the KGCN family uses it: who listened to whom, and two graphs.

``lastfm`` has the positives of ``mcclk/ratings_final.npy``, split 8:1:1 per
user; item ids are its entity numbers. Its graph is KGCN's and, for the artists
that are known there, DBpedia's. ``lastfm-ctr`` has the negatives too, split 6:2:2
by rows. Names serve as titles, generated descriptions as texts, where there are any.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import polars as pl

from trefoil.data.compression import read_bytes
from trefoil.data.dataset import SplitRule
from trefoil.data.readers.assemble import Tables
from trefoil.data.readers.entities import EntityColumns
from trefoil.data.readers.events import EventColumns
from trefoil.data.readers.tables import Table, delimited_table, read_table
from trefoil.data.sources import mcclk
from trefoil.data.sources.source import Remote, Source

LICENCE = "HetRec 2011: non-commercial research use with acknowledgement"
KGCN = "https://raw.githubusercontent.com/hwwang55/KGCN/2363ca2ddc66a79860629b2e0ec6ad23c57697c8/data/music/"
ITEMS = EntityColumns("item", "name", ("name", "text"))
TOLD_TWICE = ("http://dbpedia.org/ontology/associatedMusicalArtist",)  # as associatedBand


def read(root: Path) -> Tables:
    """Positive pairs, artists with names and texts, and both graphs."""
    return positives(read_ctr(root))


def read_ctr(root: Path) -> Tables:
    """Both graphs, and one drawn negative for each positive."""
    return _with_dbpedia(read_kgcn(root), root)


def positives(tables: Tables) -> Tables:
    """Without the drawn negatives."""
    pairs = tables.events
    assert isinstance(pairs, Table)  # as they were read
    return replace(
        tables, events=mcclk.positives(pairs), event_columns=EventColumns("user", "item")
    )


def read_kgcn(root: Path) -> Tables:
    """Labelled pairs, and KGCN's triples, in which an item is its own entity."""
    pairs = mcclk.labelled_pairs(root / "mcclk" / "ratings_final.npy")
    graph = mcclk.triples(root / "mcclk" / "kg_final.npy", root / "kgcn" / "kg.txt")
    items = pairs.frame["item"].unique().sort().cast(pl.String)
    columns = EventColumns("user", "item", positive="label")
    return Tables(pairs, columns, artists(root, items, "kgcn_entity"), ITEMS, graph=graph)


def _with_dbpedia(tables: Tables, root: Path) -> Tables:
    """KGCN's triples under the names that DBpedia has for the artists, and DBpedia's beside them.

    An artist that shares its name there with another keeps its entity number.
    """
    path = root / "derived" / "kg_dbpedia.nt.gz"
    assert tables.graph is not None
    assert tables.items is not None
    if not path.exists():
        return tables
    names = read_table(root / "derived" / "artist_names.tsv")
    known = names.frame.filter(
        pl.col("kgcn_entity") != "", pl.col("in_dbpedia_kg") == "1", pl.col("dbpedia_uri") != ""
    ).filter(pl.col("dbpedia_uri").is_unique())
    own, there = known["kgcn_entity"], known["dbpedia_uri"]
    triples = tables.graph.table
    assert triples is not None
    triples = triples.with_columns(pl.col("head", "tail").replace(own, there))
    links = tables.items.frame.select(item_id="item", entity=pl.col("item").replace(own, there))
    return replace(
        tables,
        graph=replace(tables.graph, files=(path,), table=triples, deny=TOLD_TWICE),
        links=Table.of(links, names.source),
    )


def artists(root: Path, items: pl.Series, key: str) -> Table:
    """One row per item: its name and text, where they are known."""
    frame = pl.DataFrame({"item": items})
    path = root / "derived" / "artist_names.tsv"
    if path.exists():
        names = read_table(path).frame.filter(pl.col(key) != "")
        names = names.with_columns(text=_descriptions(root, names["colakg_item"]))
    else:
        names = _published_names(root).with_columns(text=pl.lit(None, pl.String))
    names = names.select(item=key, name="name", text="text")
    return Table.of(frame.join(names, on="item", how="left", maintain_order="left"), str(path))


def _published_names(root: Path) -> pl.DataFrame:
    """Names of all artists of the publisher, by entity number."""
    link = root / "kgcn" / "item_index2entity_id.txt"
    linked = delimited_table(read_bytes(link), str(link), "\t", ("id", "kgcn_entity")).frame
    path = root / "artists.dat"
    content = (
        path.read_bytes().decode("utf-8", "replace").encode() if path.exists() else b"id\tname"
    )
    return linked.join(delimited_table(content, str(path), "\t").frame, on="id", how="inner")


def _descriptions(root: Path, keys: pl.Series) -> pl.Series:
    path = root / "colakg" / "llm_response_item.json.gz"
    texts = json.loads(read_bytes(path)) if path.exists() else {}
    return pl.Series([texts.get(key) for key in keys], dtype=pl.String)


REMOTES = (
    Remote(
        mcclk.PUBLISHER + "music/ratings_final.npy",
        "sha256:a4f759c4c24d2aeaa2c42734a2ded85261c7bc8b09c85b5e06f0184624eff43e",
        save_as="mcclk/ratings_final.npy",
    ),
    Remote(
        mcclk.PUBLISHER + "music/kg_final.npy",
        "sha256:a79db52c857eadb5d0e9268cb97387236d16f948034898d74255eb614ce0f6c7",
        save_as="mcclk/kg_final.npy",
    ),
    Remote(
        KGCN + "kg.txt",
        "sha256:f62bbc8f717c9f68e66dff6faeaa71025092acc11a0f1b4878b953eb05f946a9",
        save_as="kgcn/kg.txt",
    ),
    Remote(
        KGCN + "item_index2entity_id.txt",
        "sha256:f9693bdde538f755d09b9931b0be662a98965e538658a00c2050912c0adf487b",
        save_as="kgcn/item_index2entity_id.txt",
    ),
    Remote(
        "https://files.grouplens.org/datasets/hetrec2011/hetrec2011-lastfm-2k.zip",
        "sha256:6738f48195667ff03caaab4d32ca9a3133d8cc026b7c3cdaf6ce1010e913c59c",
        members=("artists.dat",),
    ),
)
MARKS = ("mcclk/ratings_final.npy",)
FOLDER = "lastfm-hetrec-kg"

LASTFM = Source("lastfm", LICENCE, read, SplitRule("ratio"), FOLDER, MARKS, REMOTES)
LASTFM_CTR = Source(
    "lastfm-ctr", LICENCE, read_ctr, SplitRule("rows", 0.2, 0.2), FOLDER, MARKS, REMOTES
)
