"""Settings of robust training: off they change nothing, on each does what it says."""

import copy

import numpy as np
import pytest
import torch
from planted_shop import ALONE
from test_trainer import everyone, random_events, small, trainer_of

from trefoil.fusion.network.module import JointNetwork
from trefoil.fusion.recommender import Recommender
from trefoil.fusion.settings import load_settings

ORDER = "behaviour.only_where_order_pays=false"


def stepped(*changes):
    """The weights before and after one step."""
    trainer = trainer_of(random_events(20, 12), small(*changes))
    before = copy.deepcopy(trainer.network.state_dict())
    trainer._step(None, everyone(trainer), 0)
    return before, trainer.network.state_dict()


def test_weight_decay_shrinks_each_weight_by_its_share_of_the_rate():
    before, plain = stepped("network.learning_rate=0.1")
    _, decayed = stepped("network.learning_rate=0.1", "network.weight_decay=0.5")
    difference = plain["item_id.weight"] - decayed["item_id.weight"]
    assert torch.allclose(difference, 0.05 * before["item_id.weight"], atol=1e-6)


def test_a_step_against_itself_moves_nothing_but_the_gradient():
    """The embeddings come back to where they were; the step is that of the sum of both."""
    before, plain = stepped()
    trainer = trainer_of(random_events(20, 12), small("network.adversarial=0.5"))
    places = []

    def noted(*_):
        places.append(trainer.network.item_id.weight.detach().clone())

    trainer.optimisers["ranking"].register_step_pre_hook(noted)
    trainer._step(None, everyone(trainer), 0)
    assert torch.equal(places[0], before["item_id.weight"])
    after = trainer.network.state_dict()["item_id.weight"]
    assert not torch.equal(after, plain["item_id.weight"])


def test_a_step_against_itself_by_nothing_at_all_is_the_plain_step():
    _, plain = stepped()
    _, still = stepped("network.adversarial=1e-12")
    for name, weight in plain.items():
        assert torch.allclose(weight, still[name], atol=1e-5), name


@pytest.mark.parametrize("share", [0.5, 0.9])
def test_events_without_item_are_as_many_as_asked_for(shop, monkeypatch, share):
    left = []

    plain = JointNetwork.next_states

    def noted(network, events, at, kept=None):
        left.append(kept)
        return plain(network, events, at, kept)

    monkeypatch.setattr(JointNetwork, "next_states", noted)
    settings = load_settings(
        None, [*ALONE, "behaviour.on=true", ORDER, f"behaviour.event_dropout={share}"]
    )
    Recommender(settings).fit(shop)
    kept = np.concatenate([one.numpy().ravel() for one in left])
    assert kept.mean() == pytest.approx(1 - share, abs=4 / len(kept) ** 0.5)
