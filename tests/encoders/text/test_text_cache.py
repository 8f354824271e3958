"""The cache of text vectors: keys, damage, several processes at once."""

import subprocess
import sys
import unicodedata
from pathlib import Path

import numpy as np
import pytest

from trefoil.encoders.text.cache import Reading, TextCache

ROOT = Path(__file__).parents[3]
WRITER = """
import sys
from pathlib import Path
import numpy as np
from trefoil.encoders.text.cache import Reading, TextCache
folder, name = Path(sys.argv[1]), sys.argv[2]
for step in range(40):
    vector = np.full(8, step, np.float16)
    TextCache("any", folder).add({f"{name} {step}": Reading(vector, 5, 0)})
"""


def reading(value=1.0, unknown=0):
    return Reading(np.full(4, value, np.float16), 7, unknown)


def test_encoders_are_told_apart(tmp_path):
    TextCache("weights/64", tmp_path).add({"text": reading(2.0, unknown=3)})
    assert not TextCache("weights/65", tmp_path).get(["text"])
    assert not TextCache("other/64", tmp_path).get(["text"])
    found = TextCache("weights/64", tmp_path).get(["text", "unheard"])
    assert list(found) == ["text"]
    assert found["text"].vector.tolist() == [2.0] * 4
    assert (found["text"].tokens, found["text"].unknown) == (7, 3)


def test_forms_of_one_letter_and_lone_surrogates_are_kept_apart(tmp_path):
    texts = [unicodedata.normalize(form, "é") for form in ("NFC", "NFD")] + ["\ud800", "😀"]
    cache = TextCache("any", tmp_path)
    cache.add({text: reading(row) for row, text in enumerate(texts)})
    found = cache.get(texts)
    assert [float(found[text].vector[0]) for text in texts] == [0, 1, 2, 3]


def test_more_texts_than_fit_a_question_come_back(tmp_path):
    texts = [str(number) for number in range(1203)]
    cache = TextCache("any", tmp_path)
    cache.add({text: reading() for text in texts})
    assert set(cache.get(texts)) == set(texts)


@pytest.mark.parametrize("damage", [b"", b"no database at all, but long enough to be read" * 30])
def test_a_damaged_file_counts_as_empty_and_is_begun_anew(tmp_path, damage):
    cache = TextCache("any", tmp_path)
    cache.add({"a": reading()})
    cache.path.write_bytes(damage)
    assert not cache.get(["a"])
    cache.add({"a": reading()})
    assert list(cache.get(["a"])) == ["a"]


def test_a_place_that_cannot_be_written_costs_time_alone(tmp_path):
    (tmp_path / "file").write_text("in the way", "utf-8")
    cache = TextCache("any", tmp_path / "file")
    cache.add({"a": reading()})
    assert not cache.get(["a"])


def test_two_processes_that_write_at_once_lose_nothing(tmp_path):
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path), name],
            cwd=ROOT,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name in ("one", "other")
    ]
    for writer in writers:
        _, errors = writer.communicate(timeout=120)
        assert writer.returncode == 0, errors
        assert "cannot be" not in errors
    texts = [f"{name} {step}" for name in ("one", "other") for step in range(40)]
    assert set(TextCache("any", tmp_path).get(texts)) == set(texts)
