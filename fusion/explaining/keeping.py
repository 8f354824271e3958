"""What a run is written with of everybody beforehand: queries of base models, and reasons."""

from dataclasses import replace

import numpy as np

from trefoil.data.interactions import Ints
from trefoil.fusion.explaining.reasons import chosen
from trefoil.fusion.plan.known import MOST_PEOPLE, KnownReasons, digests_of
from trefoil.fusion.plan.parts import Parts
from trefoil.fusion.requests.listing import listed
from trefoil.fusion.requests.question import Question
from trefoil.fusion.requests.state import State
from trefoil.kg.paths.search import KIND, SEEN, WEIGHT

FIRST = 20  # items of a list whose reasons are kept


def with_known(state: State, parts: Parts) -> Parts:
    """The parts of a plan, with what it may know beforehand of everybody in the catalogue."""
    people = len(state.catalogue.users)
    if not 0 < people <= MOST_PEOPLE:
        return replace(parts, known=None, reasons=None)
    users = np.arange(people)
    codes = state.catalogue.scenario_codes(None, people)
    known = state.scorer.known_queries(state.catalogue.cases(users, codes))
    return replace(parts, known=known, reasons=_reasons(state, users))


def _reasons(state: State, users: Ints) -> KnownReasons:
    """The reasons of the first items of each person's list."""
    catalogue = state.catalogue
    codes = catalogue.scenario_codes(None, len(users))
    question = Question(users, codes, catalogue.now, catalogue.hides)
    found = listed(state, state.scorer, question, FIRST)
    top, shape = found.top, found.top.shape
    kind, seen, fact, other = (np.full(shape, -1, np.int32) for _ in range(4))
    liked, (weight, adds) = np.zeros(shape, bool), np.zeros((2, *shape))
    for user in users.tolist():
        case, items = found.cases.take(np.array([user])), top[user][top[user] >= 0]
        for row, own, good in chosen(state, case, items, np.arange(len(items)), 1):
            at = user, row[0]
            kind[at], seen[at], fact[at], other[at] = row[KIND], *row[SEEN : SEEN + 3]
            weight[at], adds[at], liked[at] = row[WEIGHT], own, good
    item, digest = top.astype(np.int32), digests_of(found.cases.history)
    graph = state.held.paths.index.digest
    return KnownReasons(graph, digest, item, liked, kind, seen, fact, other, weight, adds)
