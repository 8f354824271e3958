"""Items nearest by text: squared cosines by hand, and the same table for items that come later."""

import numpy as np
import pytest
import torch
from small_cases import histories

from trefoil.data.interactions import Interactions
from trefoil.encoders.view import View
from trefoil.fusion.features.training_data import TrainingData
from trefoil.fusion.models.nearest_texts import NearestTexts, nearest

UNIT = torch.tensor([[1.0, 0.0], [0.6, 0.8], [-1.0, 0.0], [0.0, 0.0], [0.8, 0.6]])


def test_only_near_items_count_and_by_the_square_of_the_cosine():
    table = nearest(UNIT, np.arange(5)).toarray()
    assert table[0].tolist() == pytest.approx([0, 0.36, 0, 0, 0.64])
    assert not table[3].any()  # of whom nothing is said
    assert not table.diagonal().any()


def test_rows_of_new_items_are_those_of_a_table_made_whole():
    old = NearestTexts(nearest(UNIT[:3], np.arange(3)), 2.0)
    past = histories([0])
    events = Interactions(np.zeros(1, int), np.zeros(1, int), np.ones(1, bool))
    text = View(UNIT, torch.tensor([True, True, True, False, True]))
    known = TrainingData(events, past.matrix(5), past, None, text, timed=True, added=2)
    grown = old.with_items(known, 3).table.toarray()
    np.testing.assert_allclose(grown, nearest(UNIT, np.arange(5)).toarray(), rtol=1e-6)
