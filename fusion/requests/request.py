"""One door to every list: whom it is for, what is known, what is no candidate, and the order.

``evaluation.ranking.rank`` puts exams in order; the lists that people get are
ranked by the same function, as exams that want nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trefoil.data.errors import ConfigError
from trefoil.data.histories import Cases
from trefoil.data.interactions import Bools, Ints
from trefoil.evaluation.exam import Exam, Scorer, Sets, plain
from trefoil.evaluation.ranking import Ranks, rank
from trefoil.fusion.catalogue import NOTHING, Catalogue
from trefoil.fusion.past import Hidden, Past
from trefoil.fusion.requests import arguments
from trefoil.fusion.requests.state import State

SEEN: Mapping[str, Hidden | None] = {"auto": None, "hide": "hide", "show": "show"}


@dataclass(frozen=True)
class Request:
    """Cases to rank items for, in rows.

    ``user`` is -1 for someone never seen; ``told`` are items that each of them met after
    all that is known. ``hides`` says what of a person's earlier items is no candidate,
    ``without`` what is none for anybody, ``only`` [items] what alone is one. ``past`` is
    what is known, up to ``at`` (UTC seconds).
    """

    user: Ints
    scenario: Mapping[str, Ints]
    past: Past
    hides: Hidden
    told: Ints = field(default_factory=lambda: NOTHING)
    without: Ints = field(default_factory=lambda: NOTHING)
    only: Bools | None = None
    at: int | None = None

    def exam(self, catalogue: Catalogue) -> Exam:
        """The question as an exam that wants nothing."""
        cases = catalogue.cases(self.user, self.scenario, self.told, past=self.past, at=self.at)
        n = len(self.user)
        return Exam(
            cases,
            Sets(np.zeros(n + 1, np.int64), NOTHING),
            self._masked(n),
            len(catalogue.items),
            "served",
            "all",
            self._candidates(catalogue),
        )

    def _candidates(self, catalogue: Catalogue) -> Bools | None:
        """What may be recommended to anybody; None where all may."""
        if not len(self.without) and catalogue.removed is None:
            return self.only
        open_to_all = np.ones(len(catalogue.items), bool) if self.only is None else self.only.copy()
        open_to_all[self.without] = False
        if catalogue.removed is not None:
            open_to_all &= ~catalogue.removed
        return open_to_all

    def _masked(self, n: int) -> Sets:
        hidden = self.past.hidden(self.user, self.scenario, self.hides, self.at)
        for_all = self.told if self.hides == "hide" else NOTHING
        case = np.repeat(np.arange(n), np.diff(hidden.start))
        return Sets.of(
            np.concatenate([case, np.repeat(np.arange(n), len(for_all))]),
            np.concatenate([hidden.item, np.tile(for_all, n)]),
            n,
        )


@dataclass(frozen=True)
class Options:
    """How a call limits its answer, as it was said; see ``Recommender.recommend``."""

    seen: str
    only: object
    without: object
    at: object
    before: object


def request_of(
    state: State, users: Ints, scenario: Mapping[str, Ints], history: Sequence[str], said: Options
) -> tuple[Request, tuple[str, ...]]:
    """What is asked, in rows, and the ids of the call that the catalogue does not hold.

    Raises ConfigError for an option that has no meaning.
    """
    catalogue, known = state.catalogue, state.catalogue.items.vocabulary
    hides = SEEN[arguments.one_of("seen", said.seen, SEEN)] or catalogue.hides
    lists = history, arguments.ids("only", said.only), arguments.ids("without", said.without)
    told, chosen, left = (known.rows(one) for one in lists)
    unknown = tuple(one for one in chain(*lists) if one not in known)
    allowed = None
    if said.only is not None:
        allowed = np.zeros(len(known), bool)
        allowed[chosen[chosen >= 0]] = True
    request = Request(
        users,
        scenario,
        _past(state, said.before),
        hides,
        told[told >= 0],
        left[left >= 0],
        allowed,
        arguments.moment("at", said.at),
    )
    return request, unknown


def _past(state: State, before: object) -> Past:
    """What is known: all, or what the exam of the test part knew."""
    if before is None:
        return state.catalogue.now
    arguments.one_of("before", before, ("test",))
    if state.purpose == "serve":
        raise ConfigError(
            "before = 'test': this run learned from all events; a run without final=True "
            "can be asked as its exam was"
        )
    return state.catalogue.before_test


@dataclass(frozen=True)
class Wish:
    """A scorer that adds what a text asks for: one row [1, items] for all cases."""

    scorer: Scorer
    wished: NDArray[np.floating[Any]]

    def score(self, cases: Cases) -> NDArray[np.floating[Any]]:
        return plain(self.scorer.score(cases)) + self.wished


def answered(
    scorer: Scorer, catalogue: Catalogue, request: Request, k: int, batch: int | None = None
) -> tuple[Cases, Ranks]:
    """The cases of a request, and their first ``k`` items as an exam would rank them."""
    exam = request.exam(catalogue)
    return exam.cases, rank(scorer, exam, min(k, len(catalogue.items)), batch=batch)
