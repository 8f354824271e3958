"""What a recommender answers: single recommendations, and tables for many."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import torch
from torch import Tensor

from data.errors import DataError
from data.histories import Cases
from fusion.catalogue import Catalogue
from fusion.texts import Texts
from kg.paths import Path as GraphPath

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Recommendation:
    """One item for someone: ``score`` orders, ``stars`` is a rating expected, in data units.

    ``known`` says whether the user was known; reasons are graph paths, best first.
    """

    item: str
    title: str
    score: float
    stars: float | None
    reasons: tuple[GraphPath, ...]
    known: bool


def users_in(table: "Sequence[str] | pl.Series | pl.DataFrame | pd.DataFrame") -> list[str]:
    """User ids of a list, or of the column user of a table. Raises DataError without one."""
    if isinstance(table, str):
        return [table]
    if isinstance(table, Sequence | pl.Series):
        return [str(user) for user in table]
    if "user" not in table.columns:
        raise DataError(f"no column 'user'; there is {list(table.columns)}")
    return [str(user) for user in table["user"]]


def best_table(
    users: Sequence[str],
    catalogue: Catalogue,
    score: Callable[[Cases], Tensor],
    k: int,
    batch: int,
) -> pl.DataFrame:
    """A table user, rank, item, title, score: the best ``k`` items that each has not met."""
    rows = catalogue.users.rows(users)
    items = catalogue.items
    tables = [pl.DataFrame(schema=COLUMNS)]
    for start in range(0, len(rows), batch):
        part = rows[start : start + batch]
        cases = catalogue.cases(part, catalogue.scenario_codes(None, len(part)))
        scores = score(cases)
        met = catalogue.met.take(np.maximum(part, 0))
        at = np.repeat(np.arange(len(part)), np.diff(met.start))
        kept = part[at] >= 0
        scores[torch.from_numpy(at[kept]), torch.from_numpy(met.item[kept])] = -torch.inf
        values, picked = scores.topk(min(k, scores.shape[1]), dim=1)
        width = picked.shape[1]
        flat = picked.flatten().tolist()
        columns = {
            "user": [user for user in users[start : start + batch] for _ in range(width)],
            "rank": np.tile(np.arange(1, width + 1), len(part)),
            "item": [items.vocabulary[row] for row in flat],
            "title": [items.title(row) for row in flat],
            "score": values.flatten().numpy(),
        }
        tables.append(pl.DataFrame(columns, schema=COLUMNS).filter(pl.col("score").is_finite()))
    return pl.concat(tables)


def text_scores(texts: Texts | None, text: str, items: int) -> Tensor:
    """z-scores [1, items] of the cosine between a text and the items' texts.

    Zeros where no texts were learned, or where this one is read in another way.
    """
    if texts is None:
        log.warning("no item texts were learned, so the text query is left out")
        return torch.zeros(1, items)
    view, warnings = texts.encoder.encode([text], store=False)
    if warnings or not bool(view.known.any()):
        return torch.zeros(1, items)
    cosine = texts.whitening(view).vectors @ texts.items.vectors.T
    known = texts.items.known
    spread = cosine[:, known].std().clamp(min=1e-6)
    z = (cosine - cosine[:, known].mean()) / spread
    return z.masked_fill(~known, 0.0)


COLUMNS = {
    "user": pl.String,
    "rank": pl.Int64,
    "item": pl.String,
    "title": pl.String,
    "score": pl.Float32,
}
