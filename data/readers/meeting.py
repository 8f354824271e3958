"""Whether tables speak of the same things: ids, links, graphs and categories that never meet."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from trefoil.data.compression import unpacked_suffix
from trefoil.data.dataset import GraphSource
from trefoil.data.errors import DataError
from trefoil.data.readers.lookalikes import loosened
from trefoil.data.readers.tables import FORMATS, read_table

MANY = 0.1  # share of filled cells with a mark from which it looks like a separator
MARKS = ("|", ";", ",", "/", "\t")


def listing_note(what: str, met: pl.Series, listed: pl.Series, source: str) -> str | None:
    """A note where fewer than half of the items (users) with events have a row of their own.

    ``met`` holds the ids that events name, ``listed`` those of the table.
    """
    here = met.is_in(listed.implode())
    found, name = int(here.sum()), Path(source).name
    if not len(met) or not len(listed) or 2 * found >= len(met):
        return None
    one, other = _examples(met.filter(~here), listed)
    examples = f"(events: {one!r}; {name}: {other!r}): look at how ids are written"
    if not found:
        return f"none of the {len(met)} {what}s with events occurs in {name} {examples}"
    return f"only {found} of the {len(met)} {what}s with events occur in {name} {examples}"


def _examples(met: pl.Series, listed: pl.Series) -> tuple[str, str]:
    """An id of each side: two that are written alike if there are such, else the first ones."""
    left = pl.DataFrame({"one": met, "form": loosened(met)})
    right = pl.DataFrame({"other": listed, "form": loosened(listed)})
    alike = left.join(right, on="form", maintain_order="left_right").head(1)
    one, other = (met[0], listed[0]) if not len(alike) else (alike[0, "one"], alike[0, "other"])
    return one[:40], other[:40]


def links_note(items: pl.Series, linked: pl.Series, source: str) -> str | None:
    """A note for links of which none is of an item that occurs."""
    if not len(items) or not len(linked):
        return None
    one, other = _examples(items, linked)
    return (
        f"none of the {len(linked)} links in {Path(source).name} is of an item that occurs "
        f"(items: {one!r}; links: {other!r}): look at how ids are written"
    )


def graph_note(graph: GraphSource, items: Sequence[str]) -> str | None:
    """A note where no item is a node of a graph that is all tables; RDF is not opened here."""
    nodes = _nodes(graph)
    if nodes is None or not len(nodes) or not len(items):
        return None
    if graph.link is not None:
        wanted, how = graph.link["entity"], "links"
    else:
        wanted = pl.Series([graph.iri.replace("{id}", item) for item in items])
        how = f"items, by iri = {graph.iri!r}"
    if not len(wanted) or wanted.is_in(nodes.implode()).any():
        return None
    one, other = _examples(wanted, nodes)
    return (
        f"no node of the graph is one of the {len(items)} items "
        f"({how}: {one!r}; graph: {other!r}): name link, a table of item_id and entity, or iri"
    )


def _nodes(graph: GraphSource) -> pl.Series | None:
    """Heads and tails of tables; None where a part of the graph is no such table."""
    if graph.neo4j is not None:
        return None
    parts = [] if graph.table is None else [graph.table]
    for path in graph.files:
        if unpacked_suffix(path) not in FORMATS:
            return None
        try:
            parts.append(read_table(path).frame)
        except DataError:
            return None  # whoever reads the graph says what is wrong with it
    if not parts or any(not {"head", "tail"} <= set(part.columns) for part in parts):
        return None
    ends = [part[end].cast(pl.String) for part in parts for end in ("head", "tail")]
    return pl.concat([end.alias("node") for end in ends]).unique(maintain_order=True)


def separator_note(name: str, cells: pl.Series, separator: str) -> str | None:
    """A note where the separator of a category occurs in no cell and another mark in many.

    The other mark has to cut cells into parts that come again: "Oslo, Norway" and
    "Lima, Peru" are names, "crime, drama" and "drama, war" are lists.
    """
    if cells.dtype != pl.String:
        return None
    cells = cells.drop_nulls().str.strip_chars()
    cells = cells.filter(cells != "")
    if not len(cells) or cells.str.contains(separator, literal=True).any():
        return None
    for mark in MARKS:
        cut = cells.filter(cells.str.contains(mark, literal=True))
        if len(cut) < max(2, MANY * len(cells)):
            continue
        parts = cut.unique().str.split(mark).explode(empty_as_null=False, keep_nulls=False)
        if parts.str.strip_chars("[]{}()'\" ").n_unique() < 0.75 * len(parts):
            return (
                f"no value of category {name!r} contains its separator {separator!r}, but "
                f"{len(cut)} of {len(cells)} contain {mark!r}, such as {cut[0][:40]!r}: "
                f"name separator = {mark!r} if that is a list"
            )
    return None
