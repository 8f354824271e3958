"""Steps of training by hand: the running mean, weights of users, what is put back, texts."""

import copy

import numpy as np
import pytest
import torch
from scipy import sparse
from small_cases import cases, random_events

from trefoil.data.histories import Cases, Histories
from trefoil.data.interactions import Interactions
from trefoil.data.items import Entities
from trefoil.data.vocabulary import Vocabulary
from trefoil.fusion.features.training_data import DENSE, TrainingData
from trefoil.fusion.features.validation import Validation
from trefoil.fusion.network.batches import Groups
from trefoil.fusion.network.inputs import TrainingInputs
from trefoil.fusion.network.module import JointNetwork, NetworkInputs
from trefoil.fusion.network.scorers import order_scores
from trefoil.fusion.network.tasks.base import Target, TaskData, head_plans, taught
from trefoil.fusion.network.tasks.numbers import Rating
from trefoil.fusion.network.tasks.ranking import Ranking
from trefoil.fusion.network.trainer import Trainer
from trefoil.fusion.network.training import config_of, fit_network
from trefoil.fusion.settings import load_settings

CPU = torch.device("cpu")


def lessons_from(events, stars=None, tasks=None):
    """Positive events of a matrix [users, items], with these ratings."""
    user, item = events.nonzero()
    log = Interactions(user, item, np.ones(len(user), bool), stars=stars)
    data = TaskData(
        log, Entities(Vocabulary(map(str, range(events.shape[1])))), known_of(events, log)
    )
    tasks = taught(tasks or (Ranking(), Rating(0.5)), data)
    return TrainingInputs(Groups.of(log, scenarios=False), None, log, tasks)


def known_of(events, log):
    history = Histories.of(log, events.shape[0])
    return TrainingData(log, events, history, None, None, timed=False)


def small(*changes):
    return load_settings(None, ["embedding_size=8", "network.dropout=0", *changes])


def trainer_of(events, settings, stars=None, seed=0, tasks=None):
    """A trainer before its first step."""
    torch.manual_seed(seed)
    inputs = lessons_from(events, stars, tasks)
    plans = head_plans(inputs.tasks)
    config = config_of(settings, inputs, behaviour=False)
    network = JointNetwork(NetworkInputs(events, heads=plans), config)
    inputs.start(network)
    generator = torch.Generator().manual_seed(seed)
    return Trainer(network, inputs, settings, generator, np.random.default_rng(seed), CPU)


def everyone(trainer):
    """The rows of all groups."""
    return torch.arange(len(trainer.inputs.groups))


def test_the_running_mean_after_one_step_is_decay_times_the_start_and_the_rest_of_the_step():
    trainer = trainer_of(random_events(20, 12), small("network.ema_decay=0.9", "network.epochs=1"))
    before = copy.deepcopy(trainer.network)
    trainer._step(None, everyone(trainer), 0)
    rows = zip(
        before.parameters(),
        trainer.network.parameters(),
        trainer.learning.averaged.parameters(),
        strict=True,
    )
    for start, stepped, mean in rows:
        assert torch.allclose(mean, 0.9 * start + 0.1 * stepped, atol=1e-7)
    assert not torch.equal(before.item_id.weight, trainer.learning.averaged.item_id.weight)


def test_events_of_people_with_many_weigh_by_the_root_of_how_many_there_are():
    """36 and 4 events make 20 in the mean: the pairs weigh 1/6 and 1/2."""
    events = sparse.csr_matrix(np.arange(40) < np.array([[36], [4]]), dtype=np.float32)
    assert events.nnz == DENSE * 2
    trainer = trainer_of(events, small("network.id_dropout=0"))
    step = trainer._user_step(torch.arange(2))
    assert torch.allclose(step.weight, torch.tensor([1 / 6] * 36 + [1 / 2] * 4))
    picked, total = Ranking().rows(step, Target()).reads
    per_row = (total - picked).detach()
    by_hand = (per_row[:36].sum() / 6 + per_row[36:].sum() / 2) / (36 / 6 + 4 / 2)
    assert float(trainer._step(None, torch.arange(2), 0)["ranking"]) == pytest.approx(
        float(by_hand), rel=1e-5
    )


