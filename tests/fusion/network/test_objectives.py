"""Losses worked by hand, stable far out, and silent where nothing is labelled."""

import math

import numpy as np
import pytest
import torch
from planted_shop import TINY
from torch.nn import functional as F

from trefoil.fusion.network.negative_sampling import Sampler
from trefoil.fusion.network.objectives import (
    cross_entropy,
    next_item,
    over_sample,
    softmax,
    squared_error,
)
from trefoil.fusion.network.steps import Step
from trefoil.fusion.network.tasks.base import Rows, Target, Task, TaughtTask, mean_losses
from trefoil.fusion.network.weighting.backward import weighted_backward
from trefoil.fusion.network.weighting.base import Static
from trefoil.fusion.recommender import Recommender
from trefoil.fusion.settings import load_settings

ROWS = torch.tensor([[0.0, math.log(3)], [math.log(2), 0.0]])  # shares 1/4, 3/4 and 2/3, 1/3


def close(found, expected):
    return torch.allclose(found, torch.tensor(expected), atol=1e-6)


def over_all(scores, item):
    """(picked, total) of one item per row."""
    return scores[torch.arange(len(item)), item], torch.logsumexp(scores, dim=1)


def test_softmax_by_hand():
    picked, total = over_all(ROWS[[0, 0, 1]], torch.tensor([0, 1, 1]))
    assert close(softmax(picked, total), [math.log(4), math.log(4 / 3), math.log(3)])


def test_next_item_by_hand():
    picked, total = over_all(ROWS, torch.tensor([1, 0]))
    hard = [math.log(4 / 3), math.log(3 / 2)]
    assert close(next_item(picked, total, ROWS.mean(1), smoothing=0.0), hard)
    even = [math.log(4) - math.log(3) / 2, math.log(3) - math.log(2) / 2]
    half = [(a + b) / 2 for a, b in zip(hard, even, strict=True)]
    assert close(next_item(picked, total, ROWS.mean(1), smoothing=0.5), half)


def test_next_item_is_cross_entropy_with_label_smoothing():
    scores, item = torch.randn(6, 9, generator=torch.Generator().manual_seed(0)), torch.arange(6)
    expected = F.cross_entropy(scores, item, reduction="none", label_smoothing=0.1)
    found = next_item(*over_all(scores, item), scores.mean(1), smoothing=0.1)
    assert torch.allclose(found, expected)


def test_what_is_out_of_the_comparison_gets_no_gradient_and_leaves_the_loss_finite():
    scores = torch.tensor([[1.0, 2.0, 0.5]], requires_grad=True)
    rivals = scores.index_put((torch.tensor([0]), torch.tensor([2])), torch.tensor(-torch.inf))
    loss = next_item(*over_all(rivals, torch.tensor([0])), torch.zeros(1), smoothing=0.1)
    (gradient,) = torch.autograd.grad(loss.sum(), scores)
    assert torch.isfinite(loss).all()
    assert float(gradient[0, 2]) == 0.0
    assert float(gradient[0, 1]) > 0.7


def test_a_sample_of_all_other_items_is_the_whole_comparison():
    scores = torch.randn(4, 5, generator=torch.Generator().manual_seed(0))
    whole = torch.logsumexp(scores, dim=1)
    assert torch.allclose(over_sample(scores[:, 0], scores[:, 1:]), whole, atol=1e-6)


def test_cross_entropy_by_hand_and_equal_to_cross_entropy_where_one_category_is_taken():
    share = torch.tensor([[0.5, 0.5], [0.0, 1.0]])
    half = 0.5 * math.log(4) + 0.5 * math.log(4 / 3)
    assert close(cross_entropy(ROWS, share), [half, math.log(3)])
    logits = torch.randn(5, 7, generator=torch.Generator().manual_seed(0))
    label = torch.tensor([0, 6, 3, 3, 1])
    single = F.one_hot(label, 7).float()
    assert torch.allclose(
        cross_entropy(logits, single), F.cross_entropy(logits, label, reduction="none")
    )


def test_squared_error_by_hand():
    assert close(squared_error(torch.tensor([3.0, 4.5]), torch.tensor([5.0, 4.0])), [4.0, 0.25])


def test_a_sum_over_a_sample_by_hand():
    picked, case = torch.tensor([0.0, math.log(3)]), torch.tensor([1, 1])
    sample = torch.tensor([[7.0, 7.0], [0.0, math.log(2)]])
    assert close(over_sample(picked, sample, case), [math.log(4), math.log(6)])


