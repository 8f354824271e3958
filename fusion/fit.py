"""Training the joint network: all objectives in every step, stopped by validation."""

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from data.histories import Histories
from data.interactions import Interactions
from fusion import objectives
from fusion.batch import Groups, Windows
from fusion.network import Evidence, JointNetwork, Shape
from fusion.network_leaf import order_scores, sequence_scores
from fusion.objectives import Objective, combine
from fusion.settings import Settings
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
    ``.12 (n / 9)^(1/3)`` within .1 and .25, dropout .4 falling to .3.
    """
    network, leaf = settings.network, settings.behaviour
    temperature = float(np.clip(0.12 * (per_user / 9) ** (1 / 3), 0.1, 0.25))
    return Shape(
        network.width,
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
) -> tuple[JointNetwork, Journal]:
    """Train one network; the weights of the best validation NDCG@10 are kept.

    Both ways of scoring, by propagation and by sequence, have an own best
    moment: each stops being trained when it no longer improves.
    """
    generator = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    network = JointNetwork(evidence, shape)
    _start_stars(network, lessons.events)
    network.to(device)
    trainer = _Trainer(network, lessons, settings, generator, np.random.default_rng(seed), device)
    keepers = {"order": _Keeper(network, order_part(network), settings.network.patience)}
    if network.behaviour is not None:
        keepers["next"] = _Keeper(network, sequence_part(network), settings.behaviour.patience)
    journal = Journal()
    began = time.perf_counter()
    for epoch, done, means in trainer.rounds(keepers):
        marks = {}
        network.eval()
        for name, keeper in keepers.items():
            if keeper.open:
                score = order_scores if name == "order" else sequence_scores
                marks[name] = validation.ndcg(score(network, validation.cases))
                keeper.look(marks[name])
        network.train()
        row = {"epoch": epoch, "seconds": time.perf_counter() - began, **means}
        journal.rows.append(row | {f"valid_ndcg@10_{name}": mark for name, mark in marks.items()})
        if progress:
            said = ", ".join(f"{name} {keeper.best:.4f}" for name, keeper in keepers.items())
            progress(done, settings.network.epochs, f"network: validation NDCG@10 {said}")
        if not any(keeper.open for keeper in keepers.values()):
            break
    for keeper in keepers.values():
        keeper.restore()
    if progress:
        progress(settings.network.epochs, settings.network.epochs, "network")
    return network.eval(), journal


def sequence_part(network: JointNetwork) -> list[str]:
    return [n for n in network.state_dict() if n.startswith(("behaviour.", "sequence_"))]


def order_part(network: JointNetwork) -> list[str]:
    return [n for n in network.state_dict() if not n.startswith(("behaviour.", "sequence_"))]


class _Keeper:
    """The best weights of one part so far, and whether to go on."""

    def __init__(self, network: JointNetwork, names: list[str], patience: int) -> None:
        self.network, self.names, self.patience = network, names, patience
        self.best, self.since, self.open = -1.0, 0, True
        self.kept: dict[str, Tensor] = {}

    def look(self, mark: float) -> None:
        if mark > self.best:
            state = self.network.state_dict()
            self.kept = {name: state[name].clone() for name in self.names}
            self.best, self.since = mark, 0
        else:
            self.since += 1
            self.open = self.since < self.patience

    def restore(self) -> None:
        self.network.load_state_dict(self.kept, strict=False)


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
        self.generator, self.rng, self.device = generator, rng, device
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
            self.rated = _ByUser.of(lessons.events.take(rated), len(self.user_weight))
            self.objectives.append(
                Objective("stars", tasks.stars, objectives.stars, ("stars", "given"))
            )
        own = set(sequence_part(network))
        named = dict(network.named_parameters())
        parts = [p for n, p in named.items() if n not in own], [named[n] for n in named if n in own]
        self.graph_optimiser = torch.optim.Adam(parts[0], lr=settings.network.rate)
        self.sequence_optimiser = None
        if parts[1]:
            rate = settings.behaviour.rate
            self.sequence_optimiser = torch.optim.AdamW(parts[1], lr=rate, weight_decay=0.01)

    def rounds(self, keepers: dict[str, _Keeper]) -> Iterator[tuple[int, int, dict[str, float]]]:
        """Train, and stop for a look every few epochs: (epoch, done, mean losses)."""
        network, settings = self.network, self.settings.network
        network.train()
        groups = _Cycle(len(self.lessons.groups), settings.batch, self.generator)
        per_look = settings.every * groups.per_epoch
        epoch = 0
        while epoch < settings.epochs:
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
                means = self._step(fields)
                steps += 1
                for name, mean in means.items():
                    sums[name] = sums.get(name, 0) + mean
            epoch += settings.every
            yield epoch, epoch, {name: float(total) / steps for name, total in sums.items()}

    def _step(self, fields: dict[str, Tensor]) -> dict[str, Tensor]:
        total, means = combine(self.objectives, fields)
        if not bool(torch.isfinite(total)):
            broken = {name: float(mean) for name, mean in means.items()}
            raise FloatingPointError(
                f"a loss is not finite: {broken}; lower network.rate or behaviour.rate"
            )
        optimisers = [self.graph_optimiser] if "order" in fields else []
        if "next" in fields and self.sequence_optimiser is not None:
            optimisers.append(self.sequence_optimiser)
        for optimiser in optimisers:
            optimiser.zero_grad(set_to_none=True)
        total.backward()
        if "next" in fields:
            torch.nn.utils.clip_grad_norm_(self.network.behaviour.parameters(), 5.0)  # type: ignore[union-attr]
        for optimiser in optimisers:
            optimiser.step()
        return means

    def _windows(self) -> Iterator[tuple[Tensor, Tensor]]:
        assert self.lessons.windows is not None
        return self.lessons.windows.epoch(self.rng, self.settings.behaviour.batch)

    def _window_fields(self, events: Tensor, there: Tensor) -> dict[str, Tensor]:
        events, there = events.to(self.device), there.to(self.device)
        states = self.network.next_states(events[:, :-1])[there[:, 1:]]
        return {"next": self.network.next_scores(states), "next_at": events[:, 1:][there[:, 1:]]}

    def _group_fields(self, rows: Tensor) -> dict[str, Tensor]:
        network, lessons = self.network, self.lessons
        groups, device = lessons.groups, self.device
        gone = torch.rand(len(network.item_bias), generator=self.generator)
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


def _start_stars(network: JointNetwork, events: Interactions) -> None:
    """Closed-form start of the rating biases: damped means, items first, then users."""
    if events.stars is None:
        return
    rated = ~np.isnan(events.stars)
    if not rated.any():
        return
    stars, user, item = events.stars[rated], events.user[rated], events.item[rated]
    mean = float(stars.mean())
    rest = stars - mean

    def damped(rows: np.ndarray, values: np.ndarray, count: int) -> np.ndarray:
        return np.bincount(rows, values, count) / (np.bincount(rows, minlength=count) + 5.0)

    by_item = damped(item, rest, len(network.star_item))
    by_user = damped(user, rest - by_item[item], len(network.star_user))
    with torch.no_grad():
        network.star_mean.fill_(mean)
        network.star_item.copy_(torch.from_numpy(by_item))
        network.star_user.copy_(torch.from_numpy(by_user))


@dataclass(frozen=True)
class _ByUser:
    """Rated events grouped by user."""

    history: Histories

    @classmethod
    def of(cls, events: Interactions, users: int) -> "_ByUser":
        order = np.argsort(events.user, kind="stable")
        start = np.concatenate([[0], np.cumsum(np.bincount(events.user, minlength=users))])
        assert events.stars is not None
        return cls(Histories(start, events.item[order], stars=events.stars[order]))

    def of_users(self, users: np.ndarray) -> tuple[Tensor, Tensor, Tensor]:
        part = self.history.take(users)
        assert part.stars is not None
        user = np.repeat(users, part.lengths)
        return torch.from_numpy(user), torch.from_numpy(part.item), torch.from_numpy(part.stars)


class _Cycle(Iterator[Tensor]):
    """Shuffled batches of rows, over and over; small sets get at least four batches an epoch."""

    def __init__(self, count: int, batch: int, generator: torch.Generator) -> None:
        self.batch = max(1, min(batch, -(-count // 4) if count >= 256 else count))
        self.count, self.generator = count, generator
        self.per_epoch = -(-count // self.batch)
        self.left: list[Tensor] = []

    def __next__(self) -> Tensor:
        if not self.left:
            order = torch.randperm(self.count, generator=self.generator)
            self.left = list(order.split(self.batch))
        return self.left.pop()
