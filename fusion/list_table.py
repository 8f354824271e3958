"""The lists of many people as one table, with reasons and shares where they are asked for."""

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from trefoil.data.interactions import Ints
from trefoil.data.items import Items
from trefoil.fusion.explaining.reasons import reasons_for
from trefoil.fusion.plan.asked import Reals
from trefoil.fusion.requests.listing import Listed
from trefoil.fusion.requests.state import State

OTHER = "other"  # what no base model owns of a score


def own_columns(state: State, reasons: int, *, shares: bool) -> list[str]:
    """The columns of a table of lists, beside users and contexts."""
    names = ["rank", "item", "title", "score"]
    names += ["why"] if reasons else []
    names += ["reasons"] if reasons > 1 else []
    told = [*state.scorer.parts.names, OTHER] if shares else []
    return names + [f"share {one}" for one in told]


def list_table(
    state: State,
    users: Sequence[str],
    contexts: Mapping[str, Sequence[str]],
    found: Listed,
    offset: int,
    reasons: int,
    *,
    shares: bool,
    dated: bool,
) -> pl.DataFrame:
    """A table user, rank, item, title, score; contexts told per row stand after the user.

    Ranks begin after ``offset``. Then come reasons in words, of ``dated`` questions as
    ``reasons_for`` has them, and shares of the score.
    """
    case, place = np.nonzero(found.top >= 0)
    row = found.top[case, place]
    ids, titles = (pl.Series(list(side), dtype=pl.String) for side in _named(state.catalogue.items))
    columns = {
        name: pl.Series(list(values), dtype=pl.String).gather(case)
        for name, values in {"user": users, **contexts}.items()
    }
    columns["rank"] = pl.Series(place + offset + 1, dtype=pl.Int64)
    columns["item"], columns["title"] = ids.gather(row), titles.gather(row)
    columns["score"] = pl.Series(found.score[case, place], dtype=pl.Float32)
    if reasons:
        told = _reasons(state, found, reasons, dated=dated)
        columns["why"] = pl.Series([one[0] if one else "" for one in told], dtype=pl.String)
        if reasons > 1:
            columns["reasons"] = pl.Series(told, dtype=pl.List(pl.String))
    if shares:
        for name, share in _shares(state, found, case, place).items():
            columns[f"share {name}"] = pl.Series(share, dtype=pl.Float32)
    return pl.DataFrame(columns)


def _named(items: Items) -> tuple[Sequence[str], Sequence[str]]:
    """Ids, and titles with the id where there is none."""
    ids = items.vocabulary.ids
    return ids, [title or one for title, one in zip(items.titles, ids, strict=True)]


def _reasons(state: State, found: Listed, most: int, *, dated: bool) -> list[list[str]]:
    """Reasons in words for each listed item, case by case: each history has paths of its own."""
    told = []
    for case, items in enumerate(found.top):
        one = found.cases.take(np.array([case]))
        of_items = reasons_for(state, one, items[items >= 0], most, dated=dated)
        told += [[reason.text for reason in reasons] for reasons in of_items]
    return told


def _shares(state: State, found: Listed, case: Ints, place: Ints) -> Mapping[str, Reals]:
    """What each base model adds to the score of each listed item; the rest is "other".

    An item that came after training has all of its score there.
    """
    if not len(case):
        return {name: np.zeros(0, np.float32) for name in (*state.scorer.parts.names, OTHER)}
    told = state.scorer.shares(found.cases, np.maximum(found.top, 0))
    own = {name: np.nan_to_num(share[case, place]) for name, share in told.items()}
    return {**own, OTHER: found.score[case, place] - sum(own.values())}
