"""What a run is written with of everybody beforehand: queries of base models, and reasons."""

import logging
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from trefoil.data.interactions import Ints
from trefoil.evaluation.order import first_of
from trefoil.fusion.explaining.reasons import chosen
from trefoil.fusion.plan.asked import Asked
from trefoil.fusion.plan.first import FIRST, FirstItems
from trefoil.fusion.plan.known import MOST_PEOPLE, KnownReasons, Shortlist, digests_of
from trefoil.fusion.plan.parts import Parts
from trefoil.fusion.plan.said_of_many import LARGE
from trefoil.fusion.plan.storage import write_plan
from trefoil.fusion.requests.listing import listed
from trefoil.fusion.requests.question import Question
from trefoil.fusion.requests.state import State
from trefoil.kg.paths.search import KIND, WEIGHT

log = logging.getLogger(__name__)
LEAST_RECALL = 0.999  # of exact first items, from which candidates do
ASKED = 200  # people whose lists are compared
REASONED = 10_000  # of more people no reasons are made beforehand: 6 ms each, when saving


def write_with_known(
    state: State, parts: Parts, folder: Path, others: Iterable[str]
) -> dict[str, int | float]:
    """Write a plan with what it may know beforehand; what that is, in numbers.

    ``others`` are as for ``write_plan``.
    """
    whole = with_known(state, parts)
    write_plan(whole, folder, others)
    return whole.beforehand


def with_known(state: State, parts: Parts) -> Parts:
    """The parts of a plan, with what it may know beforehand of everybody in the catalogue."""
    people = len(state.catalogue.users)
    parts = replace(parts, shortlist=_shortlist(state))
    if not 0 < people <= MOST_PEOPLE:
        return replace(parts, known=None, reasons=None)
    users = np.arange(people)
    codes = state.catalogue.scenario_codes(None, people)
    known = state.scorer.known_queries(state.catalogue.cases(users, codes))
    return replace(
        parts, known=known, reasons=_reasons(state, users) if people <= REASONED else None
    )


def _shortlist(state: State) -> Shortlist | None:
    """The fewest candidates for lists of a large catalogue that give the exact first items."""
    plan, catalogue = state.scorer, state.catalogue
    if plan.items < LARGE:
        return None
    tried = [FirstItems(plan)]
    if not tried[0].possible:
        return None
    narrow = FirstItems(plan, narrow=True)
    tried = [narrow, *tried] if narrow.narrow else tried
    drawn = np.random.default_rng(0).permutation(len(catalogue.users))[:ASKED]
    codes = catalogue.scenario_codes(None, 1)
    found: list[list[tuple[float, float]]] = [[] for _ in tried]
    for user in np.sort(drawn):
        question = Question(np.array([user]), codes, catalogue.now, catalogue.hides)
        exact = listed(state, plan, question, FIRST)
        for first, own in zip(tried, found, strict=True):
            told = first.of(exact.cases, Asked(exact.cases, plan.items))
            near = None if told is None else first_of(exact.exam, told.item, told.score, FIRST)
            if near is not None:
                own.append((np.isin(exact.top, near[0]).mean(), (exact.top == near[0]).mean()))
    for first, own in zip(tried, found, strict=True):
        if own:
            recall, equal = (float(one) for one in np.mean(own, axis=0))
            log.info("candidates of a large catalogue: recall %.4f, equal %.4f", recall, equal)
            if min(recall, equal) >= LEAST_RECALL:
                return Shortlist(first.size, recall, equal, first.narrow)
    return None


def _reasons(state: State, users: Ints) -> KnownReasons:
    """The reasons of the first items of each person's list."""
    catalogue = state.catalogue
    codes = catalogue.scenario_codes(None, len(users))
    question = Question(users, codes, catalogue.now, catalogue.hides)
    found = listed(state, state.scorer, question, FIRST)
    top, shape = found.top, found.top.shape
    kind, seen, fact, other = (np.full(shape, -1, np.int32) for _ in range(4))
    liked, weight, adds = np.zeros(shape, bool), np.zeros(shape), np.zeros(shape)
    for user in users.tolist():
        case, items = found.cases.take(np.array([user])), top[user][top[user] >= 0]
        for row, own, good in chosen(state, case, items, np.arange(len(items)), 1):
            at = user, row[0]
            kind[at], seen[at], fact[at], other[at] = row[KIND : KIND + 4]
            weight[at], adds[at], liked[at] = row[WEIGHT], own, good
    item, digest = top.astype(np.int32), digests_of(found.cases.history)
    graph = state.held.paths.index.digest
    return KnownReasons(graph, digest, item, liked, kind, seen, fact, other, weight, adds)
