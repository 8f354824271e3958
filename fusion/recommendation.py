"""What a recommender answers: lists with what they rest on, and tables for many."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from trefoil.data.histories import Cases
from trefoil.data.items import Items
from trefoil.evaluation.ranking import Ranks
from trefoil.fusion.explaining.reasons import reasons_for
from trefoil.fusion.requests.request import Request
from trefoil.fusion.requests.state import Purpose, State
from trefoil.kg.paths.explain import Reason


@dataclass(frozen=True)
class Recommendation:
    """One item for someone: ``score`` orders, ``stars`` is a rating expected, in data units.

    ``known`` says whether the user was known; reasons are paths in words, best first.
    """

    item: str
    title: str
    score: float
    stars: float | None
    reasons: tuple[Reason, ...]
    known: bool


@dataclass(frozen=True)
class Basis:
    """What a list rests on.

    ``purpose`` is "serve" for a run that learned from all events, "judge" for one that
    holds some back. ``events`` were read as history, ``told`` of them from the call;
    ``unknown`` are ids of the call, and contexts as "device=phone", that no event has.
    """

    purpose: Purpose
    user_known: bool
    events: int
    told: int
    unknown: tuple[str, ...]


class Answer(list[Recommendation]):
    """A list of recommendations, best first, and what it is ``based_on``."""

    def __init__(self, found: Iterable[Recommendation], based_on: Basis) -> None:
        super().__init__(found)
        self.based_on = based_on


def answer_of(
    state: State,
    cases: Cases,
    ranks: Ranks,
    request: Request,
    unknown: tuple[str, ...],
    reasons: int,
) -> Answer:
    """The first case's list, with its ratings and reasons, and what it rests on."""
    items, user = state.catalogue.items, int(cases.user[0])
    top = ranks.top[0][ranks.top[0] >= 0]
    assert ranks.score is not None
    known = bool(request.user[0] >= 0)
    paths = reasons_for(state, cases, top, reasons, dated=request.at is not None)
    stars = state.scorer.stars(cases, top) if user >= 0 else None
    found = [
        Recommendation(
            items.vocabulary[row],
            items.title(row),
            float(ranks.score[0, place]),
            None if stars is None else float(stars[0, place]),
            paths[place],
            known,
        )
        for place, row in enumerate(top.tolist())
    ]
    return Answer(
        found, Basis(state.purpose, known, len(cases.history.item), len(request.told), unknown)
    )


def explained(state: State, user: int, item: int, k: int) -> list[Reason]:
    """The best reasons for one item (rows), from all that is known of a user."""
    cases = state.catalogue.cases(np.array([user]), state.catalogue.scenario_codes(None, 1))
    return list(reasons_for(state, cases, np.array([item]), k)[0])


def best_table(
    users: Sequence[str],
    contexts: Mapping[str, Sequence[str]],
    items: Items,
    ranks: Ranks,
) -> pl.DataFrame:
    """A table user, rank, item, title, score; contexts told per row stand after the user."""
    case, place = np.nonzero(ranks.top >= 0)
    row = ranks.top[case, place]
    assert ranks.score is not None
    ids, titles = (pl.Series(list(side), dtype=pl.String) for side in _named(items))
    columns = {
        name: pl.Series(list(values), dtype=pl.String).gather(case)
        for name, values in {"user": users, **contexts}.items()
    }
    columns["rank"] = pl.Series(place + 1, dtype=pl.Int64)
    columns["item"], columns["title"] = ids.gather(row), titles.gather(row)
    columns["score"] = pl.Series(ranks.score[case, place], dtype=pl.Float32)
    return pl.DataFrame(columns)


def _named(items: Items) -> tuple[Sequence[str], Sequence[str]]:
    """Ids, and titles with the id where there is none."""
    ids = items.vocabulary.ids
    return ids, [title or one for title, one in zip(items.titles, ids, strict=True)]
