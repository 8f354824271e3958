"""Steps of training: what they read, which losses they take, and whose weights they change."""

import copy
from collections import Counter
from collections.abc import Iterator, Mapping, Set

import numpy as np
import torch
from torch import Tensor, nn

from trefoil.fusion.features.training_data import DENSE
from trefoil.fusion.network.batches import Cycle, Stretches
from trefoil.fusion.network.by_rows import Drawn, RowGraph
from trefoil.fusion.network.early_stopping import EarlyStopping, ranking_part, sequence_part
from trefoil.fusion.network.freezing import set_rates
from trefoil.fusion.network.inputs import TrainingInputs
from trefoil.fusion.network.module import JointNetwork
from trefoil.fusion.network.negative_sampling import Sampler
from trefoil.fusion.network.optimisers import RunningMean, optimisers_of, touches_rows
from trefoil.fusion.network.processes import average_gradients, own_part, same_draws
from trefoil.fusion.network.steps import Step, UserStep, WindowStep
from trefoil.fusion.network.tasks.base import mean_losses
from trefoil.fusion.network.text_rows import TextRows
from trefoil.fusion.network.training_state import Draws, Learning, check_loss
from trefoil.fusion.network.weighting.backward import balance, weighted_backward
from trefoil.fusion.network.weighting.listed import WEIGHTINGS
from trefoil.fusion.settings import Settings

