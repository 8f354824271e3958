"""Datasets that differ in what happened in the test part, and in nothing else.

The shop of ``planted_shop`` has all that a model can read: stars, times, contexts,
negatives, texts, a graph, and attributes of items and people.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
from planted_shop import read_shop

from trefoil.data import Categorical, Dataset, Split, SplitRule, split_events

RULES = {
    "time": SplitRule("time", 0.2, 0.2),
    "ratio": SplitRule("ratio", 0.3, 0.3),
    "leave-one-out": SplitRule("leave-one-out"),
    "given": SplitRule("given"),
    "carved": SplitRule("given"),  # training and test are given, validation is carved
    "rows": SplitRule("rows", 0.2, 0.2),
}
DISLIKED = 2  # stars up to which an event is a negative
OUTSIDE = 40  # stars that nobody gave in training
LATER_S = 10**8


def shop_split_by(name: str, folder: Path, **sizes: int) -> tuple[Dataset, Split]:
    """The shop with dislikes, and its events divided by one of the ``RULES``."""
    dataset = read_shop(folder, **sizes)
    events = dataset.interactions
    assert events.stars is not None
    part = None
    if name in ("given", "carved"):
        third = np.arange(len(events)) % 7
        part = np.where(third == 3, 2, np.where((third == 5) & (name == "given"), 1, 0))
        part = part.astype(np.int8)
    events = replace(events, positive=events.stars > DISLIKED, part=part)
    dataset = replace(dataset, interactions=events, rule=RULES[name])
    return dataset, split_events(dataset, 0)


def twin_of(dataset: Dataset, split: Split) -> Dataset:
    """The same, but other people took other things in the test part, later and elsewhere.

    Their stars lie outside the training scale, likes are dislikes, and contexts change.
    """
    events, rows = dataset.interactions, split.open_test()

    def changed(column, values):
        out = column.copy()
        out[rows] = values
        return out

    assert events.stars is not None
    assert events.at is not None
    scenario = {
        name: Categorical(changed(one.codes, (one.codes[rows] + 1) % len(one.names)), one.names)
        for name, one in events.scenario.items()
    }
    others = replace(
        events,
        user=changed(events.user, np.roll(events.user[rows], 1)),
        item=changed(events.item, (events.item[rows] + 11) % len(dataset.items)),
        positive=changed(events.positive, ~events.positive[rows]),
        stars=changed(events.stars, events.stars[rows] + OUTSIDE),
        at=changed(events.at, events.at[rows] + LATER_S),
        scenario=scenario,
    )
    return replace(dataset, interactions=others)
