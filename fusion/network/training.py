"""Training the joint network: all objectives in every step, stopped by validation."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch

from trefoil.data.progress import Progress
from trefoil.fusion.features.training_data import DENSE
from trefoil.fusion.features.validation import Validation
from trefoil.fusion.network.checkpoints import CheckpointStore
from trefoil.fusion.network.early_stopping import EarlyStopping
from trefoil.fusion.network.inputs import TrainingInputs
from trefoil.fusion.network.module import (
    JointNetwork,
    NetworkConfig,
    NetworkInputs,
)
from trefoil.fusion.network.scorers import order_scores, sequence_scores
from trefoil.fusion.network.steps import UserStep
from trefoil.fusion.network.trainer import Trainer
from trefoil.fusion.settings import Settings

log = logging.getLogger(__name__)

MARK = "valid_ndcg@10_"  # before the name of a part, in a journal


@dataclass
class Journal:
    """What happened while training: one row per evaluation."""

    rows: list[dict[str, float]] = field(default_factory=list)


def config_of(
    settings: Settings, inputs: TrainingInputs, *, behaviour: bool, by_rows: bool = False
) -> NetworkConfig:
    """Sizes and sharpness; where settings leave it open, by the training events.

    Few events per user ask for a sharp softmax, temperature ``.15 (n / 9)^(1/3)``
    within .1 and .25, and for much dropout, .4. With 20 and more, dropout falls with
    the number of all events: .3 up to 34,000, .2 at 80,000, none from 450,000.
    """
    network, sequence = settings.network, settings.behaviour
    temperature = float(np.clip(0.15 * (inputs.per_user / 9) ** (1 / 3), 0.1, 0.25))
    everywhere = any(one.task.everywhere for one in inputs.tasks)
    dropout = 0.4
    if inputs.per_user >= DENSE:
        events = max(len(inputs.groups.item), 1)
        dropout = float(np.clip(0.2 - 0.08 * np.log2(events / 80_000), 0.0, 0.3))
    return NetworkConfig(
        settings.embedding_size,
        network.layers,
        network.temperature or temperature,
        network.dropout if network.dropout >= 0 else dropout,
        sequence.max_events,
        sequence.layers if behaviour else 0,
        sequence.heads,
        sequence.dropout,
        sequence.time_gaps,
        settings.tasks.trunk,
        settings.tasks.experts,
        _sharing(inputs),
        network.domain_rank,
        by_rows and settings.tasks.trunk == "none" and not everywhere,
    )


def config_with(config: NetworkConfig, inputs: TrainingInputs) -> NetworkConfig:
    """The config of a network that learns again: tasks may have labels that had none before."""
    more = [name for name in _sharing(inputs) if name not in config.sharing]
    return replace(config, sharing=[*config.sharing, *more])


def _sharing(inputs: TrainingInputs) -> list[str]:
    return [one.task.name for one in inputs.tasks if one.task.reads is UserStep]


def fit_network(
    network_inputs: NetworkInputs,
    config: NetworkConfig,
    inputs: TrainingInputs,
    validation: Validation | None,
    settings: Settings,
    *,
    seed: int,
    device: torch.device,
    progress: Progress | None = None,
    begin: Callable[[JointNetwork], Set[str] | None] | None = None,
    memory: CheckpointStore | None = None,
    until: Mapping[str, int] | None = None,
) -> tuple[JointNetwork, Journal]:
    """Train one network; the weights of the best validation NDCG@10 are kept.

    Both ways of scoring, by propagation and by sequence, have an own best
    moment: each stops being trained when it no longer improves. ``begin`` may
    change the weights at the start, and names those that came from elsewhere. ``memory``
    keeps the state after every look, and gives it back where training was stopped. Without
    ``validation`` each part is trained ``until`` an epoch chosen before. Raises TrainingError
    where a loss is not finite any more.
    """
    generator = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    network = JointNetwork(network_inputs, config)
    inputs.start(network)
    inherited = (begin(network) if begin is not None else None) or frozenset()
    network.to(device)
    rng = np.random.default_rng(seed)
    trainer = Trainer(network, inputs, settings, generator, rng, device, until, inherited)
    averaged = trainer.learning.averaged
    stopping = trainer.learning.stopping
    journal = Journal(trainer.learning.journal)
    if memory is not None:
        memory.recall(trainer.learning)
    began = time.perf_counter() - (journal.rows[-1]["seconds"] if journal.rows else 0.0)
    for means in trainer.rounds():
        marks = _look(averaged, stopping, validation, trainer.learning.epoch)
        row = {"epoch": trainer.learning.epoch, "seconds": time.perf_counter() - began, **means}
        journal.rows.append(row | {f"{MARK}{name}": mark for name, mark in marks.items()})
        if memory is not None:
            memory.keep(trainer.learning)
        if progress:
            total = max(until.values()) if until else settings.network.epochs
            progress(trainer.learning.epoch, total, _said(stopping, judged=validation is not None))
    for one in stopping.values():
        one.restore()
    inputs.finish(averaged)
    if progress:
        ended = trainer.learning.epoch
        progress(ended, ended, "network")
    return averaged.eval(), journal


def best_epochs(journal: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """The epoch of the best validation NDCG@10 of each part, as a journal tells it."""
    found: dict[str, int] = {}
    for name in ("ranking", "next_item"):
        looks = [(row[f"{MARK}{name}"], int(row["epoch"])) for row in journal if MARK + name in row]
        if looks:
            best = max(mark for mark, _ in looks)
            found[name] = next(epoch for mark, epoch in looks if mark == best)
    return found


def _said(stopping: Mapping[str, EarlyStopping], *, judged: bool) -> str:
    if not judged:
        return "network on all events"
    marks = ", ".join(f"{name} {one.best:.4f}" for name, one in stopping.items())
    return f"network: validation NDCG@10 {marks}"


def _look(
    network: JointNetwork,
    stopping: Mapping[str, EarlyStopping],
    validation: Validation | None,
    epoch: int,
) -> dict[str, float]:
    """Validation NDCG@10 of each part that is still being trained; the best is kept."""
    marks = {}
    for name, one in stopping.items():
        if one.open and validation is None:
            one.reach(epoch)
        elif one.open and validation is not None:
            score = order_scores if name == "ranking" else sequence_scores
            marks[name] = validation.ndcg(score(network, validation.cases))
            one.look(marks[name])
    return marks
