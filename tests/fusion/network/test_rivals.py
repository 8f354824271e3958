"""What was met before is no rival of what comes next, unless people return to items."""

import numpy as np
import polars as pl
import pytest
from planted_shop import TINY

from trefoil.data import EventColumns, SplitRule, dataset_of
from trefoil.fusion.network.module import JointNetwork
from trefoil.fusion.recommender import Recommender
from trefoil.fusion.settings import load_settings

USERS, ITEMS = 40, 12


def visits(*scenario, by):
    """Everyone takes items in an order of their own."""
    rng = np.random.default_rng(0)
    rows = [
        (f"u{user}", f"i{item}", 900_000_000 + 60 * at, f"place {at % 2}")
        for user in range(USERS)
        for at, item in enumerate(rng.permutation(ITEMS)[:8])
    ]
    frame = pl.DataFrame(rows, schema=["user", "item", "at", "place"], orient="row")
    columns = EventColumns("user", "item", time="at", scenario=scenario)
    return dataset_of(frame, columns, rule=SplitRule(by))


def shares_out(dataset, monkeypatch, *changes):
    """Of each step's scores of next items, the share that is out of the comparison."""
    given = []

    def scored(network, states, *rows):
        given.append(scores(network, states, *rows))
        return given[-1]

    scores = JointNetwork.next_scores
    monkeypatch.setattr(JointNetwork, "next_scores", scored)
    settings = load_settings(None, [*TINY, "behaviour.only_where_order_pays=false", *changes])
    Recommender(settings).fit(dataset)
    learned_from = [one for one in given if one.requires_grad]
    assert learned_from
    return [float(one.isinf().float().mean()) for one in learned_from]


def test_items_met_before_are_out(monkeypatch):
    found = shares_out(visits(by="leave-one-out"), monkeypatch)
    # Six events each are learned from: one to five of the twelve items lie behind the next.
    assert found == pytest.approx([3 / ITEMS] * len(found))


def test_they_stay_in_where_settings_say_so(monkeypatch):
    dataset = visits(by="leave-one-out")
    assert not any(shares_out(dataset, monkeypatch, "behaviour.only_new=false"))


def test_they_stay_in_where_people_return(monkeypatch):
    assert not any(shares_out(visits("place", by="rows"), monkeypatch))
