"""Who and what a recommender knows by name, and what is known to have happened."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np

from trefoil.data.dataset import Dataset
from trefoil.data.histories import Cases, Histories
from trefoil.data.interactions import Interactions, Ints
from trefoil.data.items import Items
from trefoil.data.split import TEST, TRAIN, VALID, Split
from trefoil.data.vocabulary import Vocabulary
from trefoil.evaluation.exam import Sets
from trefoil.evaluation.protocols.protocols import hidden_rule

NOTHING = np.zeros(0, np.int64)
Hidden = Literal["hide", "context", "show"]  # of what a user met: all, in this context, nothing


@dataclass(frozen=True)
class Past:
    """What is known of every user at one moment.

    ``history`` holds one history per user row, to be read by models. ``events`` are all
    events in order of user, from ``start`` on: what a user has met already.
    """

    history: Histories
    events: Interactions
    start: Ints

    @classmethod
    def of(cls, read: Interactions, met: Interactions, users: int) -> "Past":
        """From the events whose positives models read, and those that count as met."""
        met = met.take(np.argsort(met.user, kind="stable"))
        start = np.searchsorted(met.user, np.arange(users + 1))
        return cls(Histories.of(read, users), met, start)

    def hidden(
        self, users: Ints, scenario: Mapping[str, Ints], rule: Hidden, until: int | None = None
    ) -> Sets:
        """Item rows that are no candidates for each case; ``users`` are rows, -1 unknown.

        "hide": all that the user met. "context": what the user met in the scenario of
        the case, equal in every column. "show": nothing. Events at ``until`` (UTC
        seconds) or later do not count.
        """
        length = np.where(users >= 0, np.diff(self.start)[np.maximum(users, 0)], 0)
        case = np.repeat(np.arange(len(users)), length)
        begin = self.start[np.maximum(users, 0)]
        place = np.arange(length.sum()) - np.repeat(np.cumsum(length) - length, length)
        row = begin[case] + place
        kept = np.full(len(row), rule != "show")
        if rule == "context":
            for name, column in self.events.scenario.items():
                kept &= column.codes[row] == scenario[name][case]
        if until is not None and self.events.at is not None:
            kept &= self.events.at[row] < until
        return Sets.of(case[kept], self.events.item[row[kept]], len(users))


@dataclass(frozen=True)
class Catalogue:
    """Ids, titles, texts and columns of the items, and every event that is known.

    ``part`` says what each event was for the model: 0 it trained, 1 it chose, 2 it was
    held out or left out. ``hides`` is the dataset's rule for what a user met before, and
    ``validation_read`` says that the exam reads validation events as history.
    ``low_below`` is a rating under which an item was not liked; None where unknown.
    """

    name: str
    users: Vocabulary
    items: Items
    events: Interactions
    part: Ints
    hides: Hidden
    validation_read: bool
    low_below: float | None = None

    @classmethod
    def of(cls, dataset: Dataset, split: Split) -> "Catalogue":
        """From all events of a dataset, whichever part they are in."""
        part = np.full(len(dataset.interactions), TEST)
        part[split.train], part[split.valid] = TRAIN, VALID
        return cls(
            dataset.name,
            dataset.users.vocabulary,
            dataset.items,
            dataset.interactions,
            part,
            hidden_rule(dataset, split),
            split.proof.reads_validation,
            dataset.report.low_below,
        )

    @cached_property
    def now(self) -> Past:
        """All that is known: what a shop serves by."""
        return Past.of(self.events, self.events, len(self.users))

    @cached_property
    def before_test(self) -> Past:
        """What was known when the exam asked: no event of the test part."""
        last = VALID if self.validation_read else TRAIN
        read, met = (self.events.take(self.part <= one) for one in (last, VALID))
        return Past.of(read, met, len(self.users))

    @property
    def scenarios(self) -> Mapping[str, Sequence[str]]:
        """The values that each scenario column may have."""
        return {name: column.names for name, column in self.events.scenario.items()}

    def with_items(self, fresh: Items) -> "Catalogue":
        """The same with more items at the end; nobody has met them."""
        return replace(self, items=self.items.followed_by(fresh))

    def cases(
        self,
        users: Ints,
        scenario: Mapping[str, Ints],
        told: Ints = NOTHING,
        *,
        past: Past | None = None,
        at: int | None = None,
    ) -> Cases:
        """Known users (rows) as cases; -1 stands for someone never seen.

        ``told`` are item rows that each of them met after all that is known. ``past`` is
        what is known, all by default; with ``at`` (UTC seconds) only what was before.
        """
        history = (past or self.now).history.take(np.maximum(users, 0))
        kept = np.repeat(users >= 0, history.lengths)
        if at is not None and history.at is not None:
            kept &= history.at < at
        if not kept.all():
            history = history.where(kept)
        moment = None if at is None else np.full(len(users), at)
        return Cases(users, history.followed_by(told), moment, scenario)

    def scenario_codes(
        self, scenario: Mapping[str, str | Sequence[str]] | None, count: int
    ) -> dict[str, Ints]:
        """Codes per known column; -1 for values and columns never seen.

        A value is one for all cases, or a sequence with one for each.
        """
        codes = {}
        for name, names in self.scenarios.items():
            value = (scenario or {}).get(name, "")
            values = [value] if isinstance(value, str) else value
            code_of = {one: code for code, one in enumerate(names)}
            found = np.array([code_of.get(one, -1) for one in values], np.int64)
            codes[name] = np.broadcast_to(found, count).copy()
        return codes
