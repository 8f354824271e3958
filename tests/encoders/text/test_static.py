"""Static vectors: the mean of token vectors of the encoder named, each asked for once."""

import numpy as np
import pytest
import torch

from trefoil.encoders.text.encoder import TextEncoder
from trefoil.encoders.text.sentence_model import SentenceModel
from trefoil.encoders.text.static import encoder_of, static_of

TEXTS = ["a storm on the ocean", "an ocean storm", "the piano concert", None, "", "opera, ballet"]


def test_texts_of_one_subject_are_near(tmp_path):
    view, warnings = TextEncoder("static", cache=tmp_path).encode(TEXTS)
    assert not warnings
    assert view.known.tolist() == [True, True, True, False, False, True]
    near = torch.nn.functional.cosine_similarity(view.vectors[0], view.vectors[1:], dim=1)
    assert near[0] > near[1] + 0.15
    assert near[0] > near[4] + 0.15


def test_the_order_of_words_the_batch_and_the_cache_change_nothing(tmp_path):
    encoder = TextEncoder("static", cache=tmp_path)
    first, _ = encoder.encode(["storm ocean", "piano"])
    again, _ = encoder.encode(["piano", "a word more", "ocean storm"])
    assert torch.allclose(first.vectors[0], again.vectors[2], atol=1e-3)
    assert torch.equal(first.vectors[1], again.vectors[0])
    unstored, _ = encoder.encode(["piano"], store=False)
    assert torch.allclose(unstored.vectors[0], first.vectors[1], atol=2e-3)


def test_the_encoder_reads_each_token_once_and_no_text(tmp_path, monkeypatch):
    encoder = TextEncoder("static", cache=tmp_path)
    before, _ = encoder.encode(["storm ocean"])

    def refused(*_):
        raise AssertionError("asked again")

    monkeypatch.setattr(SentenceModel, "token_vectors", refused, raising=True)
    monkeypatch.setattr(SentenceModel, "read", refused, raising=True)
    after, _ = encoder.encode(["ocean storm storm"])
    assert float(torch.cosine_similarity(before.vectors, after.vectors)) > 0.9
    with pytest.raises(AssertionError, match="asked again"):
        encoder.encode(["ocean violin"])


def test_names_say_which_table_is_read():
    assert encoder_of("static") == ("minilm", True)
    assert encoder_of("static:some/folder") == ("some/folder", True)
    assert encoder_of("minilm") == ("minilm", False)
    assert [static_of(name) for name in ("minilm", "other", "ngrams", "static")] == [
        "static",
        "static:other",
        "ngrams",
        "static",
    ]


def test_without_weights_static_texts_fall_back_with_a_warning(tmp_path):
    place = tmp_path / "no-weights"
    view, warnings = TextEncoder(f"static:{place}", cache=tmp_path).encode(["a b", "c d"])
    assert "No weights" in warnings[0]
    assert bool(view.known.all())
    assert np.isfinite(view.vectors.numpy()).all()
