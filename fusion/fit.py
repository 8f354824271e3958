"""Training the joint network: all objectives in every step, stopped by validation."""

import copy
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor
from torch.optim.swa_utils import get_ema_multi_avg_fn

from data.interactions import Interactions
from fusion import objectives
from fusion.batch import Cycle, Groups, RatedPairs, Windows
from fusion.keeper import Keeper, order_part, sequence_part
from fusion.network import Evidence, JointNetwork, Shape
from fusion.network_leaf import order_scores, sequence_scores
from fusion.objectives import Objective, combine
from fusion.settings import Settings
from fusion.star_start import start_stars
from fusion.training_state import Learning, check_loss
from fusion.unfinished import Memory
from fusion.validation import Validation

log = logging.getLogger(__name__)

Progress = Callable[[int, int, str], None]  # done, total, what

DENSE = 20.0  # positives per user from which users weigh by n ** -.5


@dataclass(frozen=True)
class Lessons:
    """Training events in the forms that the objectives read."""

    groups: Groups
    windows: Windows | None
    share: Tensor | None  # items x categories, rows sum to one (zero where unknown)
    events: Interactions

    @property
    def per_user(self) -> float:
        """Mean positives per user with any."""
        return len(self.groups.item) / max(1, len(np.unique(self.groups.user)))


@dataclass
class Journal:
    """What happened while training: one row per evaluation."""

    rows: list[dict[str, float]] = field(default_factory=list)


def shape_of(settings: Settings, per_user: float, *, behaviour: bool) -> Shape:
    """Sizes and sharpness; where settings leave it open, by events per user.

    Few events per user ask for a sharp softmax and much dropout: temperature
    ``.15 (n / 9)^(1/3)`` within .1 and .25, dropout .4 falling to .3.
    """
    network, leaf = settings.network, settings.behaviour
    temperature = float(np.clip(0.15 * (per_user / 9) ** (1 / 3), 0.1, 0.25))
    return Shape(
        settings.width,
        network.layers,
        network.temperature or temperature,
        network.dropout if network.dropout >= 0 else (0.4 if per_user < DENSE else 0.3),
        leaf.max_events,
        leaf.layers if behaviour else 0,
        leaf.heads,
        leaf.dropout,
    )


def fit_network(
    evidence: Evidence,
    shape: Shape,
    lessons: Lessons,
    validation: Validation,
    settings: Settings,
    *,
    seed: int,
    device: torch.device,
    progress: Progress | None = None,
    begin: Callable[[JointNetwork], None] | None = None,
    memory: Memory | None = None,
) -> tuple[JointNetwork, Journal]:
    """Train one network; the weights of the best validation NDCG@10 are kept.

    Both ways of scoring, by propagation and by sequence, have an own best
    moment: each stops being trained when it no longer improves. ``begin`` may
    change the weights at the start. ``memory`` keeps the state after every look,
    and gives it back where training was stopped. Raises TrainingError where a
    loss is not finite any more.
    """
    generator = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    network = JointNetwork(evidence, shape)
    start_stars(network, lessons.events)
    if begin is not None:
        begin(network)
    network.to(device)
    rng = np.random.default_rng(seed)
    trainer = _Trainer(network, lessons, settings, generator, rng, device)
    averaged = trainer.learning.averaged
    keepers = trainer.learning.keepers
    journal = Journal(trainer.learning.journal)
    if memory is not None:
        memory.recall(trainer.learning)
    began = time.perf_counter() - (journal.rows[-1]["seconds"] if journal.rows else 0.0)
    for means in trainer.rounds():
        marks = _look(averaged, keepers, validation)
        row = {"epoch": trainer.learning.epoch, "seconds": time.perf_counter() - began, **means}
        journal.rows.append(row | {f"valid_ndcg@10_{name}": mark for name, mark in marks.items()})
        if memory is not None:
            memory.keep(trainer.learning)
        if progress:
            said = ", ".join(f"{name} {keeper.best:.4f}" for name, keeper in keepers.items())
            total = settings.network.epochs
            progress(trainer.learning.epoch, total, f"network: validation NDCG@10 {said}")
    for keeper in keepers.values():
        keeper.restore()
    if progress:
        progress(settings.network.epochs, settings.network.epochs, "network")
    return averaged.eval(), journal


