"""What comes with what: visits are told apart, and weigh as they are asked to."""

import numpy as np
import pytest
from small_cases import histories

from trefoil.data.histories import Histories
from trefoil.data.interactions import UNKNOWN_TIME
from trefoil.fusion.models.cooccurrence import FADE, VISIT_S, Pairs, visits

DAY = 2 * VISIT_S


@pytest.fixture
def history():
    """Items 0, 1 in one visit and 2 in the next; another person with 3 alone."""
    past = histories([0, 1, 2], [3])
    return Histories(past.start, past.item, np.array([0, 60, DAY, DAY]))


def test_a_visit_ends_with_a_long_gap_with_the_person_and_where_no_time_is_known(history):
    assert visits(history).tolist() == [1, 1, 2, 3]
    unknown = Histories(history.start, history.item, np.array([0, UNKNOWN_TIME, DAY, DAY]))
    assert visits(unknown).tolist() == [1, 2, 3, 4]


def test_pairs_are_counted_in_their_visit_or_between_visits_and_fade_with_distance(history):
    pairs = Pairs.of(history, 4)
    basket, later = np.zeros((4, 4)), np.zeros((4, 4))
    basket[0, 1] = later[1, 2] = 1
    later[0, 2] = np.exp(-1 / FADE)
    np.testing.assert_allclose(pairs.basket.toarray(), basket)
    np.testing.assert_allclose(pairs.later.toarray(), later, rtol=1e-6)


def test_a_basket_weighs_as_asked_and_what_went_before_too(history):
    pairs = Pairs.of(history, 4)
    table = pairs.table(basket=2.0, backward=0.5).toarray()
    assert (table[0, 1], table[1, 0]) == (2.0, 1.0)
    assert (table[1, 2], table[2, 1]) == (1.0, 0.5)
    assert not table[3].any()
    assert not pairs.table(basket=1.0, backward=0.0).toarray()[2].any()


def test_an_item_of_many_events_speaks_lower_for_each():
    past = histories([0, 1], [0, 1], [0, 1], [0, 1], [2, 3])
    at = np.arange(len(past.item)) * 60
    table = Pairs.of(Histories(past.start, past.item, at), 4).table(1.0, 0.0)
    assert (table[0, 1], table[2, 3]) == (2.0, 1.0)  # 4 / sqrt(4), 1 / sqrt(1)