AVERAGED = 16  # steps by rows from one running mean to the next: it reads all weights
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
        inherited: Set[str] = frozenset(),
        texts: TextRows | None = None,
    ) -> None:
        inputs = inputs.to(device)
        self.text_rows = texts
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
        base = [one.task.weight for one in inputs.tasks]
        self.weighting = WEIGHTINGS[settings.tasks.weighting](base).to(device)
        self.graph, self.texts = None, None
        if network.config.by_rows:
            self.graph = RowGraph.of(inputs.events, len(network.met), items)
        averaged = copy.deepcopy(network).eval()
        self.parameters = list(network.parameters())
        every = 1 if self.graph is None else AVERAGED
        self.average = RunningMean(averaged, network, settings.network.ema_decay, every)
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
        cycle = self._cycle(generator)
        network.item_id.sparse = touches_rows(network, settings, self.weighting)
        self.optimisers = optimisers_of(network, settings, self.weighting, inherited)
        if texts is not None:
            self.optimisers["ranking"].add_param_group(texts.group())
        parts = self.weighting, stopping, self.optimisers, cycle, generator, rng
        self.learning = Learning(network, averaged, *parts, [])

    def _cycle(self, generator: torch.Generator) -> Cycle:
        """Batches of groups; by rows of people with all their groups, whose items are read once."""
        groups, size = self.inputs.groups, self.settings.network.batch_size
        count = len(groups) if self.graph is None else len(groups.first_of_person) - 1
        return Cycle(count, max(1, size * count // max(len(groups), 1)), generator)

    def rounds(self) -> Iterator[dict[str, float]]:
        """Train, and stop for a look every few epochs: mean losses since the last."""
        learning, settings = self.learning, self.settings.network
        self.network.train()
        groups, stopping = learning.cycle, learning.stopping
        per_look = settings.evaluate_every * groups.per_epoch
        while learning.epoch < settings.epochs and any(one.open for one in stopping.values()):
            learning.rng = same_draws(self.settings.seed, learning.epoch, learning.rng)
            sums, terms, told = dict[str, Tensor](), Counter[str](), dict[str, float]()
            following = stopping.get("next_item")
            windows = self._windows() if following is not None and following.open else iter(())
            steps = 0
            looks = learning.epoch // settings.evaluate_every
            set_rates(list(self.optimisers.values()), settings, looks)
            while True:
                window = next(windows, None)
                rows = next(groups) if stopping["ranking"].open and steps < per_look else None
                if window is None and rows is None:
                    break
                window = None if window is None else window.take(own_part)
                rows = None if rows is None else own_part(rows)
                means = self._step(window, rows, steps, told if steps == 0 else None)
                steps += 1
                for name, mean in means.items():
                    sums[name] = sums.get(name, 0) + mean
                terms.update(means.keys())
            self.average.catch_up()
            learning.epoch += settings.evaluate_every
            means = {name: float(total) / terms[name] for name, total in sums.items()}
            places = {one.task.name: place for place, one in enumerate(self.inputs.tasks)}
            self.weighting.round_ended({places[name]: mean for name, mean in means.items()})
            yield means | told

    def _step(
        self,
        window: Stretches | None,
        rows: Tensor | None,
        step: int,
        told: dict[str, float] | None = None,
    ) -> dict[str, Tensor]:
        """One step over a window and rows of groups; mean losses by task.

        Into ``told`` go weights, and what the gradients of the tasks are to each other.
        """
        again = self.weighting.looks_back or self.settings.network.adversarial > 0
        draws = self.learning.draws() if again else None
        found = mean_losses(self.inputs.tasks, self._made(window, rows))
        here, losses = list(found), list(found.values())
        means = {self.inputs.tasks[at].task.name: one.detach() for at, one in found.items()}
        place = f"step {step + 1} after epoch {self.learning.epoch}"
        check_loss(torch.stack(losses).sum(), means, self.network, place)
        asked = {"next_item": window is not None, "weighting": True}  # the others rank
        optimisers = [
            one for name, one in self.optimisers.items() if asked.get(name, rows is not None)
        ]
        for optimiser in optimisers:
            optimiser.zero_grad(set_to_none=True)
        if told is not None and len(found) > 1:
            told |= balance(list(means), losses, self.parameters)
        weights = weighted_backward(self.weighting, here, losses, self.parameters)
        if self.settings.network.adversarial:
            self._against(draws, window, rows, weights)
        average_gradients([*self.parameters, *self.weighting.parameters()])
        if told is not None and len(found) > 1:
            told |= {f"weight/{name}": float(w) for name, w in zip(means, weights, strict=True)}
        if window is not None:
            torch.nn.utils.clip_grad_norm_(self.network.behaviour.parameters(), 5.0)  # type: ignore[union-attr]
        for optimiser in optimisers:
            optimiser.step()
        if self.text_rows is not None:
            self.text_rows.keep((self.network, self.learning.averaged))
        self.average.follow()
        if draws is not None and self.weighting.looks_back:
            self._look_back(draws, window, rows, torch.stack(losses).detach())
        return means

    def _against(
        self, draws: Draws | None, window: Stretches | None, rows: Tensor | None, weights: Tensor
    ) -> None:
        """Add the gradient where embeddings are moved the way that hurts most.

        The fast gradient method on embeddings, Miyato et al. 2017, arXiv:1605.07725.
        """
        assert draws is not None
        size = self.settings.network.adversarial
        tables = [one.weight for one in self.network.children() if isinstance(one, nn.Embedding)]
        moved = [(one, one.detach().clone()) for one in tables if one.grad is not None]
        with torch.no_grad():
            for table, before in moved:
                assert table.grad is not None
                length = table.grad.norm().clamp(min=1e-12)
                table.add_(table.grad, alpha=size * float(before.norm() / length))
        self.learning.draw_again(draws)
        found = mean_losses(self.inputs.tasks, self._made(window, rows))
        pairs = zip(weights, found.values(), strict=True)
        torch.stack([weight.detach() * loss for weight, loss in pairs]).sum().backward()
        with torch.no_grad():
            for table, before in moved:
                table.copy_(before)

    def _look_back(
        self, draws: Draws, window: Stretches | None, rows: Tensor | None, before: Tensor
    ) -> None:
        """The same batch once more, with everything drawn as it was, after the step."""
        self.learning.draw_again(draws)
        with torch.no_grad():
            found = mean_losses(self.inputs.tasks, self._made(window, rows))
        self.weighting.look_back(list(found), before, torch.stack(list(found.values())))
        self.optimisers["weighting"].step()  # now: the next step begins without its gradients

    def _made(self, window: Stretches | None, rows: Tensor | None) -> list[Step]:
        self._word_texts()
        made: list[Step] = []
        if window is not None:
            made.append(self._window_step(window))
        if rows is not None:
            made.append(self._user_step(rows))
        return made

    def _windows(self) -> Iterator[Stretches]:
        assert self.inputs.windows is not None
        return self.inputs.windows.epoch(self.learning.rng, self.settings.behaviour.batch_size)

    def _window_step(self, window: Stretches) -> WindowStep:
        network, inputs = self.network, self.inputs
        window = window.to(self.device)
        asked = window.there[:, 1:]
        told = window.at is not None and self.learning.rng.random() >= UNTIMED
        at = window.at[:, :-1] if told else None  # type: ignore[index]
        item, share = window.item[:, :-1], self.settings.behaviour.event_dropout
        left = torch.rand(item.shape, device=item.device) >= share if share else None
        states = network.next_states(item, at, left)[asked]
        item = window.item[:, 1:][asked]
        drawing = network, self.sampler, self.learning.rng
        return WindowStep(*drawing, window, states, item, inputs.returning)

    def _user_step(self, rows: Tensor) -> UserStep:
        network, groups, device = self.network, self.inputs.groups, self.device
        gone = self._gone()
        rows = rows if self.graph is None else groups.of_people(rows)
        at, rng = rows.numpy(), self.learning.rng
        people, sampler, part = np.unique(groups.user[at]), self.sampler, None
        if self.text_rows is not None:
            self.text_rows.read(network, torch.from_numpy(groups.pairs(at)[1]), rng)
        if self.graph is None:
            vectors = network.pass_messages(gone)
        else:
            sampler = self.sampler and Drawn.of(self.sampler, rng)
            drawn = np.arange(len(gone)) if sampler is None else sampler.rows.numpy()
            part = self.graph.part(network, people, drawn, gone, rng)
            vectors = part.vectors
        user = torch.from_numpy(groups.user[at]).to(device)
        scenario = {n: torch.from_numpy(c[at]).to(device) for n, c in groups.scenario.items()}
        pairs = groups.pairs(at)
        if part is not None:
            left = part.unread(groups.user[at][pairs[0]], pairs[1])
            pairs = tuple(side[left] for side in pairs) if left.any() else pairs
        case, item = (torch.from_numpy(side).to(device) for side in pairs)
        weight = self.user_weight[user[case]]
        drawing = network, sampler, rng
        within = None if part is None else part.rows
        again = None if part is not None else lambda: network.pass_messages(self._gone())
        what = user, scenario, case, item, weight, people, again, within
        return UserStep(*drawing, vectors, *what)

    def _word_texts(self) -> None:
        """Let each item's text be read as it stands, or in another wording drawn for the step."""
        said = self.inputs.wordings
        if said is None or self.network.text is None:
            return
        if self.texts is None:
            self.texts = torch.cat([self.network.text_vectors[None], said])
        items = self.texts.shape[1]
        drawn = torch.randint(len(self.texts), (items,), generator=self.learning.generator)
        rows = torch.arange(items, device=self.device)
        self.network.text_vectors = self.texts[drawn.to(self.device), rows]

    def _gone(self) -> Tensor:
        """Which items lose their id and edges in a pass."""
        drawn = torch.rand(len(self.network.item_bias), generator=self.learning.generator)
        return (drawn < self.settings.network.id_dropout).to(self.device)
