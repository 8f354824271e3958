"""Who and what a recommender knows by name, and what is known to have happened."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, reduce
from typing import Any

import numpy as np

from trefoil.data.dataset import Dataset
from trefoil.data.domains import domain_codes
from trefoil.data.histories import Cases, Later
from trefoil.data.interactions import Bools, Interactions, Ints
from trefoil.data.items import Items
from trefoil.data.split import TEST, TRAIN, VALID, Split
from trefoil.data.vocabulary import Vocabulary
from trefoil.evaluation.protocols.protocols import hidden_rule
from trefoil.fusion.past import Event, Hidden, Past

NOTHING = np.zeros(0, np.int64)
LIVE = 3  # the part of events that came after the model was fitted


@dataclass(frozen=True)
class Learned:
    """How many users there were in training, and how many values of each scenario column."""

    users: int
    contexts: Mapping[str, int]


@dataclass(frozen=True)
class Catalogue:
    """Ids, titles, texts and columns of the items, and every event that is known.

    ``part`` says what each event was for the model: 0 it trained, 1 it chose, 2 it was
    held out or left out, 3 it came after. ``hides`` is the dataset's rule for what a user
    met before, and ``validation_read`` says that the exam reads validation events as history.
    ``low_below`` is a rating under which an item was not liked; None where unknown.

    ``columns`` says what the columns of an event table mean, as ``EventColumns`` has them.
    ``later`` are events that came since, in parts; ``learned`` says which users and contexts
    models know, all where it is None. ``removed`` [items] are no candidates any more;
    ``waiting`` are events of items that are not here yet. ``domains`` are those of the dataset.
    """

    name: str
    users: Vocabulary
    items: Items
    events: Interactions
    part: Ints
    hides: Hidden
    validation_read: bool
    low_below: float | None = None
    columns: Mapping[str, Any] = field(default_factory=dict)
    later: tuple[Interactions, ...] = ()
    learned: Learned | None = None
    removed: Bools | None = None
    waiting: tuple[Event, ...] = ()
    domains: tuple[str, ...] = ()

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
            dataset.columns,
            domains=dataset.domains,
        )

    @cached_property
    def now(self) -> Past:
        """All that is known: what a shop serves by."""
        users = len(self.users) if self.learned is None else self.learned.users
        users = max(users, int(self.events.user.max(initial=-1)) + 1, 1)  # also of nobody
        past = Past.of(self.events, self.events, users)
        for part in self.later:
            past = past.followed_by(part)
        return past

    @cached_property
    def item_domains(self) -> Ints | None:
        """The domain of each item; None where there are no domains."""
        return domain_codes(self.items, self.domains)

    @property
    def every_event(self) -> Interactions:
        """All events that are known, in one table: those of ``events``, then those that came."""
        return reduce(Interactions.followed_by, self.later, self.events)

    @property
    def every_part(self) -> Ints:
        """What each of ``every_event`` was for the model."""
        came = sum(len(part) for part in self.later)
        return np.concatenate([self.part, np.full(came, LIVE, self.part.dtype)])

    def settled(self) -> "Catalogue":
        """The same with all events in one table."""
        if not self.later:
            return self
        one = replace(self, events=self.every_event, part=self.every_part, later=())
        one.__dict__["now"] = self.now
        return one

    @property
    def knowledge(self) -> Learned:
        """Which users and contexts models know."""
        sizes = {name: len(names) for name, names in self.scenarios.items()}
        return self.learned or Learned(len(self.users), sizes)

    def with_events(self, events: Interactions, users: Vocabulary) -> "Catalogue":
        """The same with events that came, by ``users``: those known, and new ones behind them.

        ``events`` have the columns of ``events`` here, and names that begin with theirs.
        """
        names = {name: column.names for name, column in events.scenario.items()}
        known = self.events
        if events.kind is not None and known.kind is not None:
            known = replace(known, kind=replace(known.kind, names=events.kind.names))
        if names != self.scenarios:
            wider = {n: replace(one, names=names[n]) for n, one in known.scenario.items()}
            known = replace(known, scenario=wider)
        longer = replace(
            self,
            users=users,
            events=known,
            later=_pushed(self.later, events),
            learned=self.knowledge,
        )
        longer.__dict__["now"] = self.now.followed_by(events)  # the part that is kept grows
        return longer

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
        removed = self.removed
        if removed is not None:
            removed = np.concatenate([removed, np.zeros(len(fresh), bool)])
        longer = replace(self, items=self.items.followed_by(fresh), removed=removed)
        longer.__dict__["now"] = self.now
        return longer

    def described(self, items: Items) -> "Catalogue":
        """The same with other words and numbers of the same items."""
        other = replace(self, items=items)
        other.__dict__["now"] = self.now
        return other

    def cases(
        self,
        users: Ints,
        scenario: Mapping[str, Ints],
        told: Later | Ints = NOTHING,
        *,
        past: Past | None = None,
        at: int | None = None,
    ) -> Cases:
        """Known users (rows) as cases; -1 stands for someone never seen.

        ``told`` are events, or item rows, that each of them met after all that is known.
        ``past`` is what is known, all by default; with ``at`` (UTC seconds) only what was before.
        """
        history = (past or self.now).histories(users)
        if at is not None and history.at is not None and not (kept := history.at < at).all():
            history = history.where(kept)
        moment = None if at is None else np.full(len(users), at)
        if self.learned is not None:
            users = np.where(users < self.learned.users, users, -1)
            scenario = self._known_contexts(scenario)
            history = replace(history, scenario=self._known_contexts(history.scenario))
        return Cases(users, history.followed_by(told), moment, scenario)

    def _known_contexts(self, scenario: Mapping[str, Ints]) -> dict[str, Ints]:
        """Codes of values that models know; -1 for those that came later."""
        assert self.learned is not None
        sizes = self.learned.contexts
        return {name: np.where(codes < sizes[name], codes, -1) for name, codes in scenario.items()}

    def since(self, user: int) -> Ints:
        """Items that a user (row) met after training, the oldest first."""
        parts = (self._came, *self.later) if self.learned is not None else ()
        return np.concatenate([*(part.item[part.user == user] for part in parts), NOTHING])

    @cached_property
    def _came(self) -> Interactions:
        """Of the events in one table, those that came after training."""
        return self.events.take(np.flatnonzero(self.part == LIVE))

    def unknown_contexts(self, scenario: Mapping[str, str | Sequence[str]]) -> tuple[str, ...]:
        """Contexts, as ``column=value``, that no event has; in lists, empty means none."""
        known = {name: {*self.scenarios.get(name, ())} for name in scenario}
        lists = {
            name: [one] if isinstance(one, str) else dict.fromkeys(filter(None, one))
            for name, one in scenario.items()
        }
        return tuple(
            f"{name}={one}"
            for name, values in lists.items()
            for one in values
            if one not in known[name]
        )

    def scenario_codes(
        self, scenario: Mapping[str, str | Sequence[str]] | None, count: int
    ) -> dict[str, Ints]:
        """Codes per known column; -1 for values and columns never seen.

        A value is one for all cases, or a sequence with one for each.
        """
        if not scenario:
            return {name: np.full(count, -1) for name in self.events.scenario}
        codes = {}
        for name, names in self.scenarios.items():
            value = (scenario or {}).get(name, "")
            values = [value] if isinstance(value, str) else value
            code_of = {one: code for code, one in enumerate(names)}
            found = np.array([code_of.get(one, -1) for one in values], np.int64)
            codes[name] = np.broadcast_to(found, count).copy()
        return codes


def _pushed(parts: tuple[Interactions, ...], events: Interactions) -> tuple[Interactions, ...]:
    """Parts of falling size, so that few are held and each event is copied few times."""
    held = [*parts, events]
    while len(held) > 1 and 2 * len(held[-1]) > len(held[-2]):
        above = held.pop()
        held[-1] = held[-1].followed_by(above)
    return tuple(held)
