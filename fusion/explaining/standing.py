"""Where every item stands for one person, as the model says it, and in another life of theirs."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from trefoil.data.errors import UnknownId
from trefoil.data.histories import Cases
from trefoil.data.interactions import Bools, Ints
from trefoil.evaluation.exam import Exam, Sets
from trefoil.evaluation.ranking import rank
from trefoil.fusion.catalogue import Catalogue
from trefoil.fusion.requests import arguments
from trefoil.fusion.requests.state import State

NONE = np.zeros(0, np.int64)


@dataclass(frozen=True)
class Standing:
    """The whole list of one case: candidates best first, and the place of each item from 1 on.

    The place of what is no candidate is 0.
    """

    cases: Cases
    order: Ints
    place: Ints
    score: NDArray[np.float32]  # of all items


@dataclass(frozen=True)
class Life:
    """A person (row, -1 for nobody known) and what they met, as it was or as it might have been."""

    user: int
    cases: Cases
    hidden: Ints  # what may not be recommended, for they met it

    @classmethod
    def of(cls, state: State, user: int) -> "Life":
        """All that is known of a person."""
        catalogue, rows = state.catalogue, np.array([user])
        codes = catalogue.scenario_codes(None, 1)
        cases = catalogue.cases(rows, codes)
        return cls(user, cases, catalogue.now.hidden(rows, codes, catalogue.hides).item)

    def changed(self, without: Ints, with_: Ints, catalogue: Catalogue) -> "Life":
        """Had they not met some items, and had they met others after all that is known."""
        history = self.cases.history
        history = history.where(~np.isin(history.item, without)).followed_by(with_)
        hidden = self.hidden[~np.isin(self.hidden, without)]
        if catalogue.hides == "hide":
            hidden = np.union1d(hidden, with_)
        return replace(self, cases=replace(self.cases, history=history), hidden=hidden)


def stands(state: State, life: Life, opened: int | None = None) -> Standing:
    """The whole list; with the item ``opened`` in it, whatever keeps it out."""
    catalogue, items = state.catalogue, len(state.catalogue.items)
    candidates = open_items(catalogue)
    hidden = life.hidden
    if opened is not None:
        candidates[opened] = True
        hidden = hidden[hidden != opened]
    wanted = Sets(np.zeros(2, np.int64), NONE)
    masked = Sets.of(np.zeros(len(hidden), np.int64), hidden, 1)
    exam = Exam(life.cases, wanted, masked, items, "served", "all", candidates)
    order = rank(state.scorer, exam, items).top[0]
    order = order[order >= 0]
    place = np.zeros(items, np.int64)
    place[order] = np.arange(1, len(order) + 1)
    return Standing(life.cases, order, place, state.scorer.score(life.cases)[0])


def open_items(catalogue: Catalogue) -> Bools:
    """What may be recommended to anybody."""
    if catalogue.removed is None:
        return np.ones(len(catalogue.items), bool)
    return ~catalogue.removed


def user_row(state: State, user: object) -> int:
    """The row of a user; -1 for None. Raises UnknownId."""
    if user is None:
        return -1
    name = arguments.one_id("user", user)
    if name not in state.catalogue.users:
        raise UnknownId(f"unknown user {name!r}; give one with an event")
    return state.catalogue.users.row(name)


def item_rows(state: State, name: str, ids: object | Iterable[object]) -> Ints:
    """Rows of items. Raises UnknownId for one that the catalogue does not hold."""
    vocabulary = state.catalogue.items.vocabulary
    return np.array([vocabulary.row(one) for one in arguments.ids(name, ids)], np.int64)
