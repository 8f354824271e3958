"""Steps by rows: other rows stay as they are, the mean is the same, and a stop changes nothing."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from planted_shop import TINY, read_shop
from small_cases import random_events
from test_trainer import lessons_from

from trefoil.fusion.network.checkpoints import Checkpoints, partial_of
from trefoil.fusion.network.module import JointNetwork, NetworkInputs
from trefoil.fusion.network.optimisers import RunningMean
from trefoil.fusion.network.tasks.base import head_plans
from trefoil.fusion.network.trainer import Trainer
from trefoil.fusion.network.training import config_of
from trefoil.fusion.recommender import Recommender
from trefoil.fusion.settings import load_settings

CPU = torch.device("cpu")
SAMPLED = "embedding_size=8", "network.softmax_items=1", "network.sampled_items=2"


def by_rows(*changes):
    """A trainer by rows before its first step, of 40 people and 400 items."""
    settings = load_settings(None, [*SAMPLED, *changes])
    torch.manual_seed(0)
    events = random_events(40, 400, density=0.02)
    inputs = lessons_from(events)
    user, item = (getattr(inputs.groups, name).astype(np.int64) for name in ("user", "item"))
    inputs = replace(inputs, groups=replace(inputs.groups, user=user, item=item))
    config = config_of(settings, inputs, behaviour=False, by_rows=True)
    network = JointNetwork(NetworkInputs(events, heads=head_plans(inputs.tasks)), config)
    inputs.start(network)
    generator = torch.Generator().manual_seed(0)
    return Trainer(network, inputs, settings, generator, np.random.default_rng(0), CPU)


def test_a_step_changes_the_vectors_of_its_own_items_alone():
    """Also not those that an earlier step read, which have moments."""
    trainer = by_rows()
    table, part, read = trainer.network.item_id.weight, trainer.graph.part, list[set[int]]()

    def noted(*asked):
        found = part(*asked)
        read.append(set(found.rows.tolist()))
        return found

    object.__setattr__(trainer.graph, "part", noted)
    for number in range(4):
        before = table.detach().clone()
        trainer._step(None, torch.arange(5 * number, 5 * number + 5), number)
        changed = set((table != before).any(1).nonzero()[:, 0].tolist())
        assert changed
        assert changed <= read[-1]
    assert read[0] - read[-1]


@pytest.mark.parametrize(
    "whole", ["network.weight_decay=0.1", "network.adversarial=0.1", "tasks.weighting=pcgrad"]
)
def test_who_asks_for_a_gradient_of_the_whole_table_gets_it(whole):
    assert by_rows().network.item_id.sparse
    trainer = by_rows(whole)
    assert not trainer.network.item_id.sparse
    assert "rows" not in trainer.optimisers
    trainer._step(None, torch.arange(5), 0)


def test_a_mean_brought_up_to_date_now_and_then_is_that_of_weights_that_stood_still():
    network = by_rows().network
    means = [copy.deepcopy(network) for _ in range(2)]
    with torch.no_grad():
        for one in means:
            one.item_id.weight.zero_()
    each, seldom = (
        RunningMean(one, network, 0.9, n) for one, n in zip(means, (1, 16), strict=True)
    )
    for _ in range(20):
        each.follow()
        seldom.follow()
    wanted, found = (one.item_id.weight for one in means)
    assert not torch.allclose(wanted, found, atol=1e-3)  # sixteen steps of twenty
    seldom.catch_up()
    assert torch.allclose(wanted, found, atol=1e-5)
    assert torch.allclose(wanted, (1 - 0.9**20) * network.item_id.weight, atol=1e-5)


def test_a_training_by_rows_that_was_stopped_ends_with_the_same_bytes(tmp_path):
    shop = read_shop(tmp_path / "data", users=24, per_maker=6, events=5)
    changes = ["large_items=10", "network.epochs=6", "text.on=false", "network.seeds=1"]
    settings = load_settings(None, [*TINY, *changes])

    def stop(_done, _total, what):
        if "validation" in what:
            raise KeyboardInterrupt

    def weights(**how):
        Recommender(settings).fit(shop, **how).save(tmp_path / "run")
        return (tmp_path / "run" / "model.safetensors").read_bytes()

    whole = weights()
    checkpoints = Checkpoints.new(partial_of(tmp_path / "again"), {"source": "small"})
    with pytest.raises(KeyboardInterrupt):
        Recommender(settings).fit(shop, progress=stop, checkpoints=checkpoints)
    assert weights(checkpoints=Checkpoints.of(tmp_path / "again")) == whole
