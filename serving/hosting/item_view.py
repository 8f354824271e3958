"""What there is to see of an item, and items and users found by a part of their name."""

from typing import Any

import numpy as np
import polars as pl

from trefoil.data.items import Items
from trefoil.fusion.answering import Answering
from trefoil.fusion.catalogue import Catalogue
from trefoil.serving.hosting.item_facts import ItemFacts


class ItemNames:
    """Titles and ids of a catalogue in lower case, made once for each catalogue."""

    def __init__(self) -> None:
        self._made: tuple[Items, pl.DataFrame] | None = None

    def of(self, items: Items) -> pl.DataFrame:
        """A table id, title, text of all items."""
        made = self._made
        if made is None or made[0] is not items:
            id, title = (
                pl.Series(list(column), dtype=pl.String)
                for column in (items.vocabulary.ids, items.titles)
            )
            text = (title.fill_null("") + " " + id).str.to_lowercase()
            made = self._made = items, pl.DataFrame({"id": id, "title": title, "text": text})
        return made[1]


def found_ids(
    names: ItemNames, catalogue: Catalogue, text: str, kind: str, k: int
) -> list[dict[str, Any]]:
    """The first ``k`` items whose title or id holds a text, or users whose id begins so."""
    text = text.strip().lower()
    if kind == "user":
        ids = pl.Series(list(catalogue.users.ids), dtype=pl.String)
        found = ids.filter(ids.str.to_lowercase().str.starts_with(text)).head(k)
        return [{"id": one, "title": None} for one in found]
    table = names.of(catalogue.items)
    rank = pl.col("text").str.find(text, literal=True)
    found = table.filter(pl.col("text").str.contains(text, literal=True))
    found = found.with_columns(rank.alias("at")).sort("at", maintain_order=True).head(k)
    return [
        {"id": one, "title": title or one} for one, title in found.select("id", "title").iter_rows()
    ]


def item_view(recommender: Answering, id: str, facts: ItemFacts) -> dict[str, Any]:
    """Title, text, columns and facts of an item. Raises UnknownId."""
    catalogue, items = recommender.catalogue, recommender.catalogue.items
    row = items.vocabulary.row(id)
    columns: dict[str, Any] = {}
    parts = (catalogue.events, *catalogue.later)
    for name, labels in items.category.items():
        codes = labels.codes[labels.start[row] : labels.start[row + 1]]
        columns[name] = [labels.names[code] for code in codes]
    for name, values in items.score.items():
        columns[name] = None if np.isnan(values[row]) else float(values[row])
    return {
        "item": id,
        "title": items.title(row),
        "text": items.texts[row],
        "columns": columns,
        "events": sum(int(np.count_nonzero(one.item == row)) for one in parts),
        "facts": facts.of(recommender.graph, recommender.paths, id),
    }
