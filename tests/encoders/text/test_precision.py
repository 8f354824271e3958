"""Products of bfloat16: nearly the same vectors, kept apart from those of single precision."""

import sqlite3
from contextlib import closing

import pytest
import torch

from tests.planted_shop import TINY, read_shop
from trefoil import Recommender
from trefoil.encoders.text import precision
from trefoil.encoders.text.encoder import TextEncoder
from trefoil.encoders.text.precision import halves
from trefoil.fusion.settings import load_settings

TEXTS = ["An astronaut is stranded alone on Mars.", "A chef opens a restaurant.", "ocean " * 30]


def test_half_the_digits_give_nearly_the_same_vectors(tmp_path):
    whole = TextEncoder(cache=tmp_path).encode(TEXTS)[0].vectors
    half = TextEncoder(cache=tmp_path, half=True).encode(TEXTS)[0].vectors
    assert not torch.equal(whole, half)
    assert torch.cosine_similarity(whole, half).min() > 0.999


def test_vectors_of_either_precision_are_kept_apart(tmp_path):
    for half in (False, True):
        TextEncoder(cache=tmp_path, half=half).encode(TEXTS)
    (file,) = tmp_path.glob("*.sqlite3")
    with closing(sqlite3.connect(file)) as cache:
        assert cache.execute("select count(*) from vectors").fetchone() == (2 * len(TEXTS),)


@pytest.mark.parametrize(
    ("told", "fast"),
    [
        ({"amx_bf16": True}, True),
        ({"amx_bf16": False, "avx512_bf16": True}, True),
        ({"amx_bf16": False, "avx512_f": True}, False),
    ],
)
def test_left_open_it_is_what_the_processor_has_circuits_for(monkeypatch, told, fast):
    monkeypatch.setattr(precision.torch.cpu, "get_capabilities", lambda: told)
    assert halves("auto", "cpu") is fast
    assert not halves("float32", "cpu")
    assert halves("bfloat16", torch.device("cpu"))


def test_a_loaded_run_reads_in_the_precision_it_learned_in(tmp_path):
    changes = [*TINY, "text.model=minilm", "text.precision=bfloat16", "text.max_tokens=8"]
    fitted = Recommender(load_settings(None, changes)).fit(read_shop(tmp_path / "shop"))
    fitted.save(tmp_path / "run")
    texts = Recommender.load(tmp_path / "run", live=False).model.texts
    assert texts is not None
    assert texts.encoder.half
