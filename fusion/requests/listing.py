"""One door to every list: scores, put in order as an exam puts them, and dealt by rules."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trefoil.data.histories import Cases
from trefoil.data.interactions import Floats, Ints
from trefoil.evaluation.exam import Exam, Scorer, plain
from trefoil.evaluation.order import first_of
from trefoil.evaluation.ranking import rank
from trefoil.fusion.plan.plan import Plan
from trefoil.fusion.requests.question import Question
from trefoil.fusion.requests.rules import Floor
from trefoil.fusion.requests.selection import choose
from trefoil.fusion.requests.state import State

POOL = 100  # first items that caps and variety choose from
DEEPER = 4  # times as many are looked at where these do not fill a list
CASES = 64  # cases that are chosen for at once


@dataclass(frozen=True)
class Adjusted:
    """A scorer that adds what a call asks for: rows [items] for all cases.

    ``wished`` is added as it is, ``lift`` in standard deviations of the scores of a case.
    """

    scorer: Scorer
    wished: NDArray[np.floating[Any]] | None = None
    lift: Floats | None = None

    def score(self, cases: Cases) -> NDArray[np.floating[Any]]:
        found = plain(self.scorer.score(cases))
        if self.wished is not None:
            found = found + self.wished
        if self.lift is not None:
            found = found + found.std(1, keepdims=True) * self.lift
        return found


@dataclass(frozen=True)
class FirstOf:
    """The scorer of one person's short list: of a large catalogue it scores first items alone."""

    plan: Plan

    def score(self, cases: Cases) -> NDArray[np.floating[Any]]:
        return self.plan.score(cases)

    def listed(self, exam: Exam, k: int) -> "Listed | None":
        """The first ``k`` items, where candidates hold them."""
        found = self.plan.first_items(exam.cases)
        if found is None:
            return None
        best = first_of(exam, found.item, found.score, k, found.least)
        return None if best is None else Listed(exam, best[0][None], best[1][None])


@dataclass(frozen=True)
class Listed:
    """The items of each case, best first: ``top`` and ``score`` [cases, k], -1 and NaN at the end.

    ``barred`` counts items that only a cap kept out of the first case's list.
    """

    exam: Exam
    top: Ints
    score: Floats
    barred: int = 0

    @property
    def cases(self) -> Cases:
        return self.exam.cases


def listed(
    state: State,
    scorer: Scorer,
    question: Question,
    k: int,
    offset: int = 0,
    batch: int | None = None,
) -> Listed:
    """Items ``offset`` to ``offset + k`` of the list of each case."""
    exam, rules = question.exam(state.catalogue), question.rules
    wanted = min(offset + k, exam.items)
    free = max(wanted - int((rules.places < wanted).sum()), 0)
    short = scorer.listed(exam, free) if isinstance(scorer, FirstOf) else None
    if short is not None:
        found = short
    elif rules.choose:
        found = _chosen(state, scorer, exam, question, free, batch)
    else:
        ranks = rank(scorer, exam, free, batch=batch)
        assert ranks.score is not None
        found = Listed(exam, ranks.top, ranks.score)
    if len(rules.pinned):
        found = _pinned(scorer, found, question, wanted)
    if offset:
        found = Listed(exam, found.top[:, offset:], found.score[:, offset:], found.barred)
    return found


def _chosen(
    state: State, scorer: Scorer, exam: Exam, question: Question, k: int, batch: int | None
) -> Listed:
    """By caps and variety, from a pool that is made deeper until every list is full."""
    rules, plan = question.rules, state.scorer
    pool = min(max(POOL, DEEPER * k), exam.items)
    while True:
        ranks = rank(scorer, exam, pool, batch=batch)
        assert ranks.score is not None
        full = (ranks.top[:, -1:] >= 0).all(1)
        rows, score = _with_groups(scorer, exam, rules.floors, ranks.top, ranks.score, batch)
        place, barred = np.full((len(rows), k), -1), 0
        for first in range(0, len(rows), CASES):
            part = slice(first, first + CASES)
            vectors = plan.vectors(rows[part]) if rules.diversity else None
            chosen = choose(
                score[part],
                k,
                rows[part],
                rules.caps,
                rules.pinned,
                rules.diversity,
                vectors,
                rules.floors,
            )
            place[part] = chosen.place
            barred = barred if first else int(chosen.barred[0].sum())
        short = (place[:, -1:] < 0).any(1) & full
        if pool == exam.items or not short.any():
            break
        pool = min(DEEPER * pool, exam.items)
    every = np.arange(len(rows))[:, None]
    top = np.where(place >= 0, rows[every, place], -1)
    return Listed(exam, top, np.where(place >= 0, score[every, place], np.float32(np.nan)), barred)


def _with_groups(
    scorer: Scorer,
    exam: Exam,
    floors: Sequence[Floor],
    rows: Ints,
    score: Floats,
    batch: int | None,
) -> tuple[Ints, Floats]:
    """The pool [cases, more] with as many items of each group that has a share of the places.

    What is not among the best items scores less than they do, so that order stays.
    """
    pool = rows.shape[1]
    for floor in floors:
        open_to = floor.items if exam.candidates is None else floor.items & exam.candidates
        own = rank(scorer, replace(exam, candidates=open_to), pool, batch=batch)
        assert own.score is not None
        new = ~np.array([np.isin(a, b) for a, b in zip(own.top, rows, strict=True)])
        rows = np.concatenate([rows, np.where(new, own.top, -1)], 1)
        score = np.concatenate([score, np.where(new, own.score, np.float32(np.nan))], 1)
    return rows, score


def _pinned(scorer: Scorer, found: Listed, question: Question, wanted: int) -> Listed:
    """With pinned items at their places; behind the last item where a list is shorter."""
    rules = question.rules
    shown = rules.places < wanted
    places, rows = rules.places[shown], rules.pinned[shown]
    n = len(found.top)
    top, score = np.full((n, wanted), -1), np.full((n, wanted), np.nan, np.float32)
    free = np.setdiff1d(np.arange(wanted), places)[: found.top.shape[1]]
    top[:, free], score[:, free] = found.top[:, : len(free)], found.score[:, : len(free)]
    top[:, places] = rows
    for first in range(0, n, CASES):
        part = np.arange(first, min(first + CASES, n))
        score[part[:, None], places] = plain(scorer.score(found.cases.take(part)))[:, rows]
    order = np.argsort(top < 0, axis=1, kind="stable")
    every = np.arange(n)[:, None]
    return Listed(found.exam, top[every, order], score[every, order], found.barred)
