"""Retail Rocket with three kinds of event: which purchases come next, of whom views and carts tell.

SSLRec's matrices (HKUDS): one purchase of each person is held out, with the views and carts of
that item. These purchases have no times; each stands a second after the person's last event.
``retailrocket`` learns from views and carts as well (``interest``), ``retailrocket-purchases``
from purchases alone.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import polars as pl
from scipy import sparse

from trefoil.data.dataset import SplitRule
from trefoil.data.readers.assemble import Tables
from trefoil.data.readers.events import EventColumns
from trefoil.data.readers.tables import Table
from trefoil.data.sources.source import Source

OTHERS = ("view", "cart")


def read_purchases(root: Path, *, interest: tuple[str, ...]) -> Tables:
    """Views, carts and purchases; the last purchase of each person is the test part."""
    told = pl.concat([_events(root / f"train_mat_{kind}.npz", kind) for kind in (*OTHERS, "buy")])
    last = told.group_by("user").agg(pl.col("at").max() + 1)
    test = _events(root / "test_mat.npz", "buy").drop("at").join(last, "user", how="left")
    parts = (
        told.with_columns(split=pl.lit("train")),
        test.select(told.columns).with_columns(split=pl.lit("test")),
    )
    columns = EventColumns(
        *("user", "item"),
        time="at",
        behaviour="kind",
        split="split",
        target=("buy",),
        interest=interest,
    )
    return Tables(Table.of(pl.concat(parts), str(root)), columns)


def _events(path: Path, kind: str) -> pl.DataFrame:
    """The entries of a matrix of people and items, whose values are Unix times."""
    table = sparse.load_npz(path).tocoo()
    whole = {"user": table.row, "item": table.col, "at": table.data}
    return pl.DataFrame(whole).with_columns(pl.col("at").cast(pl.Int64), kind=pl.lit(kind))


def _source(name: str, interest: tuple[str, ...]) -> Source:
    return Source(
        name,
        "HKUDS/SSLRec, Apache-2.0; Retailrocket on Kaggle, CC BY-NC-SA 4.0",
        partial(read_purchases, interest=interest),
        SplitRule("given"),
        "retailrocket-multibehavior-kg",
        ("train_mat_buy.npz",),
        home="https://github.com/HKUDS/SSLRec",
    )


RETAIL_ROCKET = _source("retailrocket", OTHERS)
RETAIL_ROCKET_PURCHASES = _source("retailrocket-purchases", ())
