"""A catalogue as files, and back: ids and columns of items, and every known event, typed."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from safetensors.numpy import save_file

from trefoil.data.errors import DataError
from trefoil.data.interactions import Bools, Categorical, Interactions
from trefoil.data.items import Items, Labels
from trefoil.data.mapped import mapped
from trefoil.data.vocabulary import Vocabulary
from trefoil.fusion.catalogue import Catalogue, Learned
from trefoil.fusion.past import Event

EVENTS, ABOUT, VOCABULARY = "events.safetensors", "catalogue.json", "vocabulary"
CATEGORY, NUMBER = "category ", "number "  # before the name of a column of items


def save_catalogue(catalogue: Catalogue, folder: Path) -> None:
    """Write events.safetensors, catalogue.json and the vocabularies."""
    catalogue, learned = catalogue.settled(), catalogue.learned
    tensors = event_columns(catalogue.events)
    tensors["part"] = catalogue.part.astype(np.int8)
    save_file({name: np.ascontiguousarray(one) for name, one in tensors.items()}, folder / EVENTS)
    kind = catalogue.events.kind
    about = {
        "name": catalogue.name,
        "users": len(catalogue.users),
        "items": len(catalogue.items),
        "hides": catalogue.hides,
        "validation_read": catalogue.validation_read,
        "low_below": catalogue.low_below,
        "scenarios": {name: list(names) for name, names in catalogue.scenarios.items()},
        "kinds": None if kind is None else list(kind.names),
        "columns": dict(catalogue.columns),
        "learned": learned and {"users": learned.users, "contexts": dict(learned.contexts)},
        "removed": [] if catalogue.removed is None else np.flatnonzero(catalogue.removed).tolist(),
        "waiting": [list(one) for one in catalogue.waiting],
        "categories": {name: one.names for name, one in catalogue.items.category.items()},
        "domains": list(catalogue.domains),
    }
    text = json.dumps(about, ensure_ascii=False, indent=1)
    (folder / ABOUT).write_text(text + "\n", "utf-8")
    (folder / VOCABULARY).mkdir()
    users = pl.DataFrame({"id": list(catalogue.users.ids)}, schema={"id": pl.String})
    users.write_parquet(folder / VOCABULARY / "users.parquet")
    _item_table(catalogue.items).write_parquet(folder / VOCABULARY / "items.parquet")


def load_catalogue(folder: Path) -> Catalogue:
    """The catalogue of a run. Raises DataError for events of other users or items."""
    about = json.loads((folder / ABOUT).read_text("utf-8"))
    tensors = mapped(folder / EVENTS)
    users, items = load_vocabularies(folder, about["categories"])
    kinds = about["kinds"]
    events = events_of(tensors, about["scenarios"], None if kinds is None else tuple(kinds))
    for name, rows, size in (("users", events.user, users), ("items", events.item, items)):
        if len(rows) and not 0 <= int(rows.min()) <= int(rows.max()) < len(size):
            raise DataError(f"{folder / EVENTS}: events name {name} beyond the vocabulary")
    return Catalogue(
        about["name"],
        users,
        items,
        events,
        tensors["part"].astype(np.int64),
        about["hides"],
        about["validation_read"],
        about["low_below"],
        about.get("columns", {}),
        learned=Learned(**learned) if (learned := about.get("learned")) else None,
        removed=_mask(about.get("removed", []), len(items)),
        waiting=tuple(Event(*one) for one in about.get("waiting", [])),
        domains=tuple(about.get("domains", [])),
    )


def _mask(rows: list[int], size: int) -> Bools | None:
    """Marks at these rows; None without any."""
    if not rows:
        return None
    mask = np.zeros(size, bool)
    mask[rows] = True
    return mask


def load_vocabularies(
    folder: Path, categories: Mapping[str, list[str]] | None = None
) -> tuple[Vocabulary, Items]:
    """Users by id, and items with their columns; ``categories`` names the codes of each."""
    users = Vocabulary(pl.read_parquet(folder / VOCABULARY / "users.parquet")["id"])
    table = pl.read_parquet(folder / VOCABULARY / "items.parquet")
    return users, _items_of(table, categories or {})


def event_columns(events: Interactions) -> dict[str, NDArray[Any]]:
    """The columns of events by name."""
    plain = {
        "user": events.user,
        "item": events.item,
        "positive": events.positive,
        "wished": events.wished,
        "stars": events.stars,
        "at": events.at,
        "kind": None if events.kind is None else events.kind.codes,
    }
    named = {f"scenario.{name}": column.codes for name, column in events.scenario.items()}
    there = {name: column for name, column in plain.items() if column is not None}
    return {**there, **named}


def events_of(
    column: Mapping[str, NDArray[Any]],
    scenarios: Mapping[str, list[str]],
    kinds: tuple[str, ...] | None = None,
) -> Interactions:
    """Events from their columns; columns that are missing were not known."""
    return Interactions(
        column["user"],
        column["item"],
        column["positive"],
        column.get("stars"),
        column.get("at"),
        Categorical(column["kind"], kinds) if kinds is not None and "kind" in column else None,
        {n: Categorical(column[f"scenario.{n}"], tuple(names)) for n, names in scenarios.items()},
        wished=column.get("wished"),
    )


def _item_table(items: Items) -> pl.DataFrame:
    columns: dict[str, Any] = {
        "id": pl.Series(list(items.vocabulary.ids), dtype=pl.String),
        "title": pl.Series(list(items.titles), dtype=pl.String),
        "text": pl.Series(list(items.texts), dtype=pl.String),
    }
    for name, labels in items.category.items():
        codes = np.split(labels.codes, labels.start[1:-1]) if len(items) else []
        columns[CATEGORY + name] = pl.Series([one.tolist() for one in codes], dtype=CODES)
    for name, numbers in items.score.items():
        columns[NUMBER + name] = pl.Series(numbers, dtype=pl.Float32)
    return pl.DataFrame(columns)


CODES = pl.List(pl.Int64)


def _items_of(table: pl.DataFrame, categories: Mapping[str, list[str]]) -> Items:
    category, score = {}, {}
    for name in table.columns:
        if name.startswith(CATEGORY):
            column, own = table[name], name.removeprefix(CATEGORY)
            start = np.concatenate([[0], np.cumsum(column.list.len().to_numpy())])
            codes = column.explode().drop_nulls().to_numpy().astype(np.int64)
            category[own] = Labels(start.astype(np.int64), codes, tuple(categories[own]))
        elif name.startswith(NUMBER):
            score[name.removeprefix(NUMBER)] = table[name].to_numpy().copy()
    ids = Vocabulary(table["id"])
    return Items(ids, tuple(table["title"]), tuple(table["text"]), category, score)