def _look(
    network: JointNetwork, keepers: Mapping[str, Keeper], validation: Validation
) -> dict[str, float]:
    """Validation NDCG@10 of each part that is still being trained; the best is kept."""
    marks = {}
    for name, keeper in keepers.items():
        if keeper.open:
            score = order_scores if name == "order" else sequence_scores
            marks[name] = validation.ndcg(score(network, validation.cases))
            keeper.look(marks[name])
    return marks


class _Trainer:
    """Steps over user groups and, where there is order, over windows beside them."""

    def __init__(
        self,
        network: JointNetwork,
        lessons: Lessons,
        settings: Settings,
        generator: torch.Generator,
        rng: np.random.Generator,
        device: torch.device,
    ) -> None:
        self.network, self.lessons, self.settings = network, lessons, settings
        self.device = device
        counts = np.bincount(lessons.groups.user, np.diff(lessons.groups.start))
        dense = lessons.per_user >= DENSE
        weight = np.maximum(counts, 1) ** -0.5 if dense else np.ones(len(counts))
        self.user_weight = torch.from_numpy(weight.astype(np.float32)).to(device)
        tasks = settings.tasks
        self.objectives = [
            Objective("order", tasks.order, objectives.taken, ("order", "case", "item"), "weight"),
            Objective("next", tasks.order, objectives.next_item, ("next", "next_at")),
        ]
        if tasks.choice and lessons.share is not None:
            self.objectives.append(
                Objective("choice", tasks.choice, objectives.choice, ("choice", "share"))
            )
        self.rated = None
        if tasks.stars and lessons.events.stars is not None:
            rated = np.flatnonzero(~np.isnan(lessons.events.stars))
            self.rated = RatedPairs.of(lessons.events.take(rated), len(self.user_weight))
            self.objectives.append(
                Objective("stars", tasks.stars, objectives.stars, ("stars", "given"))
            )
        averaged = copy.deepcopy(network).eval()
        self.average = get_ema_multi_avg_fn(settings.network.average)
        means: list[Tensor] = list(averaged.parameters())
        learned: list[Tensor] = list(network.parameters())
        self.averages = means, learned
        keepers = {"order": Keeper(averaged, order_part(averaged), settings.network.patience)}
        if network.behaviour is not None:
            patience = settings.behaviour.patience
            keepers["next"] = Keeper(averaged, sequence_part(averaged), patience)
        cycle = Cycle(len(lessons.groups), settings.network.batch, generator)
        self.optimisers = _optimisers(network, settings)
        self.learning = Learning(
            network, averaged, keepers, self.optimisers, cycle, generator, rng, []
        )

    def rounds(self) -> Iterator[dict[str, float]]:
        """Train, and stop for a look every few epochs: mean losses since the last."""
        learning, settings = self.learning, self.settings.network
        self.network.train()
        groups, keepers = learning.cycle, learning.keepers
        per_look = settings.every * groups.per_epoch
        while learning.epoch < settings.epochs and any(one.open for one in keepers.values()):
            sums: dict[str, Tensor] = {}
            windows = self._windows() if "next" in keepers and keepers["next"].open else iter(())
            steps = 0
            while True:
                fields: dict[str, Tensor] = {}
                window = next(windows, None)
                if window is not None:
                    fields |= self._window_fields(*window)
                if keepers["order"].open and steps < per_look:
                    fields |= self._group_fields(next(groups))
                if not fields:
                    break
                means = self._step(fields, steps)
                steps += 1
                for name, mean in means.items():
                    sums[name] = sums.get(name, 0) + mean
            learning.epoch += settings.every
            yield {name: float(total) / steps for name, total in sums.items()}

    def _step(self, fields: dict[str, Tensor], step: int) -> dict[str, Tensor]:
        total, means = combine(self.objectives, fields)
        place = f"step {step + 1} after epoch {self.learning.epoch}"
        check_loss(total, means, self.network, place)
        asked = {"order": "order" in fields, "next": "next" in fields}
        optimisers = [one for name, one in self.optimisers.items() if asked[name]]
        for optimiser in optimisers:
            optimiser.zero_grad(set_to_none=True)
        total.backward()
        if "next" in fields:
            torch.nn.utils.clip_grad_norm_(self.network.behaviour.parameters(), 5.0)  # type: ignore[union-attr]
        for optimiser in optimisers:
            optimiser.step()
        self.average(*self.averages, 0)
        return means

    def _windows(self) -> Iterator[tuple[Tensor, Tensor]]:
        assert self.lessons.windows is not None
        return self.lessons.windows.epoch(self.learning.rng, self.settings.behaviour.batch)

    def _window_fields(self, events: Tensor, there: Tensor) -> dict[str, Tensor]:
        events, there = events.to(self.device), there.to(self.device)
        states = self.network.next_states(events[:, :-1])[there[:, 1:]]
        return {"next": self.network.next_scores(states), "next_at": events[:, 1:][there[:, 1:]]}

    def _group_fields(self, rows: Tensor) -> dict[str, Tensor]:
        network, lessons = self.network, self.lessons
        groups, device = lessons.groups, self.device
        gone = torch.rand(len(network.item_bias), generator=self.learning.generator)
        vectors = network.pass_messages((gone < self.settings.network.id_dropout).to(device))
        at = rows.numpy()
        user = torch.from_numpy(groups.user[at]).to(device)
        scenario = {n: torch.from_numpy(c[at]).to(device) for n, c in groups.scenario.items()}
        asked = network.in_scenario(vectors.users[user], scenario)
        case, item = (torch.from_numpy(side).to(device) for side in groups.pairs(at))
        fields = {
            "order": network.order_scores(asked, vectors.items),
            "case": case,
            "item": item,
            "weight": self.user_weight[user[case]],
        }
        if lessons.share is not None and network.choice is not None:
            fields["share"], known = _mean_share(lessons.share, case, item, len(at))
            fields["choice"] = network.choice(vectors.users[user])[known]
        if self.rated is not None:
            user_rows, item_rows, given = self.rated.of_users(np.unique(groups.user[at]))
            user_rows, item_rows = user_rows.to(device), item_rows.to(device)
            fields["stars"] = network.stars(
                vectors.users[user_rows], vectors.items[item_rows], user_rows, item_rows
            )
            fields["given"] = given.to(device)
        return fields


def _mean_share(share: Tensor, case: Tensor, item: Tensor, cases: int) -> tuple[Tensor, Tensor]:
    """Mean category shares of each case's items, for the cases that have any."""
    total = share.new_zeros(cases, share.shape[1]).index_add(0, case, share[item])
    size = total.sum(1, keepdim=True)
    known = size[:, 0] > 0
    return (total / size.clamp(min=1e-9))[known], known


def _optimisers(network: JointNetwork, settings: Settings) -> dict[str, torch.optim.Optimizer]:
    """One for the weights that propagation reads, one for those of sequences."""
    own = set(sequence_part(network))
    named = dict(network.named_parameters())
    order, following = (
        [p for n, p in named.items() if (n in own) == part] for part in (False, True)
    )
    found: dict[str, torch.optim.Optimizer] = {
        "order": torch.optim.Adam(order, lr=settings.network.rate, fused=True)
    }
    if following:
        rate = settings.behaviour.rate
        found["next"] = torch.optim.AdamW(following, lr=rate, weight_decay=0.01, fused=True)
    return found
