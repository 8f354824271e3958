"""Tasks of a corpus: what texts are told is learned through the map that item texts go through."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from planted_shop import ALONE, MAKERS, WORDS, write_shop

from trefoil.data import Categorical, read_dataset
from trefoil.data.corpus import Corpus
from trefoil.fusion.network.naming import own
from trefoil.fusion.network.tasks.corpus import CorpusClass, CorpusNumber, read_corpus
from trefoil.fusion.recommender import Recommender
from trefoil.fusion.settings import load_settings


def corpus_of(count=80, seed=0):
    """Texts in the words of one maker each, by name and as a number."""
    rng = np.random.default_rng(seed)
    maker = rng.integers(0, len(MAKERS), count)
    texts = tuple(" ".join(rng.permutation(WORDS[one].split())) for one in maker)
    return Corpus(texts, Categorical(maker, MAKERS), maker.astype(np.float32))


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    """A shop with a corpus beside it, and the network that learned both."""
    dataset = read_dataset(write_shop(tmp_path_factory.mktemp("a") / "shop", users=40, per_maker=6))
    more = "network.epochs=30", "network.evaluate_every=10", "network.seeds=1", "tasks.corpus=1"
    settings = load_settings(None, [*ALONE, *more])
    return Recommender(settings).fit(replace(dataset, corpus=corpus_of())).model


def test_the_class_of_a_text_that_was_not_there_is_told(learned):
    fresh, network = corpus_of(seed=1), learned.networks[0]
    raw, _ = learned.texts.encoder.encode(fresh.texts)
    with torch.no_grad():
        read = read_corpus(network, "corpus_class", learned.texts.whitening(raw).vectors)
        told = network.heads[own("corpus_class")](read).argmax(1)
    assert fresh.classes is not None
    right = float((told.numpy() == fresh.classes.codes).mean())
    assert right > 0.6, right  # chance is 1/4; .2 above it are four standard errors


def test_both_losses_are_told_and_a_run_carries_the_heads(learned):
    row = learned.record.history[0][-1]
    assert {"corpus_class", "corpus_number"} <= set(row)
    assert learned.networks[0].head_plans["corpus_class"].outputs == len(MAKERS)


def test_losses_by_hand():
    logits = torch.tensor([[0.0, 0.0], [2.0, 0.0]])
    found = CorpusClass().loss(logits, torch.tensor([1, 0]))
    assert found.tolist() == pytest.approx([np.log(2), np.log(1 + np.exp(-2))])
    assert CorpusNumber().loss(torch.tensor([[1.0]]), torch.tensor([3.0])).tolist() == [4.0]