def test_events_of_people_with_few_weigh_alike():
    events = sparse.csr_matrix(np.arange(40) < np.array([[35], [4]]), dtype=np.float32)
    step = trainer_of(events, small())._user_step(torch.arange(2))
    assert step.weight.unique().tolist() == [1.0]


def validation_of(relevant):
    """Each user asks for these items, and nothing is masked."""
    asked = Cases(np.arange(len(relevant)), cases(*[[]] * len(relevant)).history)
    return Validation(
        asked, torch.zeros_like(relevant), relevant, torch.ones(relevant.shape[1]).bool()
    )


def test_the_network_that_comes_back_is_that_of_the_best_look():
    """Validation asks for what training never shows, so that looks get worse with learning."""
    events = random_events(30, 20, density=0.4)
    validation = validation_of(torch.from_numpy(events.toarray() == 0))
    settings = small("network.epochs=40", "network.evaluate_every=2", "network.ema_decay=0")
    inputs = lessons_from(events)
    config = config_of(settings, inputs, behaviour=False)
    network, journal = fit_network(
        NetworkInputs(events), config, inputs, validation, settings, seed=0, device=CPU
    )
    looks = [row["valid_ndcg@10_ranking"] for row in journal.rows]
    assert max(looks) > looks[-1]
    assert validation.ndcg(order_scores(network, validation.cases)) == max(looks)


def test_a_text_that_changes_changes_the_vector_of_its_item():
    torch.manual_seed(0)
    events = random_events(10, 6)
    texts = torch.eye(6)
    settings = small()
    config = config_of(settings, lessons_from(events), behaviour=False)
    network = JointNetwork(NetworkInputs(events, text=texts), config).eval()
    with torch.no_grad():
        before = network.pass_messages()
        network.get_buffer("text_vectors")[2] = -texts[2]
        after = network.pass_messages()
    changed = (before.base != after.base).any(1)
    assert changed.tolist() == [row == 2 for row in range(6)]
    assert not torch.equal(before.items[2], after.items[2])


@pytest.mark.parametrize("unit", [1e3, 1e-3, 1e6])
def test_a_network_learns_ratings_whatever_their_unit(unit):
    """The same steps in units around the mean; back in those of the data at the end."""
    events = random_events(20, 12)
    stars = 3 + np.random.default_rng(0).normal(0, 1, events.nnz).astype(np.float32)
    found = []
    for scale in (1.0, unit):
        trainer = trainer_of(events, small(), (scale * stars).astype(np.float32))
        for step in range(3):
            trainer._step(None, everyone(trainer), step)
        network = trainer.network.eval()
        trainer.inputs.finish(network)
        user, item = (torch.from_numpy(side.astype(np.int64)) for side in events.nonzero())
        vectors = network.pass_messages()
        with torch.no_grad():
            assert network.rating_head is not None
            said = network.rating_head(vectors.users[user], vectors.items[item], user, item)
        found.append(said / scale)
    assert torch.allclose(found[0], found[1], atol=1e-3)
    assert not torch.allclose(found[0], found[0].mean(), atol=0.05)


@pytest.mark.parametrize("equal", [[4.0] * 5, [7.5]])
def test_ratings_that_are_all_equal_are_learned_as_they_are(equal):
    row, column = np.arange(len(equal)), np.arange(len(equal))
    events = sparse.csr_matrix((np.ones(len(equal), np.float32), (row, column)), (6, 6))
    trainer = trainer_of(events, small(), np.array(equal, np.float32))
    means = trainer._step(None, torch.arange(len(equal)), 0)
    assert means["rating"] == 0.0
    trainer.inputs.finish(trainer.network)
    assert trainer.network.rating_head is not None
    assert trainer.network.rating_head.mean.item() == pytest.approx(equal[0], abs=0.05)
