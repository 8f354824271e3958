"""Amazon magazine subscriptions, 5-core: reviews in time, descriptions, and what is also bought.

Ni, Li and McAuley, EMNLP 2019. Too small for results; good for trying out
texts. Every review is a positive; each user's last review judges.
"""

from __future__ import annotations

import html
from pathlib import Path

import polars as pl

from trefoil.data.compression import read_bytes
from trefoil.data.dataset import GraphSource, SplitRule
from trefoil.data.readers.assemble import Tables
from trefoil.data.readers.entities import EntityColumns
from trefoil.data.readers.events import EventColumns
from trefoil.data.readers.tables import Table, json_table
from trefoil.data.sources.source import Source

NAME = "Magazine_Subscriptions"


def read(root: Path) -> Tables:
    """Reviews, products with descriptions, and a graph of brands and common purchases."""
    reviews = root / f"{NAME}_5.json.gz"
    products = _products(root / f"meta_{NAME}.json.gz")
    return Tables(
        json_table(read_bytes(reviews), str(reviews)),
        EventColumns("reviewerID", "asin", "overall", time="unixReviewTime"),
        products,
        EntityColumns("asin", "name", ("name", "about"), ("category",)),
        graph=_graph(products.frame),
    )


def _products(path: Path) -> Table:
    """One row per product; titles that are scraps of a page are left out."""
    table = json_table(read_bytes(path), str(path))
    frame = table.frame.with_row_index("row").unique("asin", keep="first", maintain_order=True)
    title = frame["title"].fill_null("")
    about = frame["description"].list.join(" ").fill_null("")
    kinds = [[html.unescape(one) for one in row or ()][1:] for row in frame["category"].to_list()]
    told = frame.select("asin", "brand", "also_buy").with_columns(
        name=pl.Series(
            [None if "<" in one else html.unescape(one) for one in title], dtype=pl.String
        ),
        about=pl.Series([html.unescape(one) for one in about], dtype=pl.String),
        category=pl.Series(kinds, dtype=pl.List(pl.String)),
    )
    return Table(table.source, told, table.line[frame["row"].to_numpy()], table.bad)


def _graph(products: pl.DataFrame) -> GraphSource:
    bought = (
        products.select(head="asin", relation=pl.lit("alsoBuy"), tail="also_buy")
        .explode("tail")
        .drop_nulls()
    )
    brands = products.filter(pl.col("brand").fill_null("") != "").select(
        head="asin", relation=pl.lit("brand"), tail=pl.format("brand:{}", "brand")
    )
    return GraphSource(table=pl.concat([bought, brands]).unique(maintain_order=True), iri="{id}")


AMAZON = Source(
    "amazon",
    "Amazon review data 2018: research use with citation",
    read,
    SplitRule("leave-one-out"),
    "amazon-magazine-text",
    (f"{NAME}_5.json.gz",),
    home="https://nijianmo.github.io/amazon/",
)
