"""Everything that changes while a network learns, as tensors and plain values, and back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from trefoil.data.errors import TrainingError
from trefoil.fusion.network.batches import Cycle
from trefoil.fusion.network.early_stopping import EarlyStopping
from trefoil.fusion.network.module import JointNetwork
from trefoil.fusion.network.weighting.base import Weighting

Tensors = dict[str, Tensor]
Values = dict[str, Any]
Draws = tuple[Tensors, Any]  # states of torch's generators, and of numpy's


@dataclass
class Learning:
    """A network in training.

    Weights, their running mean and the best of it, optimisers, the batches still
    to come, the state of every random generator, and the journal: put back,
    training goes on bit by bit as if it had not stopped (on a CPU).
    """

    network: JointNetwork
    averaged: JointNetwork
    weighting: Weighting
    stopping: Mapping[str, EarlyStopping]
    optimisers: Mapping[str, torch.optim.Optimizer]
    cycle: Cycle
    generator: torch.Generator
    rng: np.random.Generator
    journal: list[dict[str, float]]
    epoch: int = 0

    def state(self) -> tuple[Tensors, Values]:
        """Tensors and JSON values. Raises TrainingError where a weight is not finite."""
        check_weights(self.network, f"epoch {self.epoch}")
        tensors: Tensors = {f"weights.{n}": t for n, t in self.network.state_dict().items()}
        tensors |= {f"averaged.{n}": t for n, t in self.averaged.state_dict().items()}
        values: Values = {"epoch": self.epoch, "journal": self.journal, "keepers": {}}
        for name, one in self.stopping.items():
            tensors |= {f"kept.{name}.{n}": t for n, t in one.kept.items()}
            values["keepers"][name] = [
                one.best,
                one.renewed_at,
                one.since,
                one.open,
            ]
        for name, optimiser in self.optimisers.items():
            for row, state in optimiser.state_dict()["state"].items():
                told = {n: torch.as_tensor(t) for n, t in state.items()}
                tensors |= {f"optimiser.{name}.{row}.{n}": t for n, t in told.items()}
        tensors |= {f"batch.{place}": rows for place, rows in enumerate(self.cycle.left)}
        tensors |= {f"weighting.{n}": t for n, t in self.weighting.state_dict().items()}
        random, values["random.numpy"] = self.draws()
        tensors |= {f"random.{name}": one for name, one in random.items()}
        return tensors, values

    def draws(self) -> Draws:
        """The states of all random generators."""
        random = {"torch": torch.get_rng_state(), "generator": self.generator.get_state()}
        if self.network.item_bias.is_cuda:
            random["cuda"] = torch.cuda.get_rng_state()
        return random, self.rng.bit_generator.state

    def draw_again(self, draws: Draws) -> None:
        """Put the states of all random generators back."""
        random, self.rng.bit_generator.state = draws
        torch.set_rng_state(random["torch"])
        self.generator.set_state(random["generator"])
        if "cuda" in random and self.network.item_bias.is_cuda:
            torch.cuda.set_rng_state(random["cuda"])

    def restore(self, tensors: Tensors, values: Values) -> None:
        """Go on from a state. Raises KeyError or RuntimeError where it is not of this network."""
        self.network.load_state_dict(_below(tensors, "weights."))
        self.averaged.load_state_dict(_below(tensors, "averaged."))
        for name, one in self.stopping.items():
            one.best, one.renewed_at, one.since, one.open = values["keepers"][name]
            device = self.network.item_bias.device
            kept = _below(tensors, f"kept.{name}.")
            one.kept = {n: tensor.to(device) for n, tensor in kept.items()}
        for name, optimiser in self.optimisers.items():
            state: dict[int, Values] = {}
            for place, tensor in _below(tensors, f"optimiser.{name}.").items():
                row, _, part = place.partition(".")
                counted = part == "step" and isinstance(optimiser, torch.optim.SparseAdam)
                state.setdefault(int(row), {})[part] = int(tensor) if counted else tensor
            groups = optimiser.state_dict()["param_groups"]
            optimiser.load_state_dict({"state": state, "param_groups": groups})
        batches = _below(tensors, "batch.")
        self.cycle.left = [batches[str(place)] for place in range(len(batches))]
        self.weighting.load_state_dict(_below(tensors, "weighting."))
        self.draw_again((_below(tensors, "random."), values["random.numpy"]))
        self.journal[:] = values["journal"]
        self.epoch = values["epoch"]


def check_loss(
    total: Tensor, means: Mapping[str, Tensor], network: JointNetwork, place: str
) -> None:
    """Raises TrainingError naming the objective, and a weight, that is not finite."""
    if bool(torch.isfinite(total)):
        return
    check_weights(network, place)
    said = ", ".join(
        f"{name} = {float(mean)}" for name, mean in means.items() if not bool(mean.isfinite())
    )
    raise TrainingError(f"{place}: a loss is not finite: {said or float(total)}; {REMEDY}")


def check_weights(network: JointNetwork, place: str) -> None:
    """Raises TrainingError naming the first weight that is not finite."""
    for name, weight in network.named_parameters():
        if not bool(weight.isfinite().all()):
            bad = int((~weight.isfinite()).sum())
            raise TrainingError(
                f"{place}: {bad} of {weight.numel()} numbers in {name} are not finite; {REMEDY}"
            )


REMEDY = "lower network.learning_rate or behaviour.learning_rate"


def _below(tensors: Tensors, prefix: str) -> Tensors:
    return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}
