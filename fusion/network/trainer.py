"""Steps of training: what they read, which losses they take, and whose weights they change."""

import copy
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.optim.swa_utils import get_ema_multi_avg_fn

from trefoil.fusion.features.training_data import DENSE
from trefoil.fusion.network.batches import Cycle, Stretches
from trefoil.fusion.network.by_rows import Drawn, RowGraph
from trefoil.fusion.network.early_stopping import EarlyStopping, ranking_part, sequence_part
from trefoil.fusion.network.inputs import TrainingInputs
from trefoil.fusion.network.module import JointNetwork
from trefoil.fusion.network.negative_sampling import Sampler
from trefoil.fusion.network.steps import Step, UserStep, WindowStep
from trefoil.fusion.network.tasks.base import combine
from trefoil.fusion.network.training_state import Learning, check_loss
from trefoil.fusion.settings import Settings

UNTIMED = 0.1  # share of steps that hide times, for visitors whose items come without them


class Trainer:
    """Steps over user groups and, where there is order, over windows beside them."""

    def __init__(
        self,
        network: JointNetwork,
        inputs: TrainingInputs,
        settings: Settings,
        generator: torch.Generator,
        rng: np.random.Generator,
        device: torch.device,
        until: Mapping[str, int] | None = None,
    ) -> None:
        inputs = inputs.to(device)
        self.network, self.inputs, self.settings = network, inputs, settings
        self.device = device
        counts = np.bincount(inputs.groups.user, np.diff(inputs.groups.start))
        dense = inputs.per_user >= DENSE
        weight = np.maximum(counts, 1) ** -0.5 if dense else np.ones(len(counts))
        self.user_weight = torch.from_numpy(weight.astype(np.float32)).to(device)
        items = len(network.item_bias)
        self.sampler = None
        if items > settings.network.softmax_items:
            events = np.bincount(inputs.groups.item, minlength=items)
            self.sampler = Sampler.of(events, settings.network.sampled_items)
        self.graph = None
        if network.config.by_rows:
            self.graph = RowGraph.of(inputs.events, len(network.met), items)
        averaged = copy.deepcopy(network).eval()
        self.average = get_ema_multi_avg_fn(settings.network.ema_decay)
        means: list[Tensor] = list(averaged.parameters())
        learned: list[Tensor] = list(network.parameters())
        self.averages = means, learned
        last, patience = until or {}, settings.network.patience
        stopping = {
            "ranking": EarlyStopping(
                averaged, ranking_part(averaged), patience, last.get("ranking")
            )
        }
        if network.behaviour is not None:
            patience = settings.behaviour.patience
            stopping["next_item"] = EarlyStopping(
                averaged, sequence_part(averaged), patience, last.get("next_item")
            )
        cycle = Cycle(len(inputs.groups), settings.network.batch_size, generator)
        self.optimisers = _optimisers(network, settings)
        self.learning = Learning(
            network, averaged, stopping, self.optimisers, cycle, generator, rng, []
        )

    def rounds(self) -> Iterator[dict[str, float]]:
        """Train, and stop for a look every few epochs: mean losses since the last."""
        learning, settings = self.learning, self.settings.network
        self.network.train()
        groups, stopping = learning.cycle, learning.stopping
        per_look = settings.evaluate_every * groups.per_epoch
        while learning.epoch < settings.epochs and any(one.open for one in stopping.values()):
            sums, terms = dict[str, Tensor](), Counter[str]()
            following = stopping.get("next_item")
            windows = self._windows() if following is not None and following.open else iter(())
            steps = 0
            while True:
                window = next(windows, None)
                made: list[Step] = []
                if window is not None:
                    made.append(self._window_step(window))
                if stopping["ranking"].open and steps < per_look:
                    made.append(self._user_step(next(groups)))
                if not made:
                    break
                means = self._step(made, steps)
                steps += 1
                for name, mean in means.items():
                    sums[name] = sums.get(name, 0) + mean
                terms.update(means.keys())
            learning.epoch += settings.evaluate_every
            yield {name: float(total) / terms[name] for name, total in sums.items()}

    def _step(self, made: Sequence[Step], step: int) -> dict[str, Tensor]:
        total, means = combine(self.inputs.tasks, made)
        place = f"step {step + 1} after epoch {self.learning.epoch}"
        check_loss(total, means, self.network, place)
        kinds = {type(one) for one in made}
        asked = {"ranking": UserStep in kinds, "next_item": WindowStep in kinds}
        optimisers = [one for name, one in self.optimisers.items() if asked[name]]
        for optimiser in optimisers:
            optimiser.zero_grad(set_to_none=True)
        total.backward()
        if asked["next_item"]:
            torch.nn.utils.clip_grad_norm_(self.network.behaviour.parameters(), 5.0)  # type: ignore[union-attr]
        for optimiser in optimisers:
            optimiser.step()
        self.average(*self.averages, 0)
        return means

    def _windows(self) -> Iterator[Stretches]:
        assert self.inputs.windows is not None
        return self.inputs.windows.epoch(self.learning.rng, self.settings.behaviour.batch_size)

    def _window_step(self, window: Stretches) -> WindowStep:
        network, inputs = self.network, self.inputs
        window = window.to(self.device)
        asked = window.there[:, 1:]
        told = window.at is not None and self.learning.rng.random() >= UNTIMED
        at = window.at[:, :-1] if told else None  # type: ignore[index]
        states = network.next_states(window.item[:, :-1], at)[asked]
        item = window.item[:, 1:][asked]
        drawing = network, self.sampler, self.learning.rng
        return WindowStep(*drawing, window, states, item, inputs.returning)

    def _user_step(self, rows: Tensor) -> UserStep:
        network, groups, device = self.network, self.inputs.groups, self.device
        gone = torch.rand(len(network.item_bias), generator=self.learning.generator)
        gone = (gone < self.settings.network.id_dropout).to(device)
        at, rng = rows.numpy(), self.learning.rng
        people, sampler, part = np.unique(groups.user[at]), self.sampler, None
        if self.graph is None:
            vectors = network.pass_messages(gone)
        else:
            sampler = self.sampler and Drawn.of(self.sampler, rng)
            drawn = np.arange(len(gone)) if sampler is None else sampler.rows.numpy()
            part = self.graph.part(network, people, drawn, gone, rng)
            vectors = part.vectors
        user = torch.from_numpy(groups.user[at]).to(device)
        scenario = {n: torch.from_numpy(c[at]).to(device) for n, c in groups.scenario.items()}
        asked = network.in_scenario(vectors.users[user], scenario)
        pairs = groups.pairs(at)
        if part is not None:
            left = part.unread(groups.user[at][pairs[0]], pairs[1])
            pairs = tuple(side[left] for side in pairs) if left.any() else pairs
        case, item = (torch.from_numpy(side).to(device) for side in pairs)
        weight = self.user_weight[user[case]]
        drawing = network, sampler, rng
        return UserStep(*drawing, vectors, user, asked, case, item, weight, people)


def _optimisers(network: JointNetwork, settings: Settings) -> dict[str, torch.optim.Optimizer]:
    """One for the weights that propagation reads, one for those of sequences."""
    own = set(sequence_part(network))
    named = dict(network.named_parameters())
    order, following = (
        [p for n, p in named.items() if (n in own) == part] for part in (False, True)
    )
    found: dict[str, torch.optim.Optimizer] = {
        "ranking": torch.optim.Adam(order, lr=settings.network.learning_rate, fused=True)
    }
    if following:
        rate = settings.behaviour.learning_rate
        found["next_item"] = torch.optim.AdamW(following, lr=rate, weight_decay=0.01, fused=True)
    return found
