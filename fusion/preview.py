"""What a change would do to the lists that people get, before it is made."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from trefoil.data.interactions import Ints
from trefoil.fusion.requests.listing import listed
from trefoil.fusion.requests.question import question_of
from trefoil.fusion.requests.request import Request
from trefoil.fusion.requests.state import State

MOST_PEOPLE, K, SHOWN, BATCH = 1000, 10, 10, 256


@dataclass(frozen=True)
class Preview:
    """First ``k`` items of ``people`` lists, before and after: ``changed`` of them differ.

    ``entering`` and ``leaving`` count lists by item id, the most first; ``moved`` lists hold
    the same items in another order. ``users`` are some of those whose list changes.
    """

    people: int
    k: int
    changed: int
    moved: int
    entering: Mapping[str, int]
    leaving: Mapping[str, int]
    users: tuple[str, ...]

    def told(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def preview_of(before: State, after: State, k: int = K) -> Preview:
    """Lists of everybody, or of ``MOST_PEOPLE`` at equal distances, in both states."""
    people = some_people(before)
    old, new = (_lists(state, people, k) for state in (before, after))
    differs = (old != new).any(1) if old.shape == new.shape else np.ones(len(people), bool)
    same = (
        (np.sort(old, axis=1) == np.sort(new, axis=1)).all(1)
        if old.shape == new.shape
        else ~differs
    )
    entering, leaving = Counter[str](), Counter[str]()
    vocabulary = after.catalogue.items.vocabulary
    for case in np.flatnonzero(differs & ~same):
        came, went = np.setdiff1d(new[case], old[case]), np.setdiff1d(old[case], new[case])
        entering.update(vocabulary[row] for row in came[came >= 0].tolist())
        leaving.update(vocabulary[row] for row in went[went >= 0].tolist())
    users = tuple(before.catalogue.users[row] for row in people[differs][:SHOWN].tolist())
    return Preview(
        len(people),
        k,
        int(differs.sum()),
        int((differs & same).sum()),
        dict(entering.most_common()),
        dict(leaving.most_common()),
        users,
    )


def some_people(state: State) -> Ints:
    """Rows of all users, or of ``MOST_PEOPLE`` at equal distances."""
    count = len(state.catalogue.users)
    return np.unique(np.linspace(0, max(count - 1, 0), min(count, MOST_PEOPLE)).astype(np.int64))


def first_items(state: State, k: int) -> Ints:
    """The first ``k`` items (rows) of ``some_people``, -1 behind a short list."""
    return _lists(state, some_people(state), k)


def _lists(state: State, people: Ints, k: int) -> Ints:
    question = question_of(state, Request(k=k), people, {})
    return listed(state, state.scorer, question, k, batch=BATCH).top
