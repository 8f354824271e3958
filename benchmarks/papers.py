"""Data as single papers have them, over the files of named sources: for comparison with these.

``lastfm-kgcn`` is ``lastfm`` with KGCN's graph alone, as most papers have it.
``lastfm-colakg`` and ``movielens-1m-colakg`` are the splits of CoLaKG (SIGIR 2025), of which
training and test are given and validation is carved from training. Its files hold users
with their items under internal numbers, and the ids behind them.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from trefoil.data.compression import read_bytes
from trefoil.data.dataset import GraphSource, SplitRule
from trefoil.data.errors import DataError
from trefoil.data.readers.assemble import Tables
from trefoil.data.readers.events import EventColumns
from trefoil.data.readers.tables import Table, read_table
from trefoil.data.sources import lastfm, movielens_1m
from trefoil.data.sources.source import Source

HOME = "https://github.com/ziqiangcui/CoLaKG"


def read_lastfm_kgcn(root: Path) -> Tables:
    """The positives of ``lastfm`` with the KGCN triples alone."""
    return lastfm.positives(lastfm.read_kgcn(root))


def read_lastfm_colakg(root: Path) -> Tables:
    """Pairs of the CoLaKG split under the artist ids of the publisher."""
    items = pl.Series(read_map(root / "colakg" / "item_map.txt"), dtype=pl.String)
    names = read_table(root / "derived" / "artist_names.tsv")
    linked = (names.frame["dbpedia_uri"] != "") & names.frame["artistID"].is_in(items.implode())
    frame = names.frame.select(item_id="artistID", entity="dbpedia_uri").filter(linked)
    return Tables(
        given_split(root / "colakg"),
        EventColumns("user", "item", split="split"),
        lastfm.artists(root, items, "artistID"),
        lastfm.ITEMS,
        graph=GraphSource((root / "derived" / "kg_dbpedia.nt.gz",), deny=lastfm.TOLD_TWICE),
        links=Table(names.source, frame, names.line[linked.to_numpy()]),
    )


def read_movielens_colakg(root: Path) -> Tables:
    """Pairs of the CoLaKG split under the ids of the publisher."""
    events = given_split(root / "colakg")
    tables = movielens_1m.tables_of(root, events, EventColumns("user", "item", split="split"))
    films = tables.items
    assert films is not None
    met = films.frame["item_id"].is_in(events.frame["item"].unique().implode())
    return replace(
        tables, items=Table(films.source, films.frame.filter(met), films.line[met.to_numpy()])
    )


def given_split(folder: Path) -> Table:
    """Columns user, item and split (train or test), under the ids of the publisher."""
    users, items = read_map(folder / "user_map.txt"), read_map(folder / "item_map.txt")
    parts = []
    for part in ("train", "test"):
        path = folder / f"{part}.txt"
        if not path.exists():
            path = folder / f"{part}.txt.gz"
        user, item = _pairs(path)
        parts.append(
            pl.DataFrame({"user": users[user], "item": items[item]}).with_columns(
                split=pl.lit(part)
            )
        )
    return Table.of(pl.concat(parts), str(folder))


def read_map(path: Path) -> np.ndarray:
    """The id behind each internal number."""
    pairs = [line.split() for line in read_bytes(path).decode().splitlines() if line]
    ids = np.full(len(pairs), "", dtype=object)
    for text, number in pairs:
        ids[int(number)] = text
    return ids


def _pairs(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """User and item numbers of lines that name a user and then the items."""
    user, item = [], []
    for number, line in enumerate(read_bytes(path).splitlines(), 1):
        try:
            row = np.array(line.split(), np.int64)
        except ValueError:
            raise DataError(f"{path}, line {number}: not numbers: {line[:60]!r}") from None
        if len(row):
            user.append(np.full(len(row) - 1, row[0]))
            item.append(row[1:])
    return np.concatenate(user), np.concatenate(item)


LASTFM_KGCN = replace(lastfm.LASTFM, name="lastfm-kgcn", read=read_lastfm_kgcn)
LASTFM_COLAKG = Source(
    "lastfm-colakg",
    lastfm.LICENCE,
    read_lastfm_colakg,
    SplitRule("given"),
    lastfm.FOLDER,
    ("colakg/train.txt",),
    home=HOME,
)
MOVIELENS_1M_COLAKG = Source(
    "movielens-1m-colakg",
    movielens_1m.LICENCE,
    read_movielens_colakg,
    SplitRule("given", valid=0.025),  # some 20,000 events are enough to choose by
    movielens_1m.MOVIELENS_1M.folder,
    ("colakg/train.txt.gz", "colakg/train.txt"),
    home=HOME,
)
