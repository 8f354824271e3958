"""Weights of tasks: each by hand, and in a world where tasks conflict what their papers say."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
import torch
from planted_shop import ALONE
from torch import nn
from torch.nn import functional as F

from trefoil.data.errors import ConfigError
from trefoil.fusion.network.checkpoints import Checkpoints, partial_of
from trefoil.fusion.network.module import RANKS
from trefoil.fusion.network.tasks.base import Rows, Target, Task
from trefoil.fusion.network.trunks import TRUNKS
from trefoil.fusion.network.weighting.backward import balance, weighted_backward
from trefoil.fusion.network.weighting.by_gradients import projected
from trefoil.fusion.network.weighting.by_losses import FastAdaptive
from trefoil.fusion.network.weighting.listed import WEIGHTINGS
from trefoil.fusion.recommender import Recommender
from trefoil.fusion.settings import load_settings

GRADIENTS = ("gradnorm", "pcgrad", "cagrad", "upgrad", "mgda")
ONE, OTHER = (1.0, 0.0), (-2.0, 1.0)  # against each other: their product is -2


def step_of(name, first=ONE, second=OTHER, base=(1.0, 1.0)):
    """What a weighting makes of two gradients on one shared weight."""
    shared = nn.Parameter(torch.zeros(2))
    alone = nn.Parameter(torch.zeros(1))
    losses = [shared @ torch.tensor(first) + 1.0, shared @ torch.tensor(second) + alone.sum() + 1.0]
    weighting = WEIGHTINGS[name](base)
    weights = weighted_backward(weighting, [0, 1], losses, [shared, alone])
    assert shared.grad is not None
    assert alone.grad is not None
    return shared.grad, alone.grad, weights


def test_pcgrad_by_hand():
    """(1, 0) loses its part along (-2, 1): (1/5, 2/5); (-2, 1) its part along (1, 0): (0, 1)."""
    shared, alone, _ = step_of("pcgrad")
    assert torch.allclose(shared, torch.tensor([0.2, 1.4]), atol=1e-6)
    assert alone.tolist() == [1.0]  # what one task reads alone learns by that task
    agreeing, _, _ = step_of("pcgrad", (1.0, 0.0), (2.0, 1.0))
    assert torch.allclose(agreeing, torch.tensor([3.0, 1.0]))


@pytest.mark.parametrize("name", ["pcgrad", "upgrad", "mgda"])
def test_surgery_points_against_no_task_where_their_sum_does(name):
    first, second = torch.tensor(ONE), torch.tensor(OTHER)
    assert float((first + second) @ first) < 0
    shared, _, _ = step_of(name)
    assert float(shared @ first) > -1e-4
    assert float(shared @ second) > -1e-4
    assert float(shared.norm()) > 0.1


def test_cagrad_is_kinder_to_the_worst_served_task_than_the_sum():
    first, second = torch.tensor(ONE), torch.tensor(OTHER)
    shared, _, _ = step_of("cagrad")
    assert float((first + second) @ first) < float(shared @ first) < float(shared @ second)


def test_a_projection_by_hand():
    """(1, 0) of gradients (1, 0) and (-1, 1): nearest with no product below zero, (1/2, 1/2)."""
    jacobian = torch.tensor([[1.0, 0.0], [-1.0, 1.0]])
    weights = projected(torch.eye(2), jacobian @ jacobian.T)
    assert torch.allclose(weights @ jacobian, torch.tensor([[0.5, 0.5], [0.0, 1.0]]), atol=1e-5)


@pytest.mark.parametrize("name", GRADIENTS)
def test_a_task_that_shares_no_weight_changes_nothing_for_those_that_do(name):
    shared, alone, _ = step_of(name)
    again, own, other = (nn.Parameter(torch.zeros(size)) for size in (2, 1, 1))
    losses = [2 * other.sum() + 1.0, again @ torch.tensor(ONE) + 1.0]
    losses.append(again @ torch.tensor(OTHER) + own.sum() + 1.0)
    parts = [other, again, own]
    weights = weighted_backward(WEIGHTINGS[name]((1.0,) * 3), [0, 1, 2], losses, parts)
    assert torch.allclose(again.grad, shared)
    assert [other.grad.tolist(), own.grad.tolist()] == [[2.0], alone.tolist()]
    assert weights[0] == 1.0


@pytest.mark.parametrize("name", GRADIENTS)
@pytest.mark.parametrize("kind", ["mmoe", "ple"])
def test_the_gate_of_a_task_learns_from_its_own_loss_alone(name, kind):
    torch.manual_seed(0)
    trunk, x = TRUNKS[kind](6, ("a", "b"), 2), torch.randn(5, 6)
    for one in trunk.parameters():
        nn.init.normal_(one, std=0.3)
    targets = {task: torch.randn(5, 6) for task in ("a", "b")}
    losses = [(trunk(x, task) - told).square().mean() for task, told in targets.items()]
    base, named = (2.0, 0.5), dict(trunk.named_parameters())
    own = {task: [n for n in named if "gates" in n and f".{task}." in n] for task in targets}
    assert own["a"]
    alone = {
        task: torch.autograd.grad(loss, [named[n] for n in own[task]], retain_graph=True)
        for loss, task in zip(losses, targets, strict=True)
    }
    weighted_backward(WEIGHTINGS[name](base), [0, 1], losses, list(named.values()))
    for weight, task in zip(base, targets, strict=True):
        for place, gradient in zip(own[task], alone[task], strict=True):
            assert torch.allclose(named[place].grad, weight * gradient, atol=1e-6)


def test_the_base_weighs_gradients_before_surgery():
    shared, alone, weights = step_of("pcgrad", (1.0, 0.0), (0.0, 1.0), (2.0, 0.5))
    assert torch.allclose(shared, torch.tensor([2.0, 0.5]))
    assert alone.tolist() == [0.5]
    assert weights.tolist() == [2.0, 0.5]


def test_uncertainty_weighs_tasks_by_the_noise_they_are_told_with():
    """Two numbers with noise of deviation .1 and 1: weights go to 1 / (2 L), fifty and a half."""
    rng = torch.Generator().manual_seed(0)
    weighting = WEIGHTINGS["uncertainty"]((1.0, 1.0))
    optimiser = torch.optim.Adam(weighting.parameters(), lr=0.02)
    level = nn.Parameter(torch.full((2,), 3.0))
    both = torch.optim.SGD([level], lr=0.01)
    noise = torch.tensor([0.1, 1.0])
    for _ in range(600):
        given = 3.0 + noise * torch.randn(256, 2, generator=rng)
        losses = list((level - given).square().mean(0))
        optimiser.zero_grad()
        both.zero_grad()
        weights = weighted_backward(weighting, [0, 1], losses, [level])
        optimiser.step()
        both.step()
    assert torch.allclose(weights, 1 / (2 * noise.square()), rtol=0.2)


def test_dynamic_average_weighs_more_what_fell_less():
    weighting = WEIGHTINGS["dwa"]((1.0, 0.5))
    none = torch.ones(2)
    assert weighting([0, 1], none, None).tolist() == [1.0, 0.5]
    weighting.round_ended({0: 4.0, 1: 4.0})
    assert weighting([0, 1], none, None).tolist() == [1.0, 0.5]
    weighting.round_ended({0: 2.0, 1: 4.0})  # shares left 1/2 and 1, over a temperature of 2
    share = np.exp([0.25, 0.5]) / np.exp([0.25, 0.5]).sum()
    found = weighting([0, 1], none, None).numpy()
    np.testing.assert_allclose(found, 2 * share * [1.0, 0.5], rtol=1e-6)
    assert weighting([1], none[:1], None).tolist() == [0.5]  # alone in a step


def test_gradnorm_shortens_long_gradients_and_lengthens_those_of_slow_tasks():
    weighting = WEIGHTINGS["gradnorm"]((1.0, 1.0))
    optimiser = torch.optim.Adam(weighting.parameters(), lr=0.02)
    gramian = torch.diag(torch.tensor([100.0, 1.0]))
    for _ in range(200):
        weights = weighting([0, 1], torch.ones(2), gramian)
        optimiser.step()
    assert float(weights[0] * 10 / weights[1]) == pytest.approx(1.0, abs=0.2)
    for _ in range(200):  # the first has learned half of what it had to
        weights = weighting([0, 1], torch.tensor([0.5, 1.0]), gramian)
        optimiser.step()
    assert float(weights[0] * 10 / weights[1]) == pytest.approx(0.5**1.5, abs=0.1)


def test_famo_weighs_more_what_fell_less_in_a_step():
    weighting = WEIGHTINGS["famo"]((1.0, 1.0))
    losses = torch.tensor([2.0, 1.0])
    weights = weighting([0, 1], losses, None)
    assert torch.allclose(weights, torch.tensor([1 / 3, 2 / 3]))  # equal shares of log losses
    weighting.look_back([0, 1], losses, torch.tensor([1.0, 1.0]))  # the first fell by log 2
    # minus the gradient of a step of descent: shares 1/2, (log 2) / 4 each way
    gradient = weighting.get_parameter("logits").grad
    assert gradient is not None
    assert torch.allclose(gradient, torch.tensor([1.0, -1.0]) * np.log(2) / 4)


def test_famo_keeps_what_it_learned_from_each_step(shop, monkeypatch):
    """The shares that it starts with are no rest: every step moves them."""
    seen = []
    look = FastAdaptive.look_back

    def told(self, *losses):
        seen.append(self.get_parameter("logits").detach().clone())
        look(self, *losses)

    monkeypatch.setattr(FastAdaptive, "look_back", told)
    changes = [*ALONE, "tasks.weighting=famo", "network.epochs=2"]
    Recommender(load_settings(None, changes)).fit(shop)
    assert not seen[0].any()
    assert seen[1].any()
    assert not torch.equal(seen[1], seen[2])


def test_what_gradients_are_to_each_other_by_hand():
    shared, alone = nn.Parameter(torch.zeros(2)), nn.Parameter(torch.zeros(1))
    losses = [shared @ torch.tensor(ONE), shared @ torch.tensor(OTHER) + 2 * alone.sum()]
    told = balance(["a", "b"], losses, [shared, alone])
    assert told == pytest.approx({"gradient/a": 1, "gradient/b": 3, "cosine/a/b": -2 / 5**0.5})


@pytest.mark.parametrize("name", WEIGHTINGS)
def test_every_weighting_trains_and_tells_of_its_tasks(shop, name):
    order = ("behaviour.on=true", "behaviour.only_where_order_pays=false", "linear.decays=[]")
    changes = [*ALONE, f"tasks.weighting={name}", "tasks.attributes=0.1", *order]
    recommender = Recommender(load_settings(None, changes)).fit(shop)
    first, last = (recommender.model.record.history[0][at] for at in (0, -1))
    tasks = {"ranking", "next_item", "category", "attributes", "rating"}
    assert {n.removeprefix("weight/") for n in last if n.startswith("weight/")} == tasks
    assert {n.removeprefix("gradient/") for n in last if n.startswith("gradient/")} == tasks
    cosines = {n for n in last if n.startswith("cosine/")}
    assert "cosine/ranking/category" in cosines
    assert len(cosines) == 6  # the sequence network shares nothing with the other four
    assert last["ranking"] < first["ranking"]
    weights = [last[f"weight/{task}"] for task in ("ranking", "category", "attributes", "rating")]
    assert (weights == pytest.approx([1.0, 0.1, 0.1, 0.5])) == (name in ("static", "dwa"))


class Stop:
    """Progress that stops at the second look at validation."""

    def __init__(self):
        self.left = 2

    def __call__(self, _done, _total, what):
        self.left -= "validation" in what
        if self.left == 0:
            raise KeyboardInterrupt


@pytest.mark.parametrize("name", ["dwa", "famo"])
def test_a_stopped_training_goes_on_with_the_weights_it_had(shop, tmp_path, name):
    settings = load_settings(None, [*ALONE, f"tasks.weighting={name}", "network.epochs=6"])
    whole = Recommender(settings).fit(shop).model.networks[0].state_dict()
    checkpoints = Checkpoints.new(partial_of(tmp_path / "run"))
    with pytest.raises(KeyboardInterrupt):
        Recommender(settings).fit(shop, progress=Stop(), checkpoints=checkpoints)
    again = Recommender(settings).fit(shop, checkpoints=Checkpoints.of(tmp_path / "run"))
    for key, weight in again.model.networks[0].state_dict().items():
        assert torch.equal(weight, whole[key]), key


@dataclass(frozen=True)
class Wrong(Task):
    """Asks each user for the items of another maker: what the ranking must not learn."""

    name: ClassVar[str] = "wrong"

    def target(self, data):
        maker = [int(one[1]) for one in data.items.vocabulary.ids]
        return Target({"maker": torch.tensor(maker)})

    def rows(self, step, target):
        maker = target.tensors["maker"]
        scores = F.log_softmax(
            step.network.order_scores(step.asked(RANKS), step.vectors_of(RANKS).items), dim=1
        )
        other = (step.user[:, None] + 1) % 4 == maker
        return Rows((scores, other))

    def loss(self, scores, other):
        return -(scores * other).sum(1) / other.sum(1)


@dataclass(frozen=True)
class Noise(Task):
    """A coin for each item: nothing to learn, and large losses."""

    name: ClassVar[str] = "noise"

    def target(self, data):
        coins = np.random.default_rng(0).normal(0, 10, (len(data.items), 4))
        return Target({"coins": torch.from_numpy(coins).float()}, outputs=4)

    def rows(self, step, target):
        return Rows(
            (step.head(self.name)(step.vectors_of(self.name).items), target.tensors["coins"])
        )

    def loss(self, told, coins):
        return (told - coins).square().mean(1)


LONG = ("tasks.category=0", "tasks.rating=0", "text.on=false", "graph.on=false",
        "network.epochs=100", "network.patience=20", "network.evaluate_every=20",
        "network.dropout=0")  # fmt: skip


def losses_with(shop, name, task):
    settings = load_settings(None, [*ALONE, f"tasks.weighting={name}", *LONG])
    recommender = Recommender(settings).fit(shop, tasks=[task])
    return recommender.model.record.history[0]


def test_pcgrad_keeps_a_task_alive_that_a_stronger_one_drowns(shop):
    static = losses_with(shop, "static", Wrong(weight=10.0))
    pcgrad = losses_with(shop, "pcgrad", Wrong(weight=10.0))
    assert pcgrad[-1]["cosine/ranking/wrong"] < -0.3
    assert static[-1]["ranking"] > static[0]["ranking"]
    assert pcgrad[-1]["ranking"] < pcgrad[0]["ranking"] - 0.2
    assert pcgrad[-1]["wrong"] < pcgrad[0]["wrong"] - 1.0


def test_uncertainty_turns_down_a_task_of_noise(shop):
    """Both begin at one; the weight of the noise goes to 1 / (2 L) of a loss of seventy."""
    rows = losses_with(shop, "uncertainty", Noise(weight=1.0))
    share = [row["weight/noise"] / row["weight/ranking"] for row in rows[1:]]
    assert share == sorted(share, reverse=True)
    assert share[-1] < 0.9


def test_a_library_that_is_missing_is_named(shop, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "torchjd", None)
    with pytest.raises(ConfigError, match=r"'pcgrad' needs a library.*trefoil\[multitask\]"):
        Recommender(load_settings(None, [*ALONE, "tasks.weighting=pcgrad"])).fit(shop)
