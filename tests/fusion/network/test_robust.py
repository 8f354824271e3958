"""Settings of robust training: off they change nothing, on each does what it says."""

import copy

import numpy as np
import pytest
import torch
from planted_shop import ALONE
from test_trainer import everyone, random_events, small, trainer_of

from trefoil.fusion.network.module import JointNetwork
from trefoil.fusion.network.objectives import contrast
from trefoil.fusion.network.tasks.base import Target
from trefoil.fusion.network.tasks.consistency import Consistency
from trefoil.fusion.network.tasks.ranking import Ranking
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


def test_what_two_passes_see_of_a_person_comes_together():
    """Only this task: users are told apart though dropout takes other things each time."""
    losses = {}
    for weight in (0.0, 5.0):
        tasks = Ranking(), Consistency(weight)
        trainer = trainer_of(random_events(20, 12), small("network.dropout=0.3"), tasks=tasks)
        for step in range(30):
            trainer._step(None, everyone(trainer), step)
        torch.manual_seed(0)
        seen = [trainer.network.pass_messages(trainer._gone()).users for _ in range(2)]
        losses[weight] = Consistency().loss(*seen).mean().item()
    assert losses[5.0] < losses[0.0] - 0.1
    assert losses[5.0] < np.log(20)  # of a guess


def test_a_contrast_knows_its_own_by_hand():
    one = torch.tensor([[1.0, 0.0], [0.0, 2.0]])
    expected = np.log(1 + np.exp(-1 / 0.2))
    assert contrast(one, 3 * one).tolist() == pytest.approx([expected] * 2, abs=1e-4)


def test_positives_of_popular_items_weigh_less_and_all_one_in_the_mean():
    trainer = trainer_of(random_events(20, 12), small(), tasks=(Ranking(debias=0.5),))
    (ranking,) = trainer.inputs.tasks
    weight = ranking.target.tensors["weight"].numpy()
    counts = np.bincount(trainer.inputs.events.item, minlength=len(weight))
    assert (counts * weight).sum() / counts.sum() == pytest.approx(1, abs=1e-5)
    rare, popular = counts[counts > 0].argmin(), counts.argmax()
    assert weight[counts > 0][rare] / weight[popular] == pytest.approx(
        (counts.max() / counts[counts > 0].min()) ** 0.5
    )
    rows = ranking.task.rows(trainer._user_step(everyone(trainer)), ranking.target)
    plain = Ranking().rows(trainer._user_step(everyone(trainer)), Target())
    assert rows.weight.std() > plain.weight.std()


def test_steps_read_other_wordings_and_the_trained_network_the_texts(shop):
    wordings = ["text.on=true", "text.model=ngrams", "text.wordings=2", "text.word_dropout=0.5"]
    plain = Recommender(load_settings(None, [*ALONE, *wordings[:2]])).fit(shop).model
    other = Recommender(load_settings(None, [*ALONE, *wordings])).fit(shop).model
    said, known = other.known.wordings, plain.known.text
    assert said.shape == (2, *known.vectors.shape)
    assert not torch.equal(said[0][known.known], said[1][known.known])
    assert torch.equal(other.known.text.vectors, known.vectors)
    assert torch.equal(other.networks[0].text_vectors, known.vectors)
    moved = other.networks[0].text.weight - plain.networks[0].text.weight
    assert moved.abs().max() > 1e-3
