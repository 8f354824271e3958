"""Words and categories of items as features: what counts as a word, and what a control deals."""

import numpy as np
import torch

from trefoil.data.items import Entities, Labels
from trefoil.data.vocabulary import Vocabulary
from trefoil.fusion.features import preparation
from trefoil.fusion.features.fields import COLUMNS, dealt, fields_of, words_of
from trefoil.fusion.record import Record
from trefoil.fusion.settings import load_settings


def items(*texts, brand=()):
    """Items with texts, and the brand of each where given."""
    vocabulary = Vocabulary([str(row) for row in range(len(texts))])
    if not brand:
        return Entities(vocabulary, texts=texts)
    names = tuple(dict.fromkeys(brand))
    codes = np.array([names.index(one) for one in brand], np.int64)
    labels = Labels(np.arange(len(texts) + 1), codes, names)
    return Entities(vocabulary, texts=texts, category={"brand": labels})


def test_words_are_read_once_in_small_letters_and_ideographs_one_by_one():
    assert words_of("Nail lacquer, NAIL 0.5-oz") == ["nail", "lacquer", "0", "5", "oz"]
    assert words_of("安静的 noir") == ["安", "静", "的", "noir"]
    assert words_of(None) == []


def test_each_field_has_a_row_per_item_and_columns_that_content_alone_decides():
    first = fields_of(items("red lacquer", None, brand=("OPI", "Skin79")))
    later = fields_of(items("lacquer", brand=("OPI",)))
    assert list(first) == ["words", "category brand"]
    assert first["words"].shape == (2, COLUMNS)
    assert np.diff(first["words"].indptr).tolist() == [2, 0]
    for name in first:
        assert set(later[name].indices) <= set(first[name].indices[: first[name].indptr[1]])
    assert list(fields_of(items("", None))) == []


def test_a_control_moves_the_features_of_one_kind_of_field_and_no_other():
    told = fields_of(items("a", "b", None, "c", brand=("x", "y", "z", "w")))
    other = dealt(told, words=True, categories=False, seed=0)
    assert (other["category brand"] != told["category brand"]).nnz == 0
    before, after = told["words"].toarray().argmax(1), other["words"].toarray().argmax(1)
    assert sorted(before) == sorted(after)
    assert before[2] == after[2] == 0  # nothing known, nothing dealt
    assert (before != after)[[0, 1, 3]].all()


def test_each_column_has_values_of_its_own():
    """The longer column first: what one calls its values is not looked up in another."""
    colour = Labels(np.array([0, 1, 2, 3]), np.array([0, 1, 2]), ("red", "green", "blue"))
    size = Labels(np.array([0, 1, 2, 3]), np.array([0, 0, 0]), ("large",))
    items = Entities(Vocabulary("abc"), category={"colour": colour, "size": size})
    alone = fields_of(Entities(Vocabulary("abc"), category={"colour": colour}))
    both = fields_of(items)
    assert (both["category colour"] != alone["category colour"]).nnz == 0
    assert both["category size"].getnnz(axis=0).max() == 3


def test_features_of_a_large_catalogue_are_made_for_those_who_ask(shop, monkeypatch):
    def made(*changes):
        settings = load_settings(None, changes)
        events = shop.interactions
        return preparation.known_of(shop, events, None, None, settings, returning=False).fields

    assert list(made()) == ["words", "category kind"]
    monkeypatch.setattr(preparation, "MOST_ITEMS", len(shop.items) - 1)
    assert not made()
    assert list(made("item_fields=true")) == ["words", "category kind"]


def test_texts_may_be_read_by_their_words_alone(shop):
    """No encoder is opened, and what reads words has them as before."""

    def read(*changes):
        settings, record = load_settings(None, changes), Record()
        texts = preparation.read_texts(shop, settings, torch.device("cpu"), None, record, None)
        events = shop.interactions
        known = preparation.known_of(shop, events, None, texts, settings, returning=False)
        return texts, known.text, known.fields

    encoded = read("text.model=ngrams")
    texts, vectors, fields = read("text.model=words")
    assert encoded[0] is not None
    assert (texts, vectors) == (None, None)
    assert (fields["words"] != encoded[2]["words"]).nnz == 0
    assert "words" not in read("text.on=false")[2]
