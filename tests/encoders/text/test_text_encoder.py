"""Texts to vectors: meaning, what is said when meaning cannot be had, whitening."""

import logging
from threading import Thread

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from trefoil.encoders.text import encoder, sentence_model
from trefoil.encoders.text.cache import Reading
from trefoil.encoders.text.encoder import TextEncoder, Whitening, hashed_ngrams, unknown_share
from trefoil.encoders.text.sentence_model import digest_of, load, source_of, token_counts
from trefoil.encoders.view import View

PAIRS = (
    ("An astronaut is stranded alone on Mars.", "A space mission leaves a man behind on a planet."),
    ("A chef opens a small restaurant in Paris.", "Cooks fall in love in a French kitchen."),
    ("Detectives hunt a murderer in the city.", "A policeman investigates a series of killings."),
)
CHINESE = ("孤独的宇航员被困在火星上", "一位厨师在巴黎开了一家小餐馆", "侦探在城市里追捕凶手")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A cache folder of this module's own."""
    return tmp_path_factory.mktemp("cache")


def never_load(*_):
    raise AssertionError("the model was loaded although there was no need")


def test_related_sentences_are_closer_than_unrelated_ones(home, capfd):
    view, warnings = TextEncoder(cache=home).encode([text for pair in PAIRS for text in pair])
    unit = torch.nn.functional.normalize(view.vectors, dim=1)
    first, second = unit[0::2], unit[1::2]
    alike = first @ second.T
    for row in range(len(PAIRS)):
        others = torch.cat([alike[row, :row], alike[row, row + 1 :]])
        assert alike[row, row] > others.max() + 0.1
    assert not warnings
    assert view.known.all()
    assert capfd.readouterr() == ("", "")  # no progress bar but ours


def test_a_cache_hit_equals_a_miss_exactly_and_loads_no_model(home, monkeypatch):
    texts = [PAIRS[0][0], None, PAIRS[1][0], "  ", PAIRS[0][0]]
    missed, _ = TextEncoder(cache=home / "own").encode(texts)
    monkeypatch.setattr("trefoil.encoders.text.encoder.load", never_load)
    hit, _ = TextEncoder(cache=home / "own").encode(texts)
    assert torch.equal(missed.vectors, hit.vectors)
    assert hit.known.tolist() == [True, False, True, False, True]
    assert not hit.vectors[1].any()
    assert torch.equal(hit.vectors[0], hit.vectors[4])


def test_texts_whose_words_the_tokenizer_does_not_know_are_read_as_ngrams_loudly(home, caplog):
    encoder = TextEncoder(cache=home / "chinese")
    with caplog.at_level(logging.WARNING, "trefoil.encoders.text.encoder"):
        view, warnings = encoder.encode(CHINESE)
    assert len(warnings) == 1
    assert "tokenizer" in warnings[0]
    assert "text.model" in warnings[0]
    assert warnings[0] in caplog.text
    assert np.array_equal(view.vectors.numpy(), hashed_ngrams(CHINESE))
    again, repeated = encoder.encode(CHINESE)
    assert repeated == warnings
    assert torch.equal(again.vectors, view.vectors)


def test_missing_weights_give_the_stand_in_and_a_remedy(tmp_path, caplog):
    encoder = TextEncoder(model=str(tmp_path / "no-weights-here"), cache=tmp_path)
    with caplog.at_level(logging.WARNING, "trefoil.encoders.text.encoder"):
        view, warnings = encoder.encode(["one text", "another"])
    assert len(warnings) == 1
    assert "no-weights-here" in warnings[0]
    assert "trefoil[offline]" in warnings[0]
    assert warnings[0] in caplog.text
    assert np.array_equal(view.vectors.numpy(), hashed_ngrams(["one text", "another"]))


