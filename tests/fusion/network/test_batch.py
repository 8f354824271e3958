"""Steps of training: every transition once, every pair in its group, padding on the right."""

import itertools
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small_cases import histories

from trefoil.data.interactions import Categorical, Interactions
from trefoil.fusion.network.batches import Groups, Stretches, Windows, newest


def transitions(batches):
    """(before, after) of every valid neighbouring pair in the batches."""
    found = Counter()
    for batch in batches:
        for row, valid in zip(batch.item.tolist(), batch.there.tolist(), strict=True):
            inside = row[: sum(valid)]
            assert valid == sorted(valid, reverse=True)  # padding lies on the right
            assert not any(row[len(inside) :])
            found.update(itertools.pairwise(inside))
    return found


@given(
    st.lists(st.integers(0, 23), min_size=1, max_size=8), st.integers(1, 7), st.integers(0, 10**6)
)
@settings(max_examples=150, deadline=None)
def test_an_epoch_shows_every_transition_exactly_once(lengths, window, seed):
    ends = np.cumsum([0, *lengths])
    log = [list(range(a, b)) for a, b in itertools.pairwise(ends)]
    windows = Windows(histories(*log), window)
    batches = list(windows.epoch(np.random.default_rng(seed), batch=3))
    expected = Counter((i, i + 1) for one in log for i in one[:-1])
    assert transitions(batches) == expected
    assert all(one.item.shape[1] <= window + 1 for one in batches)
    assert all(one.there.sum() <= 4 * (window + 1) for one in batches)


def test_windows_of_like_length_share_a_batch():
    rng = np.random.default_rng(0)
    log = [list(range(n)) for n in rng.integers(2, 40, 500)]
    windows = Windows(histories(*log), 50)
    held = [(one.there.numel(), int(one.there.sum())) for one in windows.epoch(rng, batch=20)]
    cells, events = (sum(side) for side in zip(*held, strict=True))
    assert events > 0.8 * cells  # unsorted batches hold about half
    assert max(own for _, own in held) < 2.5 * events / len(held)


def test_a_history_that_fits_is_one_window_from_its_first_event():
    windows = Windows(histories([4, 5, 6], [7]), 5)
    for seed in range(5):
        (one,) = windows.epoch(np.random.default_rng(seed), batch=8)
        assert one.item.tolist() == [[4, 5, 6]]
        assert one.there.all()


def test_a_long_history_is_cut_elsewhere_in_another_epoch():
    windows = Windows(histories(list(range(50))), 10)
    rng = np.random.default_rng(0)
    firsts = {
        tuple(sorted(row[0] for one in windows.epoch(rng, batch=64) for row in one.item.tolist()))
        for _ in range(10)
    }
    assert len(firsts) > 3


def test_without_transitions_there_are_no_windows():
    assert not list(Windows(histories([1], []), 5).epoch(np.random.default_rng(0), batch=4))


def test_newest_takes_the_last_events_in_order():
    past = newest(histories([1, 2, 3, 4], [], [9]), 3)
    assert past.item.tolist() == [[2, 3, 4], [0, 0, 0], [9, 0, 0]]
    assert past.lengths.tolist() == [3, 0, 1]
    assert past.at is None


def test_times_stay_beside_their_items():
    log = histories([1, 2, 3, 4], [], [9])
    timed = replace(log, at=10 * log.item)
    past = newest(timed, 3)
    assert torch.equal(past.at, 10 * past.item)
    batches = list(Windows(timed, 2).epoch(np.random.default_rng(0), batch=2))
    assert batches
    for one in batches:
        assert torch.equal(one.at, 10 * one.item)


def test_newest_of_nobody_and_of_people_without_events():
    past = newest(histories([], []), 3)
    assert past.item.shape == (2, 1)
    assert past.lengths.tolist() == [0, 0]


