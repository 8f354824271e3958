"""Who and what a model knows by name, and what each user has met."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from data.dataset import Dataset
from data.histories import Cases, Histories
from data.interactions import Interactions, Ints
from data.items import Items
from data.split import Split
from data.vocabulary import Vocabulary
from evaluation.exam import Sets

NOTHING = np.zeros(0, np.int64)


@dataclass(frozen=True)
class Catalogue:
    """Ids, titles and texts; per user the history to read and the items already met."""

    name: str
    users: Vocabulary
    items: Items
    scenarios: Mapping[str, tuple[str, ...]]
    history: Histories  # one per user row: training and validation positives
    met: Sets  # one per user row: items of any training or validation event

    @classmethod
    def of(cls, dataset: Dataset, split: Split) -> "Catalogue":
        """From the events that were learned from and chosen by; the test part stays closed."""
        rows = np.sort(np.concatenate([split.train, split.valid]))
        events: Interactions = dataset.interactions.take(rows)
        users = len(dataset.users)
        return cls(
            dataset.name,
            dataset.users.vocabulary,
            dataset.items,
            {name: column.names for name, column in events.scenario.items()},
            Histories.of(events, users),
            Sets.of(events.user, events.item, users),
        )

    def with_items(self, fresh: Items) -> "Catalogue":
        """The same with more items at the end; nobody has met them."""
        old = self.items
        items = Items(
            Vocabulary([*old.vocabulary.ids, *fresh.vocabulary.ids]),
            (*old.titles, *fresh.titles),
            (*old.texts, *fresh.texts),
        )
        return replace(self, items=items)

    def cases(self, users: Ints, scenario: Mapping[str, Ints], told: Ints = NOTHING) -> Cases:
        """Known users (rows) as cases; -1 stands for someone never seen.

        ``told`` are item rows that each of them met after all that is known.
        """
        history = self.history.take(np.maximum(users, 0))
        if (users < 0).any():
            history = _emptied(history, users < 0)
        return Cases(users, history.followed_by(told), None, scenario)

    def scenario_codes(self, scenario: Mapping[str, str] | None, count: int) -> dict[str, Ints]:
        """Codes per known column; -1 for values and columns never seen."""
        codes = {}
        for name, names in self.scenarios.items():
            value = (scenario or {}).get(name)
            code = names.index(value) if value in names else -1
            codes[name] = np.full(count, code, np.int64)
        return codes


def _emptied(history: Histories, gone: np.ndarray) -> Histories:
    lengths = np.where(gone, 0, history.lengths)
    kept = np.repeat(~gone, history.lengths)
    return Histories(
        np.concatenate([[0], np.cumsum(lengths)]),
        history.item[kept],
        None if history.at is None else history.at[kept],
        None if history.stars is None else history.stars[kept],
        {name: codes[kept] for name, codes in history.scenario.items()},
    )