def test_without_the_package_of_weights_minilm_gives_the_stand_in(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    view, warnings = TextEncoder(cache=tmp_path).encode(["one text"])
    assert len(warnings) == 1
    assert np.array_equal(view.vectors.numpy(), hashed_ngrams(["one text"]))


@pytest.mark.parametrize("texts", [[], [None], ["", " \n"]])
def test_without_any_text_nothing_is_known_and_no_model_is_loaded(texts, tmp_path, monkeypatch):
    monkeypatch.setattr("trefoil.encoders.text.encoder.load", never_load)
    view, warnings = TextEncoder(cache=tmp_path).encode(texts)
    assert len(view.vectors) == len(texts)
    assert not view.known.any()
    assert not warnings


def test_progress_counts_the_texts_that_had_to_be_read(home):
    said = []
    encoder = TextEncoder(cache=home / "progress", batch=1)
    encoder.encode(
        [f"text {n}" for n in range(40)], lambda done, of, what: said.append((done, of, what))
    )
    assert said == [(32, 40, "texts"), (40, 40, "texts")]


def test_a_text_longer_than_the_model_reads_is_cut_without_alarm(home, capfd):
    beyond = TextEncoder(cache=home / "long").encode(["ocean " * 600, "ocean " * 700])[0]
    assert torch.allclose(beyond.vectors[0], beyond.vectors[1], atol=1e-5)
    assert capfd.readouterr() == ("", "")


class WordTokenizer:
    """Knows three words."""

    unk_token_id = 0
    words = {"a": 1, "b": 2, "c": 3}  # noqa: RUF012

    def __call__(self, texts, *, add_special_tokens, truncation, max_length):
        assert not add_special_tokens
        assert truncation
        words = [text.split()[:max_length] for text in texts]
        return {"input_ids": [[self.words.get(word, 0) for word in one] for one in words]}


@pytest.mark.parametrize(
    ("texts", "share"),
    [
        (["a b", "c c"], 0.0),
        (["a x", "y b"], 0.5),
        (["x"], 1.0),
        ([""], 0.0),
        (["a x b y y"], 1 / 3),
        (["x", "a b c"], 1 / 4),
    ],
)
def test_the_share_of_unknown_words_among_those_read_is_counted(texts, share):
    counts = token_counts(WordTokenizer(), texts, max_tokens=3)
    nothing = np.zeros(1, np.float16)
    assert unknown_share(Reading(nothing, *count) for count in counts) == share


def test_a_text_in_another_language_counts_as_no_text_among_many_that_are_read(home):
    english = [f"A film of {what}." for pair in PAIRS for what in pair for _ in range(4)]
    view, warnings = TextEncoder(cache=home / "mixed").encode([*english, CHINESE[0]])
    assert not warnings
    assert view.known.tolist() == [True] * len(english) + [False]
    assert not view.vectors[-1].any()


def test_a_warm_cache_does_not_change_how_texts_are_read(home):
    """Most texts of the whole are readable; those that were missing alone would not be."""
    english = [f"A film of {what}." for pair in PAIRS for what in pair]
    whole = [*english, *CHINESE]
    cold, said = TextEncoder(cache=home / "cold").encode(whole)
    warm = TextEncoder(cache=home / "warm")
    warm.encode(english)
    then, again = warm.encode(whole)
    assert again == said
    assert torch.equal(then.known, cold.known)
    assert torch.allclose(then.vectors, cold.vectors, atol=1e-3)


def test_vectors_come_in_the_order_of_the_texts_whatever_their_lengths(home):
    texts = ["ocean " * n for n in (9, 1, 30, 3)] + ["a jazz night"]
    together, _ = TextEncoder(cache=home / "together").encode(texts)
    alone = [TextEncoder().encode([text], store=False)[0].vectors[0] for text in texts]
    assert torch.allclose(together.vectors, torch.stack(alone), atol=2e-3)


def test_a_query_is_read_and_written_nowhere(tmp_path):
    view, _ = TextEncoder(cache=tmp_path).encode(["a private wish"], store=False)
    assert view.known.all()
    assert not list(tmp_path.iterdir())


def test_the_file_of_the_cache_holds_no_text(tmp_path):
    TextEncoder(cache=tmp_path).encode(["an unmistakable sentence"])
    held = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert held
    assert b"unmistakable" not in held


def test_a_model_is_loaded_once_for_the_same_settings():
    source = source_of("minilm")
    assert source is not None
    threads = [Thread(target=load, args=(source, None, "cpu", 32)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert load(source, None, "cpu", 32) is load(source, None, "cpu", 32)
    assert load(source, None, "cpu", 32) is not load(source, None, "cpu", 64)


def test_other_weights_under_the_same_name_have_another_digest(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"one")
    (tmp_path / "README.md").write_text("words", "utf-8")
    before = digest_of(str(tmp_path), None)
    (tmp_path / "README.md").write_text("other words", "utf-8")
    assert digest_of(str(tmp_path), None) == before
    (tmp_path / "model.safetensors").write_bytes(b"other")
    assert digest_of(str(tmp_path), None) != before


def test_ngrams_know_spelling_and_are_the_same_in_every_process():
    same, near, far = hashed_ngrams(["recommendation", "recommendations", "zebra crossing"])
    assert same @ near > 0.8
    assert abs(same @ far) < 0.2
    # Written down once: BLAKE2 does not depend on PYTHONHASHSEED or platform.
    assert np.flatnonzero(hashed_ngrams(["ab"])[0]).tolist() == [10, 281, 339]


@given(st.lists(st.text(max_size=30), min_size=1, max_size=6))
@settings(max_examples=50, deadline=None)
def test_ngram_vectors_have_length_one_and_depend_on_their_own_text_alone(texts):
    together = hashed_ngrams(texts)
    lengths = np.linalg.norm(together, axis=1)
    assert np.all((np.abs(lengths - 1) < 1e-5) | (lengths == 0))
    alone = np.concatenate([hashed_ngrams([text]) for text in texts])
    assert np.array_equal(together, alone)


def strong_direction(rows=400, width=12, seed=0):
    """Vectors that all share one strong direction and differ in weak ones."""
    generator = torch.Generator().manual_seed(seed)
    spread = torch.tensor([5.0, 2.0, 1.0, *[0.3] * (width - 3)])
    vectors = torch.randn(rows, width, generator=generator) * spread + 3
    known = torch.ones(rows, dtype=torch.bool)
    known[::10] = False
    return View(vectors.masked_fill(~known[:, None], 0.0), known)


def test_whitening_gives_unit_variance_and_no_correlation():
    view = strong_direction()
    whitening = Whitening.fit(view, 12)
    white = (view.vectors[view.known] - whitening.mean) @ whitening.directions
    assert torch.allclose(white.mean(0), torch.zeros(12), atol=1e-4)
    assert torch.allclose(white.T.cov(), torch.eye(12), atol=1e-3)


def test_whitened_rows_have_length_one_and_unknown_rows_stay_zero():
    view = strong_direction()
    white = Whitening.fit(view, 5)(view)
    assert white.vectors.shape == (400, 5)
    assert torch.allclose(white.vectors[white.known].norm(dim=1), torch.ones(360), atol=1e-5)
    assert not white.vectors[~white.known].any()


def test_whitening_ignores_the_rows_that_are_unknown():
    view = strong_direction()
    changed = View(view.vectors + 50.0 * ~view.known[:, None], view.known)
    one, other = Whitening.fit(view, 6), Whitening.fit(changed, 6)
    assert torch.equal(one.mean, other.mean)
    assert torch.equal(one.directions, other.directions)


def test_the_strongest_directions_are_kept_and_their_sign_is_fixed():
    view = strong_direction()
    wide, narrow = Whitening.fit(view, 12), Whitening.fit(view, 3)
    assert torch.allclose(wide.directions[:, :3], narrow.directions)
    assert narrow.directions[:3].abs().argmax(0).tolist() == [0, 1, 2]
    largest = wide.directions.gather(0, wide.directions.abs().argmax(0)[None])
    assert (largest > 0).all()


@pytest.mark.parametrize("rows", [0, 1, 2, 3])
def test_whitening_of_few_rows_is_finite(rows):
    vectors = torch.randn(rows, 8, generator=torch.Generator().manual_seed(1))
    view = View(vectors, torch.ones(rows, dtype=torch.bool))
    assert torch.isfinite(Whitening.fit(view, 8)(view).vectors).all()


def test_whitening_of_equal_rows_is_finite():
    view = View(torch.ones(20, 4), torch.ones(20, dtype=torch.bool))
    assert torch.isfinite(Whitening.fit(view, 4)(view).vectors).all()


def test_a_view_refuses_flags_of_another_length():
    with pytest.raises((ValueError, TypeError)):  # TypeError where shapes are checked first
        View(torch.zeros(3, 1), torch.zeros(2, dtype=torch.bool))


@given(st.integers(1, 12), st.integers(1, 9), st.integers(1, 4), st.integers(0, 10**6))
@settings(max_examples=60, deadline=None)
def test_whitening_of_rows_of_low_rank_is_finite_and_of_length_one(rows, width, rank, seed):
    generator = torch.Generator().manual_seed(seed)
    few = torch.randn(rank, width, generator=generator)
    vectors = few[torch.randint(rank, (rows,), generator=generator)]
    white = Whitening.fit(View(vectors, torch.ones(rows, dtype=torch.bool)), 8)
    found = white(View(vectors, torch.ones(rows, dtype=torch.bool))).vectors
    assert torch.isfinite(found).all()
    lengths = found.norm(dim=1)
    assert bool(((lengths - 1).abs() < 1e-3).logical_or(lengths < 1e-3).all())


def test_where_eigenvalues_do_not_converge_singular_values_give_the_same(monkeypatch):
    view = strong_direction()
    usual = Whitening.fit(view, 5)

    def fails(_):
        raise torch.linalg.LinAlgError("failed to converge")  # type: ignore[attr-defined]

    monkeypatch.setattr(torch.linalg, "eigh", fails)
    other = Whitening.fit(view, 5)
    assert torch.allclose(usual.directions, other.directions, atol=1e-4)
    assert torch.allclose(usual.mean, other.mean)


def test_of_few_different_texts_only_the_directions_that_they_span_are_kept():
    three = torch.eye(40)[:3].repeat(8, 1)
    view = View(three, torch.ones(len(three), dtype=torch.bool))
    assert Whitening.fit(view, 24).directions.shape == (40, 2)


def test_many_rows_are_whitened_by_blocks_as_few_are(monkeypatch):
    random = torch.Generator().manual_seed(0)
    rows = torch.randn(90, 6, generator=random) @ torch.randn(6, 6, generator=random)
    view = View(rows, torch.arange(90) % 7 > 0)
    whole = Whitening.fit(view, 4)
    monkeypatch.setattr(encoder, "BLOCK", 13)
    blocks = Whitening.fit(view, 4)
    assert torch.allclose(blocks.mean, whole.mean)
    assert torch.allclose(blocks.directions, whole.directions, atol=1e-5)
    assert torch.allclose(blocks(view).vectors, whole(view).vectors, atol=1e-5)


def test_a_few_encoders_are_held_and_the_one_asked_for_longest_ago_goes(monkeypatch):
    monkeypatch.setattr(sentence_model, "_loaded", {})
    monkeypatch.setattr(sentence_model, "MOST", 2)
    source = source_of("minilm")
    assert source is not None
    short, longer = (load(source, None, "cpu", tokens) for tokens in (8, 9))
    assert load(source, None, "cpu", 8) is short
    load(source, None, "cpu", 10)
    assert load(source, None, "cpu", 8) is short
    assert load(source, None, "cpu", 9) is not longer