def test_what_was_met_before_is_told_of_every_following_event_but_its_own_item():
    one = Stretches.of(
        histories([5, 6, 5, 7], [8], [3, 4]), np.array([0, 4, 5]), np.array([4, 1, 2])
    )
    number, item = one.met_before()
    pairs = set(zip(number.tolist(), item.tolist(), strict=True))
    # 6 and 5 and 7 follow in the first stretch, nothing in the second, 4 in the third.
    assert pairs == {(0, 5), (1, 6), (2, 5), (2, 6), (3, 3)}


@given(st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=7), min_size=1, max_size=5))
@settings(max_examples=60, deadline=None)
def test_numbers_of_following_events_are_those_of_the_asked_states(log):
    past = newest(histories(*log), 7)
    number, item = past.met_before()
    expected = [
        {one for one in own[:at] if one != own[at]} for own in log for at in range(1, len(own))
    ]
    found = [set() for _ in expected]
    for row, one in zip(number.tolist(), item.tolist(), strict=True):
        found[row].add(one)
    assert found == expected


def test_stretches_are_padded_with_zeros_on_the_right():
    one = Stretches.of(histories([5, 6, 7, 8]), np.array([2, 0]), np.array([2, 1]))
    assert one.item.tolist() == [[7, 8], [5, 0]]
    assert one.there.tolist() == [[True, True], [True, False]]


EVENTS = Interactions(
    user=np.array([1, 0, 1, 1, 0, 1]),
    item=np.array([5, 4, 3, 2, 4, 9]),
    positive=np.array([True, True, True, True, True, False]),
    scenario={"device": Categorical(np.array([1, 0, 1, -1, 0, 0]), ("phone", "tv"))},
)


def test_groups_by_user_hold_positive_events_alone():
    groups = Groups.of(EVENTS, scenarios=False)
    assert groups.user.tolist() == [0, 1]
    assert groups.start.tolist() == [0, 2, 5]
    assert groups.item.tolist() == [4, 4, 2, 3, 5]
    assert not groups.scenario


def test_groups_by_scenario_split_a_user_and_keep_unknown_values_apart():
    groups = Groups.of(EVENTS, scenarios=True)
    assert groups.user.tolist() == [0, 1, 1]
    assert groups.scenario["device"].tolist() == [0, -1, 1]
    taken = [
        groups.item[a:b].tolist() for a, b in zip(groups.start, groups.start[1:], strict=False)
    ]
    assert taken == [[4, 4], [2], [3, 5]]


def test_pairs_name_the_place_in_the_batch_not_the_group():
    groups = Groups.of(EVENTS, scenarios=True)
    case, item = groups.pairs(np.array([2, 0]))
    assert case.tolist() == [0, 0, 1, 1]
    assert item.tolist() == [3, 5, 4, 4]


@given(st.integers(0, 10**6), st.booleans())
@settings(max_examples=40, deadline=None)
def test_the_pairs_of_all_groups_are_the_positive_events(seed, scenarios):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 40))
    user, item = rng.integers(0, 5, n), rng.integers(0, 8, n)
    positive = rng.random(n) < 0.7
    positive[0] = True
    column = Categorical(rng.integers(-1, 2, n), ("a", "b"))
    groups = Groups.of(
        Interactions(user, item, positive, scenario={"s": column}), scenarios=scenarios
    )
    case, items = groups.pairs(np.arange(len(groups)))
    found = Counter(zip(groups.user[case].tolist(), items.tolist(), strict=True))
    assert found == Counter(zip(user[positive].tolist(), item[positive].tolist(), strict=True))


@pytest.mark.parametrize("scenarios", [True, False])
def test_without_positive_events_there_are_no_groups(scenarios):
    none = Interactions(
        np.array([0]),
        np.array([1]),
        np.array([False]),
        scenario={"s": Categorical(np.array([0]), ("a",))},
    )
    groups = Groups.of(none, scenarios=scenarios)
    assert len(groups) == 0
    assert groups.start.tolist() == [0]


def test_padding_and_items_are_tensors_of_rows():
    one = Stretches.of(histories([1]), np.array([0]), np.array([1]))
    assert one.item.dtype == torch.int64
    assert one.there.dtype == torch.bool
