"""Neighbour base models by hand."""

import numpy as np
import torch
from small_cases import cases, histories, random_events, table

from trefoil.fusion.features.idf import idf_rows
from trefoil.fusion.models.neighbours import Similar, next_items, random_walk, strongest
from trefoil.fusion.models.profiles import profile_scores


def test_similar_adds_up_the_rows_of_a_history_sparse_or_dense():
    rows = table([0, 2, 1], [3, 0, 0], [0, 5, 0])
    asked = cases([0, 1], [], [2])
    expected = torch.tensor([[3.0, 2, 1], [0, 0, 0], [0, 5, 0]])
    assert torch.equal(Similar(rows).score(asked), expected)
    assert torch.equal(Similar(rows.toarray()).score(asked), expected)


def test_similar_under_decay_listens_to_the_newest():
    rows = table([0, 0, 1], [0, 0, 0], [0, 1, 0])
    scores = Similar(rows, decay=1.0).score(cases([0, 2], [2, 0]))
    e = float(np.exp(-1))
    assert torch.allclose(scores, torch.tensor([[0.0, 1.0, e], [0.0, e, 1.0]]))


def test_idf_rows_by_hand():
    # Fact 0 holds for all four items and says nothing; fact 1 for two; fact 2 for one.
    rows = idf_rows(table([1, 1, 0], [1, 1, 1], [1, 0, 0], [1, 0, 0])).toarray()
    two, four = np.log(2), np.log(4)
    both = np.hypot(two, four)
    assert np.allclose(rows[0], [0, 1, 0])
    assert np.allclose(rows[1], [0, two / both, four / both])
    assert not rows[2:].any()


def test_profile_adds_up_an_items_cosines_with_the_history():
    content = np.random.default_rng(0).normal(size=(6, 3)).astype(np.float32)
    content /= np.linalg.norm(content, axis=1, keepdims=True)
    scores = profile_scores(content, cases([0, 4], [], [2]))
    assert np.allclose(scores[0], content @ content[0] + content @ content[4], atol=1e-6)
    assert not scores[1].any()
    assert int(scores[2].argmax()) == 2
    sparse_scores = profile_scores(table(*content), cases([0, 4], [], [2]))
    assert torch.allclose(scores, sparse_scores, atol=1e-6)


def test_random_walk_equals_a_plain_loop():
    events = random_events(12, 7)
    seen, walks = events.toarray(), random_walk(events).table.toarray()
    item_degree, user_degree = np.maximum(seen.sum(0), 1), np.maximum(seen.sum(1), 1)
    for i in range(7):
        for j in range(7):
            through = sum(seen[u, i] * seen[u, j] / user_degree[u] for u in range(12))
            expected = through * item_degree[i] ** -0.5 * item_degree[j] ** -0.3 * (i != j)
            assert np.isclose(walks[i, j], expected, atol=1e-6)


def test_random_walk_keeps_only_the_strongest():
    events = random_events(30, 9)
    full, cut = random_walk(events).table.toarray(), random_walk(events, keep=2).table.toarray()
    for whole, kept in zip(full, cut, strict=True):
        assert (kept > 0).sum() == 2
        assert np.allclose(np.sort(kept)[-2:], np.sort(whole)[-2:])


def test_strongest_by_hand_in_rows_of_any_length():
    kept = strongest(table([1, 4, 2, 3], [0, 0, 5, 0], [0, 0, 0, 0]), 2).toarray()
    assert np.array_equal(kept, [[0, 4, 0, 3], [0, 0, 5, 0], [0, 0, 0, 0]])


def test_next_items_counts_what_came_soon_after_and_never_across_histories():
    base_model = next_items(histories([0, 1, 2], [0, 1], [3]), items=4, ahead=2)
    expected = np.zeros((4, 4))
    expected[0, 1], expected[0, 2], expected[1, 2] = np.sqrt(2), 1, 1
    assert np.allclose(base_model.table.toarray(), expected)


def test_next_items_finds_a_planted_cycle_and_no_order_in_noise():
    rng = np.random.default_rng(0)
    planted = [(start + np.arange(6)) % 10 for start in rng.integers(0, 10, 50)]
    noise = [rng.permutation(10)[:6] for _ in range(50)]
    for log, low, high in ((planted, 1.0, 1.0), (noise, 0.0, 0.6)):
        base_model = next_items(histories(*map(list, log)), items=10, ahead=1)
        scores = base_model.score(cases(*[[item] for item in range(10)]))
        hit = scores.argmax(1) == (torch.arange(10) + 1) % 10
        assert low <= float(hit.float().mean()) <= high


def test_next_items_of_single_events_know_nothing():
    assert not next_items(histories([0], [1]), items=2).table.nnz
