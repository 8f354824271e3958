"""A text encoder that learned from events: in the run, and in what is added later."""

import polars as pl
import pytest
import torch
from planted_shop import ALONE, read_shop

from trefoil.data.errors import ConfigError
from trefoil.fusion.recommender import Recommender
from trefoil.fusion.runs.folder import ADAPTER
from trefoil.fusion.settings import load_settings

TEXTS_ALONE = (*ALONE, "network.on=false", "graph.on=false", "text.dimensions=40")
LORA = (
    "text.model=minilm",
    "fine_tuning.method=lora",
    "fine_tuning.epochs=1",
    "fine_tuning.map_rate=1e-9",
)


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    return read_shop(tmp_path_factory.mktemp("shop") / "data")


@pytest.fixture(scope="module")
def tuned(shop):
    pytest.importorskip("peft")
    return Recommender(load_settings(None, [*TEXTS_ALONE, *LORA])).fit(shop)


def test_what_was_learned_is_told_and_never_worse_on_validation(tuned):
    told = tuned.model.record.fine_tuning
    assert told["method"] == "lora"
    assert told["pairs"] > 100
    assert len(told["marks"]) <= 3
    assert 0 < told["bytes"] < 5e6


def test_a_tuned_encoder_is_saved_alone_and_reads_items_that_come_later(tuned, shop, tmp_path):
    tuned.save(tmp_path / "run")
    assert (tmp_path / "run" / ADAPTER).stat().st_size < 5e6
    loaded = Recommender.load(tmp_path / "run")
    texts = loaded.model.texts
    assert texts.encoder.adapter.digest == tuned.model.texts.encoder.adapter.digest
    row = 3
    told = {"id": ["new"], "title": ["New"], "text": [shop.items.texts[row]]}
    loaded.add_items(pl.DataFrame(told))
    vectors = loaded.model.texts.items.vectors
    assert torch.allclose(vectors[-1], vectors[row], atol=5e-3)
    frozen = Recommender(load_settings(None, [*TEXTS_ALONE, LORA[0]])).fit(shop).model.texts
    assert not torch.allclose(vectors[row], frozen.items.vectors[row], atol=0.02)
    assert frozen.encoder.adapter is None


def test_a_map_alone_needs_no_language_model_and_no_file(shop, tmp_path):
    changes = ["fine_tuning.method=linear", "text.shuffle=true", "fine_tuning.patience=10"]
    model = Recommender(load_settings(None, [*TEXTS_ALONE, *changes])).fit(shop)
    model.save(tmp_path / "run")
    assert not (tmp_path / "run" / ADAPTER).exists()
    marks = model.model.record.fine_tuning["marks"]
    assert len(marks) == 11
    assert max(marks) >= marks[0]


def test_texts_that_no_language_model_reads_teach_none(shop):
    changes = [*TEXTS_ALONE, "fine_tuning.method=lora"]
    with pytest.raises(ConfigError, match="set fine_tuning"):
        Recommender(load_settings(None, changes)).fit(shop)


def test_a_language_model_learns_within_a_network_and_reads_all_texts_afterwards(shop):
    pytest.importorskip("peft")
    changes = ["fine_tuning.taught_by=network", "fine_tuning.texts_per_step=6"]
    settings = load_settings(
        None, [*TEXTS_ALONE, *LORA, *changes, "fine_tuning.learning_rate=1e-2"]
    )
    fitted = Recommender(settings).fit(shop)
    told, texts = fitted.model.record.fine_tuning, fitted.model.texts
    assert len(told["marks"]) == 2  # looks of four epochs
    assert 0 < told["bytes"] < 5e6
    learned = [one for name, one in texts.encoder.adapter.tensors.items() if "lora_B" in name]
    assert all(one.abs().max() > 0 for one in learned)  # they begin at zero
    assert torch.equal(fitted.model.known.text.vectors, texts.items.vectors)
    read, _ = texts.encoder.encode(shop.items.texts[:3])
    assert torch.allclose(texts.whitening(read).vectors, texts.items.vectors[:3], atol=1e-5)


def test_other_wordings_are_read_as_the_texts_are_after_teaching(shop):
    """With no word left out they are the texts, so their vectors are those of the texts."""
    changes = ["fine_tuning.method=linear", "fine_tuning.epochs=3", "text.wordings=2"]
    changes += ["text.word_dropout=0", "text.sentence_shuffle=false"]
    known = Recommender(load_settings(None, [*TEXTS_ALONE, *changes])).fit(shop).model.known
    assert torch.equal(known.wordings, known.text.vectors.expand(2, -1, -1))