def test_a_corrected_sample_stands_for_all_items():
    """The sum over samples comes to the sum over all items, whoever is drawn more often."""
    rng, items = np.random.default_rng(0), 300
    scores = torch.from_numpy(rng.normal(size=items)).float()
    sampler = Sampler.of(rng.integers(0, 1000, items) ** 2, 64)
    sums = []
    for _ in range(500):
        rows, correction = sampler.draw(rng)
        assert len(rows) == len(correction) == 64
        sums.append(float((scores[rows] - correction).exp().sum()))
    whole = float(scores.exp().sum())
    assert np.mean(sums) == pytest.approx(whole, abs=4 * np.std(sums) / len(sums) ** 0.5)
    assert np.std(sums) < 0.5 * whole


@pytest.mark.parametrize("far", [50.0, -50.0])
def test_losses_and_gradients_stay_finite_and_alive_far_out(far):
    scores = torch.tensor([[far, 0.0, -far]], requires_grad=True)
    row, item = torch.tensor([0]), torch.tensor([0])
    picked, total = over_all(scores, item)
    for loss in (
        softmax(picked, total),
        next_item(picked, total, scores[:, 1], smoothing=0.0),
        cross_entropy(scores, F.one_hot(item, 3).float()),
        softmax(picked, over_sample(picked, scores[:, 1:], row)),
    ):
        assert torch.isfinite(loss).all()
        (gradient,) = torch.autograd.grad(loss.sum(), scores, retain_graph=True)
        assert torch.isfinite(gradient).all()
        if far > 0:
            assert float(loss.detach()) < 1e-6
        else:  # the worst mistakes must still be pulled at
            assert float(loss.detach()) >= 49
            assert gradient.abs().max() > 0.4


class Listed(Task):
    """Squared errors of rows that are given beforehand."""

    given: Rows | None

    def __init__(self, name, weight, reads, rows):
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "weight", weight)
        object.__setattr__(self, "reads", reads)
        object.__setattr__(self, "given", rows)

    def target(self, _data):
        return Target()

    def rows(self, _step, _target):
        return self.given

    def loss(self, a, b):
        return squared_error(a, b)


class Here(Step):
    """A step."""

    def __init__(self):
        pass


class Elsewhere(Step):
    """A kind of step that is not made."""


def listed(name, weight, rows, reads: type[Step] = Here):
    return TaughtTask(Listed(name, weight, reads, rows), Target())


A, B = torch.tensor([1.0, 3.0]), torch.tensor([0.0, 0.0])
PLAIN = listed("plain", 2.0, Rows((A, B)))
WEIGHTED = listed("weighted", 0.5, Rows((A, B), torch.tensor([3.0, 1.0])))
EMPTY = listed("empty", 7.0, Rows((torch.zeros(0), torch.zeros(0))))
SILENT = listed("silent", 7.0, None)
ABSENT = listed("absent", 7.0, Rows((A, B)), Elsewhere)


def test_means_by_hand():
    means = mean_losses([PLAIN, WEIGHTED], [Here()])
    assert close(means[0], 5.0)  # (1 + 9) / 2
    assert close(means[1], 3.0)  # (3 * 1 + 1 * 9) / 4


def test_a_task_without_rows_or_a_step_has_no_mean():
    assert set(mean_losses([SILENT, EMPTY, PLAIN, ABSENT], [Here()])) == {2}


def test_a_step_in_which_no_task_has_rows_is_a_fault():
    with pytest.raises(ValueError, match="no task"):
        mean_losses([EMPTY, SILENT, ABSENT], [Here()])


def test_static_weights_by_hand():
    a = torch.nn.Parameter(torch.tensor([1.0]))
    tasks = [listed(f"t{n}", w, Rows((a, torch.zeros(1)))) for n, w in enumerate((2.0, 0.5))]
    losses = list(mean_losses(tasks, [Here()]).values())
    weights = weighted_backward(Static([2.0, 0.5]), [0, 1], losses, [a])
    assert weights.tolist() == [2.0, 0.5]
    assert close(a.grad, [5.0])  # d/da (2 a^2 + a^2 / 2)


def test_a_loss_is_reported_over_the_steps_that_took_it(shop, monkeypatch):
    """Sequences have fewer steps than people: the others must not count as steps without loss."""
    seen = []

    def told(tasks, made):
        means = mean_losses(tasks, made)
        seen.extend(
            float(m.detach()) for at, m in means.items() if tasks[at].task.name == "next_item"
        )
        return means

    monkeypatch.setattr("trefoil.fusion.network.trainer.mean_losses", told)
    settings = load_settings(None, [*TINY, "behaviour.only_where_order_pays=false"])
    model = Recommender(settings).fit(shop).model
    journals = model.record.history
    assert isinstance(journals, list)
    reported = [row["next_item"] for row in journals[0] if "next_item" in row]
    assert reported
    assert min(seen) <= min(reported) <= max(reported) <= max(seen)
