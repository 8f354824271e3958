"""Which questions are asked of a model, of whom, and what must not be answered."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np

from data.dataset import Dataset
from data.histories import Cases, Histories
from data.interactions import Interactions, Ints
from evaluation.exam import Exam, Sets

IN_TIME = ("time", "leave-one-out")  # rules under which validation precedes the test


@runtime_checkable
class Parts(Protocol):
    """A split: what may be learned from, chosen by, and asked once (``data.split``)."""

    @property
    def train(self) -> Interactions: ...
    @property
    def valid(self) -> Interactions: ...
    def open_test(self) -> Interactions: ...


def full_exam(dataset: Dataset, split: Parts, part: str) -> Exam:
    """All items ranked for every user with held-out positives, ascending by user row.

    Part "valid" masks training events; "test" masks training and validation
    events, whether positive or not. History is what the model may read of the
    user: positive training events; where the split follows time ("time",
    "leave-one-out") the test history also holds validation positives, as they
    are known by then. A held-out item that is masked for its user (met before)
    is not asked for; users left with nothing are left out.
    """
    users, items = len(dataset.users), len(dataset.items)
    held = held_out(split, part)
    seen = seen_before(split, part)
    wanted = held.take(held.positive)
    pairs = np.unique(wanted.user * items + wanted.item)
    pairs = pairs[~np.isin(pairs, seen.user * items + seen.item)]
    asked = np.unique(pairs // items)
    case_of = np.full(users, -1, np.int64)
    case_of[asked] = np.arange(len(asked))
    hidden = case_of[seen.user] >= 0
    return Exam(
        Cases(asked, history_before(dataset, split, part).take(asked), first_time(wanted, asked)),
        Sets.of(case_of[pairs // items], pairs % items, len(asked)),
        Sets.of(case_of[seen.user[hidden]], seen.item[hidden], len(asked)),
        items,
        "full",
        part,
    )


def held_out(split: Parts, part: str) -> Interactions:
    """The events a part asks about. Raises ValueError for another part than valid or test."""
    if part not in ("valid", "test"):
        raise ValueError(f"part must be 'valid' or 'test', not {part!r}")
    return split.valid if part == "valid" else split.open_test()


def seen_before(split: Parts, part: str) -> Interactions:
    """The events whose items are not asked for again."""
    return split.train if part == "valid" else joined(split.train, split.valid)


def history_before(dataset: Dataset, split: Parts, part: str) -> Histories:
    """Per user row, the positive events a model may read when the part is asked."""
    rule = getattr(split, "rule", dataset.rule)
    known = split.train
    if part == "test" and rule.by in IN_TIME:
        known = joined(split.train, split.valid)
    return Histories.of(known, len(dataset.users))


def first_time(held: Interactions, users: Ints) -> Ints | None:
    """The moment of asking: each user's first held-out event; None without times."""
    if held.at is None:
        return None
    at = np.full(int(users.max(initial=-1)) + 1, np.iinfo(np.int64).max)
    inside = held.user < len(at)
    np.minimum.at(at, held.user[inside], held.at[inside])
    return at[users]


def joined(first: Interactions, second: Interactions) -> Interactions:
    """Two parts of one table, one after the other."""
    columns = {}
    for name in ("user", "item", "positive", "stars", "at", "part"):
        one, two = getattr(first, name), getattr(second, name)
        columns[name] = None if one is None or two is None else np.concatenate([one, two])
    scenario = {
        name: type(column)(
            np.concatenate([column.codes, second.scenario[name].codes]), column.names
        )
        for name, column in first.scenario.items()
    }
    return Interactions(**columns, scenario=scenario)
