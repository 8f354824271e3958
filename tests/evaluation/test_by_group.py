"""What groups of items and users get: a planted shop where only one group is shown."""

import numpy as np
import polars as pl
import pytest
import torch

from trefoil.data import ConfigError, EntityColumns, EventColumns, dataset_of, split_events
from trefoil.evaluation.by_group import by_group, groupings, without_popularity
from trefoil.evaluation.protocols.protocols import full_exam
from trefoil.evaluation.ranking import rank

USERS, ITEMS = 60, 30


class Popular:
    """Ranks by how often an item was met; ``lift`` [items] is added."""

    def __init__(self, counts, lift=0.0):
        self.scores = torch.from_numpy(counts + lift).float()

    def score(self, cases):
        return self.scores.expand(len(cases), -1).clone()


@pytest.fixture(scope="module")
def shop():
    rng = np.random.default_rng(0)
    odds = 1 / np.arange(1, ITEMS + 1)
    rows = []
    for user in range(USERS):
        met = rng.choice(ITEMS, 8 + user % 3 * 4, replace=False, p=odds / odds.sum())
        rows += [(f"u{user}", f"i{item}") for item in met]
    events = pl.DataFrame(rows, schema=["user", "item"], orient="row")
    items = pl.DataFrame(
        {"id": [f"i{one}" for one in range(ITEMS)], "kind": ["a", "b"] * (ITEMS // 2)}
    )
    users = pl.DataFrame(
        {"id": [f"u{one}" for one in range(USERS)], "sex": ["f", "m"] * (USERS // 2)}
    )
    return dataset_of(
        events,
        EventColumns("user", "item"),
        items=items,
        item_columns=EntityColumns("id", category=("kind",)),
        users=users,
        user_columns=EntityColumns("id", category=("sex",)),
    )


@pytest.fixture(scope="module")
def asked(shop):
    split = split_events(shop, 0)
    return split, full_exam(shop, split, "valid")


def test_who_ranks_by_popularity_shows_popular_items(shop, asked):
    split, exam = asked
    train = shop.interactions.take(split.train)
    counts = np.bincount(train.item, minlength=ITEMS).astype(float)
    ranks = {"popular": rank(Popular(counts), exam), "rare": rank(Popular(-counts), exam)}
    told = by_group(ranks, shop, split, exam)["items by popularity"]
    assert list(told) == ["popular", "middle", "rare"]
    assert sum(one["popular"]["events"] for one in told.values()) == pytest.approx(1)
    assert sum(one["popular"]["exposure@10"] for one in told.values()) == pytest.approx(1)
    assert told["popular"]["popular"]["catalogue"] < told["rare"]["popular"]["catalogue"]
    assert told["rare"]["rare"]["exposure@10"] > 0.8 > told["rare"]["popular"]["exposure@10"]
    plain = without_popularity(ranks, shop, split)["popular"]
    assert plain["recall@10"] < plain["plain-recall@10"]
    unweighed = without_popularity(ranks, shop, split, 0.0)["popular"]
    assert unweighed["recall@10"] == pytest.approx(unweighed["plain-recall@10"])


def test_columns_of_items_and_users_make_groups(shop, asked):
    split, exam = asked
    kinds = np.arange(ITEMS) % 2 == 0
    ranks = {"": rank(Popular(np.zeros(ITEMS), 10.0 * kinds), exam)}
    told = by_group(ranks, shop, split, exam, ["kind", "sex"])
    shown = {name: one[""]["exposure@10"] for name, one in told["items by kind"].items()}
    assert shown["a"] > 0.6 > 0.4 > shown["b"]  # those of kind a that were met are masked
    assert told["items by kind"]["a"][""]["catalogue"] == 0.5
    sexes = told["users by sex"]
    assert {one[""]["cases"] for one in sexes.values()} == {30.0}
    by_events = next(one for one in groupings(shop, split, exam) if not one.of_items)
    assert sum(rows.sum() for rows in by_events.members.values()) <= len(exam)
    with pytest.raises(ConfigError, match=r"--groups 'knd'.*kind"):
        by_group(ranks, shop, split, exam, ["knd"])
