"""What a recommender answers: lists with what they rest on."""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from trefoil.data.histories import Cases
from trefoil.data.interactions import Bools, Ints
from trefoil.data.shown import Shown
from trefoil.fusion.catalogue import NOTHING
from trefoil.fusion.explaining.reasons import reasons_for
from trefoil.fusion.requests.listing import Listed
from trefoil.fusion.requests.question import Question
from trefoil.fusion.requests.state import Purpose, State
from trefoil.kg.paths.explain import Reason

if TYPE_CHECKING:
    import pandas as pd
    from rich.table import Table


COLUMNS = {
    "item": pl.String,
    "title": pl.String,
    "score": pl.Float64,
    "stars": pl.Float64,
    "why": pl.String,
}


@dataclass(frozen=True)
class Recommendation:
    """One item for someone: ``score`` orders, ``stars`` is a rating expected, in data units.

    ``known`` says whether the user was known; reasons are paths in words, best first.
    ``shares``, where they were asked for, are what each base model adds to the score; their
    sum is the score. ``pinned`` says that the call gave the item its place.
    """

    item: str
    title: str
    score: float
    stars: float | None
    reasons: tuple[Reason, ...]
    known: bool
    shares: Mapping[str, float] | None = None
    pinned: bool = False

    @property
    def why(self) -> str:
        """The best reason in words; empty without one."""
        return self.reasons[0].text if self.reasons else ""


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


@dataclass(frozen=True)
class Dropped:
    """Why a list is as short as it is: how many items each rule kept out, each item once.

    In this order: ``removed`` from the catalogue, left out by ``without`` and dislikes, beyond
    ``only``, not of ``where``, ``seen`` before; ``per`` counts items that only a cap kept out,
    among the first that were looked at. ``short`` is how many fewer items there are than
    were asked for. ``unknown`` names columns, values and pinned items that nothing has.
    """

    removed: int = 0
    without: int = 0
    only: int = 0
    where: int = 0
    seen: int = 0
    per: int = 0
    short: int = 0
    unknown: tuple[str, ...] = ()

    def __str__(self) -> str:
        words = {
            "removed": "removed from the catalogue",
            "without": "left out by the call",
            "only": "not among those to choose from",
            "where": "filtered",
            "seen": "seen before",
            "per": "more of a kind than asked for",
        }
        told = [
            f"{count:,} {text}" for name, text in words.items() if (count := getattr(self, name))
        ]
        parts = [f"{self.short} fewer than asked for"] if self.short else []
        parts += [", ".join(told)] if told else []
        parts += [f"unknown: {', '.join(self.unknown)}"] if self.unknown else []
        return "; ".join(parts) or "nothing"


class Answer(list[Recommendation]):
    """A list of recommendations, best first, and what it is ``based_on``.

    ``dropped`` says what was kept out, ``state`` names the state that answered, ``model`` the
    run or the dataset.
    """

    def __init__(
        self,
        found: Iterable[Recommendation],
        based_on: Basis,
        dropped: Dropped | None = None,
        model: str = "",
        state: str = "",
    ) -> None:
        super().__init__(found)
        self.based_on, self.dropped = based_on, dropped or Dropped()
        self.model, self.state = model, state

    @cached_property
    def id(self) -> str:
        """A name that no other answer has."""
        return secrets.token_urlsafe(12)

    def to_polars(self) -> pl.DataFrame:
        """A row for each item: rank, item, title, score, stars, why, and shares by base model."""
        columns = {"rank": range(1, len(self) + 1)} | {
            name: [getattr(one, name) for one in self] for name in COLUMNS
        }
        frame = pl.DataFrame(columns, schema={"rank": pl.Int64, **COLUMNS})
        names = dict.fromkeys(name for one in self for name in one.shares or ())
        return frame.with_columns(
            pl.Series(f"share {name}", [(one.shares or {}).get(name, 0.0) for one in self])
            for name in names
        )

    def to_pandas(self) -> "pd.DataFrame":
        """``to_polars`` as a pandas frame."""
        return self.to_polars().to_pandas()

    def shown(self) -> Shown:
        """As a table for people."""
        rows = [
            (place, one.item, one.title, one.score, one.stars, one.why)
            for place, one in enumerate(self, 1)
        ]
        return Shown("", ("rank", *COLUMNS), rows, f"kept out: {self.dropped}")

    def __rich__(self) -> "Table":
        return self.shown().rich()

    def __repr__(self) -> str:
        return self.shown().text()

    def _repr_html_(self) -> str:
        return self.shown().html()


def answer_of(
    state: State, found: Listed, question: Question, k: int, reasons: int, *, shares: bool
) -> Answer:
    """The first case's list, with its ratings and reasons, and what it rests on."""
    cases, items = found.cases, state.catalogue.items
    user = int(cases.user[0])
    top = found.top[0][found.top[0] >= 0]
    read = question.told.read.item
    known = bool(question.user[0] >= 0)
    paths = reasons_for(state, cases, top, reasons, dated=question.at is not None)
    stars = state.scorer.stars(cases, top) if user >= 0 else None
    pinned = set(question.rules.pinned.tolist())
    listed = [
        Recommendation(
            items.vocabulary[row],
            items.title(row),
            float(found.score[0, place]),
            None if stars is None else float(stars[0, place]),
            paths[place],
            known,
            pinned=row in pinned,
        )
        for place, row in enumerate(top.tolist())
    ]
    if shares:
        listed = _with_shares(state, cases, top, listed)
    basis = Basis(state.purpose, known, len(cases.history.item), len(read), question.unknown)
    dropped = _dropped(state, found, question, k - len(listed))
    return Answer(listed, basis, dropped, state.name, state.token)


def _dropped(state: State, found: Listed, question: Question, short: int) -> Dropped:
    """What each rule kept out of the first case's list, in the order of ``Dropped``."""
    seen, unknown = found.exam.masked.item, question.rules.unknown
    removed = state.catalogue.removed
    if removed is None and found.exam.candidates is None:
        return Dropped(seen=len(seen), per=found.barred, short=short, unknown=unknown)
    left = np.ones(len(state.catalogue.items), bool)

    def cut(kept: Bools | None, rows: Ints = NOTHING) -> int:
        before = np.count_nonzero(left)
        if kept is not None:
            np.logical_and(left, kept, out=left)
        left[rows] = False
        return int(before - np.count_nonzero(left))

    gone = cut(None if removed is None else ~removed)
    counts = gone, cut(None, question.without), cut(question.only), cut(question.where)
    return Dropped(*counts, cut(None, seen), found.barred, short, unknown)


def _with_shares(
    state: State, cases: Cases, top: Ints, listed: list[Recommendation]
) -> list[Recommendation]:
    """With what each base model adds; "other" is what the rest of the score comes from."""
    told = state.scorer.shares(cases.take(np.array([0])), top)
    found = []
    for place, one in enumerate(listed):
        own = {name: float(share[0, place]) for name, share in told.items()}
        own = {name: share for name, share in own.items() if share == share}
        rest = one.score - sum(own.values())
        if abs(rest) > 1e-3:
            own["other"] = rest
        found.append(replace(one, shares=own))
    return found


def explained(state: State, user: int, item: int, k: int) -> list[Reason]:
    """The best reasons for one item (rows), from all that is known of a user."""
    cases = state.catalogue.cases(np.array([user]), state.catalogue.scenario_codes(None, 1))
    return list(reasons_for(state, cases, np.array([item]), k)[0])
