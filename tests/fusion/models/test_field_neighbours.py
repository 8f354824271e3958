"""Items alike by words and categories: rare ones weigh more, and noise gains nothing."""

import numpy as np
import pytest
from small_cases import histories

from trefoil.data.interactions import Interactions
from trefoil.data.items import Entities
from trefoil.data.vocabulary import Vocabulary
from trefoil.fusion.features.fields import fields_of
from trefoil.fusion.features.training_data import TrainingData
from trefoil.fusion.models.fields import FieldNeighbours, content_of, neighbours

TEXTS = (
    "red lacquer opi",
    "pink lacquer opi",
    "blue shampoo",
    "green shampoo",
    "lacquer remover",
    None,
)


@pytest.fixture
def fields():
    return fields_of(Entities(Vocabulary([*"abcdef"]), texts=TEXTS))


def test_what_few_items_share_weighs_more_than_what_many_do(fields):
    table = neighbours(content_of(fields, 6), np.arange(6)).toarray()
    assert table[0, 1] == table[0].max() > table[0, 4] > 0  # lacquer and opi; lacquer alone
    assert table[2, 3] > 0
    assert table[0, 2] == 0
    assert not table[5].any()
    assert not table.diagonal().any()


def test_words_of_one_item_alone_join_nothing(fields):
    content = content_of(fields, 6)
    assert content.shape[1] == 3  # lacquer, opi, shampoo
    lengths = np.sqrt(content.multiply(content).sum(1))
    np.testing.assert_allclose(lengths.ravel(), [[1, 1, 1, 1, 1, 0]], rtol=1e-6)


def test_rows_of_new_items_are_those_of_a_table_made_whole(fields):
    content = content_of(fields, 4)  # the last two came later and are not counted
    whole = neighbours(content, np.arange(6)).toarray()
    old = FieldNeighbours(neighbours(content[:4], np.arange(4)), 2.0)
    past, events = (
        histories([0]),
        Interactions(np.zeros(1, int), np.zeros(1, int), np.ones(1, bool)),
    )
    parts = events, past.matrix(6), past, None, None
    known = TrainingData(*parts, timed=True, added=2, fields=fields)
    np.testing.assert_allclose(old.with_items(known, 4).table.toarray(), whole, rtol=1e-6)
