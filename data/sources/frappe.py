"""Frappe: which app was used in which context, with app descriptions.

Baltrunas et al. 2015, arXiv:1505.03014. One event for each user, app and
context; seven context columns are the scenario, and "unknown" is a value like
any other, as in the literature. The eighth, cost, is left out: it has one value
per app, so it says something of the app that is asked for. Rows are split 7:2:1
at random. The graph is made of the apps' category, developer, language, price
and downloads.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

import polars as pl

from trefoil.data.dataset import GraphSource, SplitRule
from trefoil.data.errors import DataError
from trefoil.data.readers.assemble import Tables
from trefoil.data.readers.entities import EntityColumns
from trefoil.data.readers.events import EventColumns
from trefoil.data.readers.tables import Table, delimited_table
from trefoil.data.sources.source import Source

CONTEXT = ("daytime", "weekday", "isweekend", "homework", "weather", "country", "city")
RELATIONS = ("category", "developer", "language", "price", "downloads")


def read(root: Path) -> Tables:
    """Usage in context, app texts, and a graph of what the store says of apps."""
    path = root / "Mobile_Frappe.zip"
    apps = _member(path, "Mobile_Frappe/frappe/meta.csv")
    short = pl.col("short desc").replace("unknown", "")
    about = pl.col("description").replace("unknown", "")
    name = pl.col("name").replace("unknown", "")
    frame = apps.frame.with_columns(
        short.alias("short"), about.alias("about"), name.alias("name"),
        score=pl.col("rating").replace("unknown", ""),
    )  # fmt: skip
    return Tables(
        _member(path, "Mobile_Frappe/frappe/frappe.csv"),
        EventColumns("user", "item", scenario=CONTEXT),
        Table(apps.source, frame, apps.line, apps.bad),
        EntityColumns("item", "name", ("name", "short", "about"), ("category",), ("score",)),
        graph=_graph(apps.frame),
    )


def _graph(apps: pl.DataFrame) -> GraphSource:
    parts = [
        apps.select(
            head=pl.format("app:{}", "item"),
            relation=pl.lit(relation),
            tail=pl.format(relation + ":{}", relation),
        ).filter((apps[relation] != "") & (apps[relation] != "unknown"))
        for relation in RELATIONS
    ]
    return GraphSource(table=pl.concat(parts).unique(maintain_order=True), iri="app:{id}")


def _member(path: Path, name: str) -> Table:
    try:
        with zipfile.ZipFile(path) as archive:
            content = archive.read(name)
    except (OSError, KeyError, zipfile.BadZipFile) as fault:
        raise DataError(f"{path}: cannot read {name} ({fault}); fetch it again") from None
    return delimited_table(content, f"{path}/{name}", "\t")


FRAPPE = Source(
    "frappe",
    "Frappe: research use with citation, no redistribution, no commercial use",
    read,
    SplitRule("rows", 0.2, 0.1),
    "frappe-context",
    ("Mobile_Frappe.zip",),
    home="https://github.com/irecsys/CARSKit",
)
