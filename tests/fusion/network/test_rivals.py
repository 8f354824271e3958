"""What was met before is no rival of what comes next, unless people return to items."""

import numpy as np
import polars as pl
import pytest
import torch
from planted_shop import TINY

from trefoil.data import EventColumns, SplitRule, dataset_of
from trefoil.fusion.network.batches import Stretches
from trefoil.fusion.network.module import JointNetwork
from trefoil.fusion.network.negative_sampling import drawn_pairs
from trefoil.fusion.network.steps import WindowStep
from trefoil.fusion.network.tasks.base import Target
from trefoil.fusion.network.tasks.ranking import NextItem
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


class Everything:
    """A sample that has each item once, or twice where every item is drawn as often."""

    def __init__(self, times):
        self.times = times

    def draw(self, rng):
        rows = torch.from_numpy(rng.permutation(ITEMS)).repeat(self.times)
        return rows, torch.full((len(rows),), float(np.log(self.times)))


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("only_new", [True, False])
def test_a_sample_of_everything_has_the_rivals_of_everything(only_new, times):
    """Neither what was met before nor what came next itself is counted among those drawn."""
    settings = load_settings(None, [*TINY, "behaviour.only_where_order_pays=false"])
    network = Recommender(settings).fit(visits(by="leave-one-out")).model.networks[0]
    item = torch.tensor([[3, 1, 4, 1, 5], [2, 7, 8, 0, 0]])
    there = torch.tensor([[True] * 5, [True] * 3 + [False] * 2])
    window = Stretches(item, None, there)
    asked = there[:, 1:]
    with torch.no_grad():
        states = network.next_states(item[:, :-1], None)[asked]
        reads = []
        for sampler in (None, Everything(times)):
            drawing = network, sampler, np.random.default_rng(0)
            step = WindowStep(*drawing, window, states, item[:, 1:][asked], False)
            reads.append(NextItem(1.0, 0.1, only_new).rows(step, Target()).reads)
    for whole, sampled in zip(*reads, strict=True):
        assert torch.allclose(whole, sampled, atol=1e-5)


def test_pairs_are_found_wherever_their_item_was_drawn():
    event, item = torch.tensor([0, 0, 1, 2]), torch.tensor([5, 9, 5, 7])
    found = drawn_pairs(event, item, torch.tensor([7, 5, 3, 5]))
    assert sorted(zip(*(one.tolist() for one in found), strict=True)) == [
        (0, 1),
        (0, 3),
        (1, 1),
        (1, 3),
        (2, 0),
    ]
