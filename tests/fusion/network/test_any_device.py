"""Training on another device: whatever meets in an operation has been moved there."""

import numpy as np
import pytest
import torch
from elsewhere import GPU, Elsewhere, WrongPlace
from planted_shop import TINY

from trefoil.fusion.features.preparation import known_of, read_texts, split_of, validation_exam
from trefoil.fusion.features.validation import Validation
from trefoil.fusion.network.inputs import network_inputs_of, training_inputs_of
from trefoil.fusion.network.scorers import NetworkScorer, SequenceScorer
from trefoil.fusion.network.training import config_of, fit_network
from trefoil.fusion.record import Record
from trefoil.fusion.settings import load_settings
from trefoil.kg.construction.build import build

EVERYTHING = (
    *TINY,
    "tasks.attributes=0.1",
    "network.epochs=2",
    "network.evaluate_every=1",
    "network.ema_decay=0.9",
    "network.sampled_items=16",
)
LOSSES = {"ranking", "next_item", "category", "attributes", "rating"}


def fitted(shop, device, *changes):
    """A network of two epochs on a device, and what it was trained from."""
    settings = load_settings(None, [*EVERYTHING, *changes])
    split = split_of(shop, settings)
    train = shop.interactions.take(split.train)
    texts = read_texts(shop, settings, torch.device("cpu"), None, Record(), None)
    graph = build(shop, split.train)
    known = known_of(shop, train, graph, texts, settings, returning=False)
    inputs = training_inputs_of(shop, train, known, settings, behaviour=True)
    seen = torch.from_numpy(np.diff(known.matrix.tocsc().indptr) > 0)
    validation = Validation.of(validation_exam(shop, split), seen)
    network, journal = fit_network(
        network_inputs_of(known, inputs, settings),
        config_of(settings, inputs, behaviour=True),
        inputs,
        validation,
        settings,
        seed=0,
        device=device,
    )
    return network, journal, validation


@pytest.mark.parametrize("softmax", ["50000", "8"], ids=["whole softmax", "sampled softmax"])
def test_every_task_and_every_look_keep_to_the_device(shop, softmax):
    changes = [f"network.softmax_items={softmax}"]
    with Elsewhere() as places:
        network, journal, validation = fitted(shop, GPU, *changes)
        assert all(places.is_there(one) for one in network.parameters())
        scores = [
            base_model.score(validation.cases)
            for base_model in (NetworkScorer([network]), SequenceScorer([network]))
        ]
        scores.append(NetworkScorer([network]).stars(validation.cases))
        assert not any(places.is_there(one) for one in scores)
    assert journal.rows[-1].keys() >= LOSSES
    alone, plain, _ = fitted(shop, torch.device("cpu"), *changes)
    for name in LOSSES:
        assert journal.rows[-1][name] == pytest.approx(plain.rows[-1][name], rel=1e-4)
    for one, other in zip(network.parameters(), alone.parameters(), strict=True):
        assert torch.allclose(one, other, atol=1e-4)


def test_a_table_left_on_the_cpu_is_noticed(shop, monkeypatch):
    monkeypatch.setattr("trefoil.fusion.network.trainer.TrainingInputs.to", lambda self, _: self)
    with Elsewhere(), pytest.raises(WrongPlace):
        fitted(shop, GPU)
