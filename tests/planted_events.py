"""Small datasets for the tests of this folder."""

import numpy as np

from trefoil.data import Categorical, DataReport, Dataset, Interactions, SplitRule, Vocabulary
from trefoil.data.items import Entities


def dataset_of(events: Interactions, users: int, items: int, rule: SplitRule) -> Dataset:
    return Dataset(
        "planted",
        events,
        Entities(Vocabulary(f"u{row}" for row in range(users))),
        Entities(Vocabulary(f"i{row}" for row in range(items))),
        None,
        rule,
        DataReport(),
        "none",
    )


def planted(
    users: int = 200,
    items: int = 60,
    events: int = 12,
    *,
    groups: int = 3,
    signal: float = 0.9,
    seed: int = 0,
    rule: SplitRule | None = None,
) -> Dataset:
    """Users of a group like its items (item row % groups == user row % groups); times ascend."""
    random = np.random.default_rng(seed)
    user = np.repeat(np.arange(users), events)
    own = random.integers(0, items // groups, len(user)) * groups + user % groups
    item = np.where(random.random(len(user)) < signal, own, random.integers(0, items, len(user)))
    at = 1_000_000 + np.tile(np.arange(events), users) * 1000 + user
    rows = np.sort(np.unique(user * items + item, return_index=True)[1])
    device = Categorical(random.integers(0, 2, len(rows)), ("phone", "sofa"))
    log = Interactions(
        user[rows],
        item[rows],
        np.ones(len(rows), bool),
        stars=random.integers(1, 6, len(rows)).astype(np.float32),
        at=at[rows],
        scenario={"device": device},
    )
    return dataset_of(log, users, items, rule or SplitRule("ratio"))


def cycles(users: int = 200, items: int = 20, events: int = 9, seed: int = 0) -> Dataset:
    """Each user walks the items in order from a random start: the next item is certain."""
    random = np.random.default_rng(seed)
    user = np.repeat(np.arange(users), events)
    step = np.tile(np.arange(events), users)
    item = (np.repeat(random.integers(0, items, users), events) + step) % items
    log = Interactions(user, item, np.ones(len(user), bool), at=1000 + step.astype(np.int64))
    return dataset_of(log, users, items, SplitRule("leave-one-out"))
