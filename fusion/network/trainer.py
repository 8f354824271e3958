"""Steps of training: what they read, which losses they take, and whose weights they change."""

import copy
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import partial

import numpy as np
import torch
from torch import Tensor
from torch.optim.swa_utils import get_ema_multi_avg_fn

from trefoil.fusion.features.training_data import DENSE
from trefoil.fusion.network import objectives
from trefoil.fusion.network.batches import Cycle, RatedPairs, Stretches
from trefoil.fusion.network.early_stopping import EarlyStopping, ranking_part, sequence_part
from trefoil.fusion.network.inputs import TrainingInputs
from trefoil.fusion.network.module import JointNetwork, given_scale
from trefoil.fusion.network.negative_sampling import Sampler
from trefoil.fusion.network.objectives import Objective, combine
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
        self.objectives = _objectives(settings, inputs)
        self.rated = None
        if settings.tasks.rating and inputs.events.stars is not None:
            rated = np.flatnonzero(~np.isnan(inputs.events.stars))
            scale = given_scale(inputs.events)
            pairs = inputs.events.take(rated)
            self.rated = RatedPairs.of(pairs, len(self.user_weight), scale)
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
                fields: dict[str, Tensor] = {}
                window = next(windows, None)
                if window is not None:
                    fields |= self._window_fields(window)
                if stopping["ranking"].open and steps < per_look:
                    fields |= self._group_fields(next(groups))
                if not fields:
                    break
                means = self._step(fields, steps)
                steps += 1
                for name, mean in means.items():
                    sums[name] = sums.get(name, 0) + mean
                terms.update(means.keys())
            learning.epoch += settings.evaluate_every
            yield {name: float(total) / terms[name] for name, total in sums.items()}

    def _step(self, fields: dict[str, Tensor], step: int) -> dict[str, Tensor]:
        total, means = combine(self.objectives, fields)
        place = f"step {step + 1} after epoch {self.learning.epoch}"
        check_loss(total, means, self.network, place)
        asked = {"ranking": "picked" in fields, "next_item": "next_picked" in fields}
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

    def _window_fields(self, window: Stretches) -> dict[str, Tensor]:
        network, device = self.network, self.device
        window = window.to(device)
        asked = window.there[:, 1:]
        told = window.at is not None and self.learning.rng.random() >= UNTIMED
        at = window.at[:, :-1] if told else None  # type: ignore[index]
        states = network.next_states(window.item[:, :-1], at)[asked]
        item = window.item[:, 1:][asked]
        if self.sampler is None:
            scores = network.next_scores(states)
            if self.settings.behaviour.only_new and not self.inputs.returning:
                with torch.no_grad():  # a share of zero in the softmax: no gradient to mask
                    scores[window.met_before()] = -torch.inf
            picked = scores[torch.arange(len(item), device=device), item]
            total = torch.logsumexp(scores, dim=1)
        else:
            drawn, correction = (one.to(device) for one in self.sampler.draw(self.learning.rng))
            picked = network.next_pair_scores(states, item)
            total = objectives.over_sample(picked, network.next_scores(states, drawn) - correction)
        mean = network.next_mean(states)
        return {"next_picked": picked, "next_total": total, "next_mean": mean}

    def _group_fields(self, rows: Tensor) -> dict[str, Tensor]:
        network, inputs = self.network, self.inputs
        groups, device = inputs.groups, self.device
        gone = torch.rand(len(network.item_bias), generator=self.learning.generator)
        vectors = network.pass_messages((gone < self.settings.network.id_dropout).to(device))
        at = rows.numpy()
        user = torch.from_numpy(groups.user[at]).to(device)
        scenario = {n: torch.from_numpy(c[at]).to(device) for n, c in groups.scenario.items()}
        asked = network.in_scenario(vectors.users[user], scenario)
        case, item = (torch.from_numpy(side).to(device) for side in groups.pairs(at))
        if self.sampler is None:
            scores = network.order_scores(asked, vectors.items)
            picked, total = scores[case, item], torch.logsumexp(scores, dim=1)[case]
        else:
            drawn, correction = (one.to(device) for one in self.sampler.draw(self.learning.rng))
            picked = network.pair_scores(asked[case], vectors.items, item)
            sample = network.order_scores(asked, vectors.items, drawn) - correction
            total = objectives.over_sample(picked, sample, case)
        fields = {"picked": picked, "total": total, "weight": self.user_weight[user[case]]}
        if inputs.share is not None and network.choice is not None:
            fields["share"], known = _mean_share(inputs.share, case, item, len(at))
            fields["choice"] = network.choice(vectors.users[user])[known]
        if inputs.numbers is not None and network.numbers is not None:
            known = ~inputs.numbers.isnan()
            fields["numbers"] = network.numbers(vectors.items)[known]
            fields["told"] = inputs.numbers[known]
        if self.rated is not None:
            user_rows, item_rows, given = self.rated.of_users(np.unique(groups.user[at]))
            user_rows, item_rows = user_rows.to(device), item_rows.to(device)
            fields["stars"] = network.stars(
                vectors.users[user_rows], vectors.items[item_rows], user_rows, item_rows
            )
            fields["given"] = given.to(device)
        return fields


def _objectives(settings: Settings, inputs: TrainingInputs) -> list[Objective]:
    """The tasks that have a weight and something to learn from."""
    tasks = settings.tasks
    next_item = partial(objectives.next_item, smoothing=settings.behaviour.label_smoothing)
    following = ("next_picked", "next_total", "next_mean")
    found = [
        Objective("ranking", tasks.ranking, objectives.softmax, ("picked", "total"), "weight"),
        Objective("next_item", tasks.ranking, next_item, following),
    ]
    if tasks.category and inputs.share is not None:
        reads = ("choice", "share")
        found.append(Objective("category", tasks.category, objectives.cross_entropy, reads))
    if tasks.attributes and inputs.numbers is not None:
        reads = ("numbers", "told")
        found.append(Objective("attributes", tasks.attributes, objectives.squared_error, reads))
    if tasks.rating and inputs.events.stars is not None:
        reads = ("stars", "given")
        found.append(Objective("rating", tasks.rating, objectives.squared_error, reads))
    return found


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
        "ranking": torch.optim.Adam(order, lr=settings.network.learning_rate, fused=True)
    }
    if following:
        rate = settings.behaviour.learning_rate
        found["next_item"] = torch.optim.AdamW(following, lr=rate, weight_decay=0.01, fused=True)
    return found
