"""What the joint network reads, and what it learns from."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from trefoil.data.dataset import Dataset
from trefoil.data.interactions import Interactions
from trefoil.encoders.text.encoder import TextEncoder
from trefoil.fusion.features.texts import name_vectors
from trefoil.fusion.features.training_data import TrainingData
from trefoil.fusion.network.batches import Groups, Windows
from trefoil.fusion.network.module import JointNetwork, NetworkInputs
from trefoil.fusion.network.naming import own
from trefoil.fusion.network.tasks.base import Task, TaskData, TaughtTask, head_plans, taught
from trefoil.fusion.network.tasks.listed import tasks_of
from trefoil.fusion.settings import Settings


@dataclass(frozen=True)
class TrainingInputs:
    """Training events in the forms that steps read, and the tasks with their labels."""

    groups: Groups
    windows: Windows | None
    events: Interactions
    tasks: tuple[TaughtTask, ...]
    returning: bool = False  # whether people come back to items they met
    wordings: Tensor | None = None  # vectors of other wordings of the texts

    def to(self, device: torch.device) -> "TrainingInputs":
        """The same with labels on a device; events stay arrays and move by steps."""
        wordings = None if self.wordings is None else self.wordings.to(device)
        return replace(self, tasks=tuple(one.to(device) for one in self.tasks), wordings=wordings)

    @property
    def per_user(self) -> float:
        """Mean positives per user with any."""
        return len(self.groups.item) / max(1, len(np.unique(self.groups.user)))

    def start(self, network: JointNetwork) -> None:
        """Give heads the start that their tasks know."""
        for one in self.tasks:
            if own(one.task.name) in network.heads:
                one.task.start(network.heads[own(one.task.name)], one.target)

    def finish(self, network: JointNetwork) -> None:
        """Bring trained heads into the units of the data."""
        for one in self.tasks:
            if own(one.task.name) in network.heads:
                one.task.finish(network.heads[own(one.task.name)], one.target)


def network_inputs_of(
    known: TrainingData, inputs: TrainingInputs, settings: Settings
) -> NetworkInputs:
    """What a network reads, and the heads of what it learns."""
    names: dict[str, Tensor] = {}
    facts = known.facts if settings.graph.in_network else None
    text = known.text if settings.text.in_network else None
    scenarios = None
    if settings.scenarios and known.events.scenario:
        scenarios = {name: len(column.names) for name, column in known.events.scenario.items()}
        if settings.network.scenario_names:
            columns = {name: column.names for name, column in known.events.scenario.items()}
            part = settings.text
            sizes = part.max_tokens, part.batch_size
            encoder = TextEncoder(part.model, part.revision, *sizes, pooling=part.pooling)
            names = name_vectors(columns, encoder)
    return NetworkInputs(
        known.matrix,
        facts.matrix if facts else None,
        facts.relation if facts else None,
        facts.entity if facts else None,
        text.vectors if text else None,
        head_plans(inputs.tasks),
        scenarios,
        names,
        known.domain,
    )


def training_inputs_of(
    dataset: Dataset,
    train: Interactions,
    known: TrainingData,
    settings: Settings,
    *,
    behaviour: bool,
    tasks: Sequence[Task] = (),
) -> TrainingInputs:
    """What a network learns from; ``tasks`` are taught beside the listed ones.

    Raises ConfigError for a task that cannot be.
    """
    windows = Windows(known.history, settings.behaviour.max_events) if behaviour else None
    groups = Groups.of(train, scenarios=settings.scenarios)
    learned = taught(tasks_of(settings, tasks), TaskData(train, dataset.items, known))
    wordings = known.wordings if settings.text.in_network else None
    return TrainingInputs(groups, windows, train, learned, known.returning, wordings)
