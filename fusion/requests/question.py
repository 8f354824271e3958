"""What is asked, in rows: whom it is for, what is known, and what is no candidate.

``evaluation.ranking.rank`` puts exams in order; the lists that people get are
ranked by the same function, as exams that want nothing.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace

import numpy as np

from trefoil.data.domains import DOMAIN
from trefoil.data.errors import ConfigError
from trefoil.data.histories import Cases
from trefoil.data.interactions import Bools, Floats, Ints
from trefoil.evaluation.exam import Exam, Sets, Within
from trefoil.fusion.catalogue import NOTHING, Catalogue
from trefoil.fusion.past import Hidden, Past
from trefoil.fusion.plan.attributes import told_rows
from trefoil.fusion.requests import arguments
from trefoil.fusion.requests.history import Told, told_of
from trefoil.fusion.requests.request import Request
from trefoil.fusion.requests.rules import Rules, rules_of
from trefoil.fusion.requests.state import State

log = logging.getLogger(__name__)
SHOWN = 9  # unknown names in a line of the log
SEEN: Mapping[str, Hidden | None] = {"auto": None, "hide": "hide", "show": "show"}
ELSEWHERE = {"user", "k", "text", "scenario", "offset", "reasons", "shares"}
SAYS_MORE = [
    (one.name, one.default) for one in fields(Request) if one.name not in ELSEWHERE
]  # else a call is plain


@dataclass(frozen=True)
class Question:
    """Cases to rank items for, in rows.

    ``user`` is -1 for someone never seen; ``told`` is what each of them met after
    all that is known. ``hides`` says what of a person's earlier items is no candidate,
    ``without`` what is none for anybody, ``only`` and ``where`` [items] what alone is one.
    ``past`` is what is known, up to ``at`` (UTC seconds). ``disliked`` are item rows, and
    ``rules`` how a list is dealt. ``unknown`` are ids of the call that the catalogue does
    not hold, and contexts that no event has.
    """

    user: Ints
    scenario: Mapping[str, Ints]
    past: Past
    hides: Hidden
    told: Told = field(default_factory=Told)
    without: Ints = field(default_factory=lambda: NOTHING)
    only: Bools | None = None
    where: Bools | None = None
    at: int | None = None
    disliked: Ints = field(default_factory=lambda: NOTHING)
    rules: Rules = field(default_factory=Rules)
    unknown: tuple[str, ...] = ()
    attributes: Floats | None = None  # [cases, attributes], where the call tells some

    def exam(self, catalogue: Catalogue) -> Exam:
        """The question as an exam that wants nothing."""
        told = self.told.read
        cases = catalogue.cases(self.user, self.scenario, told, past=self.past, at=self.at)
        if self.attributes is not None:
            cases = replace(cases, attributes=self.attributes)
        n = len(self.user)
        return Exam(
            cases,
            Sets(np.zeros(n + 1, np.int64), NOTHING),
            self._masked(n),
            len(catalogue.items),
            "served",
            "all",
            self._candidates(catalogue),
            _within(cases, catalogue),
        )

    def _candidates(self, catalogue: Catalogue) -> Bools | None:
        """What may be recommended to anybody; None where all may."""
        limits = [one for one in (self.only, self.where) if one is not None]
        pinned = self.rules.pinned
        if not (len(self.without) or limits or len(pinned)) and catalogue.removed is None:
            return None
        open_to_all = np.ones(len(catalogue.items), bool)
        for limit in limits:
            open_to_all &= limit
        open_to_all[self.without] = False
        open_to_all[pinned] = False  # it has its place
        if catalogue.removed is not None:
            open_to_all &= ~catalogue.removed
        return open_to_all

    def _masked(self, n: int) -> Sets:
        hidden = self.past.hidden(self.user, self.scenario, self.hides, self.at)
        for_all = self.told.met if self.hides == "hide" else NOTHING
        if not len(for_all):
            return hidden
        case = np.repeat(np.arange(n), np.diff(hidden.start))
        return Sets.of(
            np.concatenate([case, np.repeat(np.arange(n), len(for_all))]),
            np.concatenate([hidden.item, np.tile(for_all, n)]),
            n,
        )


def _within(cases: Cases, catalogue: Catalogue) -> Within | None:
    """Whose items each case is shown; None where all are shown to all."""
    of_item = catalogue.item_domains
    asked = None if of_item is None else cases.scenario.get(DOMAIN)
    if of_item is None or asked is None or (asked < 0).all():
        return None
    return Within(asked, of_item)


def question_of(
    state: State, request: Request, users: Ints, scenario: Mapping[str, str | Sequence[str]]
) -> Question:
    """What is asked for these users, in rows; a scenario's value is one for all or one for each.

    Raises ConfigError for an option that has no meaning.
    """
    if _plain(request) and not scenario:
        catalogue = state.catalogue
        codes = catalogue.scenario_codes(None, len(users))
        return Question(users, codes, catalogue.now, catalogue.hides)
    catalogue, known = state.catalogue, state.catalogue.items.vocabulary
    hides = SEEN[arguments.one_of("seen", request.seen, SEEN)] or catalogue.hides
    until = arguments.moment("at", request.at)
    least = catalogue.columns.get("positive_from")
    told = told_of(request.history, request.likes, known, least, until)
    disliked = arguments.ids("dislikes", request.dislikes)
    lists = arguments.ids("only", request.only), arguments.ids("without", request.without), disliked
    chosen, left, sunk = (known.rows(one) for one in lists)
    unknown = *told.unknown, *_missing(lists, (chosen, left, sunk))
    unknown += catalogue.unknown_contexts(scenario)
    allowed = None
    if request.only is not None:
        allowed = np.zeros(len(known), bool)
        allowed[chosen[chosen >= 0]] = True
    sunk = sunk[sunk >= 0]
    left = np.concatenate([left[left >= 0], sunk])
    attributes, odd = _attributes(state, request.about, users)
    unknown += odd
    where, missing = None, ()
    if request.where is not None:
        found = state.fitting(request.where)
        where, missing = found.mask, found.unknown
    return Question(
        users,
        catalogue.scenario_codes(scenario, len(users)),
        _past(state, request.before),
        hides,
        told,
        left,
        allowed,
        where,
        until,
        sunk,
        rules_of(state, request, left, missing),
        unknown,
        attributes,
    )


def tell_unknown(call: str, question: Question) -> None:
    """Log what a call names and nothing has, where its answer has no place for it."""
    unknown = [*dict.fromkeys((*question.unknown, *question.rules.unknown))]
    if unknown:
        more = f" and {len(unknown) - SHOWN:,} more" if len(unknown) > SHOWN else ""
        log.warning("%s: nothing has %s%s", call, ", ".join(unknown[:SHOWN]), more)


def _missing(names: Sequence[Sequence[str]], rows: Sequence[Ints]) -> list[str]:
    """Those of the names whose row is -1."""
    pairs = zip(names, rows, strict=True)
    return [some[at] for some, row in pairs for at in np.flatnonzero(row < 0).tolist()]


def _plain(request: Request) -> bool:
    """Whether a call says nothing but whom it is for, and what is read elsewhere."""
    for name, nothing in SAYS_MORE:
        said = getattr(request, name)
        if said is not nothing and not (type(said) in (str, int, float) and said == nothing):
            return False
    return True


def _attributes(state: State, about: object, users: Ints) -> tuple[Floats | None, tuple[str, ...]]:
    """What models read of these people where the call tells of them, and what none reads."""
    if about is None:
        return None, ()
    if not isinstance(about, Mapping):
        raise ConfigError(f"about = {about!r}: give a mapping, such as {{'occupation': 'nurse'}}")
    told = {str(name): value for name, value in about.items()}
    form = state.scorer.attributes
    if form is None:
        return None, tuple(f"{name}={value}" for name, value in told.items())
    size = form.attributes.shape[0] - 1
    rows = form.attributes[np.where(users < size, users, -1)].toarray()
    return told_rows(form.columns, rows, told)


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
