"""Texts said another way."""

import numpy as np
import pytest

from trefoil.data.errors import ConfigError
from trefoil.encoders.text.wordings import Wording, read_synonyms

TEXT = "A quiet film. It rains! Nobody minds?"


def test_sentences_change_places_and_stay_whole():
    found = {Wording(sentence_shuffle=True).of(TEXT, np.random.default_rng(n)) for n in range(40)}
    assert len(found) == 6  # all orders of three
    assert all(sorted(one.split()) == sorted(TEXT.split()) for one in found)


def test_words_are_left_out_as_often_as_asked_for_and_never_all():
    rng, words = np.random.default_rng(0), " ".join(str(n) for n in range(1000))
    left = len(Wording(0.3).of(words, rng).split())
    assert left == pytest.approx(700, abs=60)  # four standard errors
    assert Wording(0.99).of("one two", rng) in ("one", "two")
    assert Wording(0.99).of("one", rng) == "one"
    assert Wording().of(TEXT, rng) == TEXT


def test_words_give_way_to_their_synonyms(tmp_path):
    path = tmp_path / "synonyms.txt"
    path.write_text("# of films\nfilm, movie\nquiet, silent, still\n\nalone\n")
    synonyms = read_synonyms(path)
    assert synonyms["quiet"] == ("silent", "still")
    assert "alone" not in synonyms
    wording = Wording(synonyms=synonyms)
    found = {wording.of("A Quiet film.", np.random.default_rng(n)) for n in range(60)}
    assert found == {f"A {a} {b}" for a in ("Quiet", "silent", "still") for b in ("film.", "movie")}


@pytest.mark.parametrize(("text", "said"), [(None, "cannot be read"), ("one\n", "no line")])
def test_a_list_that_says_nothing_is_refused(tmp_path, text, said):
    path = tmp_path / "synonyms.txt"
    if text:
        path.write_text(text)
    with pytest.raises(ConfigError, match=said):
        read_synonyms(path)
