"""Factors against direct normal equations, and planted blocks."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from small_cases import cases, random_events

from trefoil.evaluation.baselines.als import solve
from trefoil.fusion.models.als import factorise


def direct(events, other, ridge, alpha):
    """Each row by its own weighted normal equations, in double precision."""
    v = other.numpy().astype(float)
    answer = np.zeros((events.shape[0], v.shape[1]))
    for row, taken in enumerate(events.toarray()):
        confidence = 1 + alpha * taken
        left = v.T @ (confidence[:, None] * v) + ridge * np.eye(v.shape[1])
        answer[row] = np.linalg.solve(left, v.T @ (confidence * taken))
    return answer


def factors(items, width, seed=0):
    return torch.randn(items, width, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(
    ("density", "width"), [(0.05, 16), (0.9, 4), (0.3, 8)], ids=["short", "long", "mixed"]
)
def test_solving_equals_the_normal_equations_row_by_row(density, width):
    events, other = random_events(50, 40, density), factors(40, width)
    found = solve(events, other, ridge=2.0, alpha=5.0)
    assert np.allclose(found.numpy(), direct(events, other, 2.0, 5.0), atol=2e-4)


@given(st.integers(0, 2**31), st.integers(1, 12), st.floats(0.05, 0.95))
@settings(max_examples=30, deadline=None)
def test_solving_equals_the_normal_equations_whatever_the_lengths(seed, width, density):
    events, other = random_events(12, 15, density, seed), factors(15, width, seed % 1000)
    found = solve(events, other, ridge=1.0, alpha=3.0)
    assert np.allclose(found.numpy(), direct(events, other, 1.0, 3.0), atol=1e-3)


def test_rows_without_entries_are_zero():
    found = solve(sparse.csr_matrix((3, 5), dtype=np.float32), factors(5, 2), 1.0, 1.0)
    assert found.shape == (3, 2)
    assert not found.any()


def test_a_user_asked_later_gets_the_factors_of_the_same_history():
    base_model = factorise(random_events(30, 12), width=4, rounds=3)
    history = [1, 5, 7]
    row = sparse.csr_matrix((np.ones(3, np.float32), ([0] * 3, history)), (1, 12))
    user = solve(row, base_model.items, base_model.ridge, base_model.alpha)
    assert torch.allclose(base_model.score(cases(history)), user @ base_model.items.T, atol=1e-6)


def block_scores(seed):
    """Scores of the items [two people, 40] whose histories lie in the first and second block.

    Two groups take items of their own block only; the last ten are taken by anyone.
    """
    rng = np.random.default_rng(seed)
    group = np.arange(80) % 2
    block = np.repeat([0, 1, -1], [15, 15, 10])
    likes = np.where(block == -1, 0.3, 0.5 * (block == group[:, None]))
    events = sparse.csr_matrix((rng.random(likes.shape) < likes).astype(np.float32))
    base_model = factorise(events, width=4, ridge=1.0, alpha=5.0, rounds=8, seed=seed)
    return base_model.score(cases([0, 1, 2], [15, 16, 17]))


@pytest.mark.parametrize("seed", range(5))
def test_planted_blocks_are_completed_and_noise_is_not(seed):
    """By weighted least squares a constant score of the own block, of which a history holds

    3 of 15 items, is 3 (1 + 5) / (15 + 3 * 5) = .6, and that of the other block 0.
    """
    scores = block_scores(seed)
    own = torch.stack([scores[0, 3:15].mean(), scores[1, 18:30].mean()])
    other = torch.stack([scores[0, 15:30].mean(), scores[1, :15].mean()])
    assert bool((own > 0.3).all())
    assert bool((other < 0.3).all())
    apart = (scores[0, 30:] - scores[1, 30:]).mean().abs()  # nobody's own: alike for both
    assert apart < 0.5 * float((own - other).mean())


def test_one_seed_gives_one_answer_and_another_seed_another():
    events = random_events(20, 10)
    one, same, other = (factorise(events, width=3, rounds=2, seed=s).items for s in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
