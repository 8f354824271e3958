"""What the joint network reads, and what it learns from."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from trefoil.data.dataset import Dataset
from trefoil.data.interactions import Interactions
from trefoil.fusion.features.training_data import TrainingData
from trefoil.fusion.network.batches import Groups, Windows
from trefoil.fusion.network.module import NetworkInputs
from trefoil.fusion.settings import Settings


@dataclass(frozen=True)
class TrainingInputs:
    """Training events in the forms that the objectives read."""

    groups: Groups
    windows: Windows | None
    share: Tensor | None  # items x categories, rows sum to one (zero where unknown)
    events: Interactions
    numbers: Tensor | None = None  # items x C, standardised, NaN where missing
    returning: bool = False  # whether people come back to items they met

    def to(self, device: torch.device) -> "TrainingInputs":
        """The same with the tables of items on a device; events stay arrays and move by steps."""
        share, numbers = self.share, self.numbers
        return replace(
            self,
            share=None if share is None else share.to(device),
            numbers=None if numbers is None else numbers.to(device),
        )

    @property
    def per_user(self) -> float:
        """Mean positives per user with any."""
        return len(self.groups.item) / max(1, len(np.unique(self.groups.user)))


def network_inputs_of(dataset: Dataset, known: TrainingData, settings: Settings) -> NetworkInputs:
    """What a network reads."""
    facts = known.facts if settings.graph.in_network else None
    text = known.text if settings.text.in_network else None
    scenarios = None
    if settings.scenarios and known.events.scenario:
        scenarios = {name: len(column.names) for name, column in known.events.scenario.items()}
    return NetworkInputs(
        known.matrix,
        facts.matrix if facts else None,
        facts.relation if facts else None,
        facts.entity if facts else None,
        text.vectors if text else None,
        _categories(dataset)[1] if settings.tasks.category else 0,
        len(known.numbers) if settings.tasks.attributes else 0,
        scenarios,
    )


def _categories(dataset: Dataset) -> tuple[Tensor | None, int]:
    """Category shares per item over all category columns side by side, and how many there are."""
    columns = [labels.matrix() for labels in dataset.items.category.values()]
    if not columns:
        return None, 0
    member = torch.from_numpy(np.concatenate(columns, axis=1)).float()
    return member / member.sum(1, keepdim=True).clamp(min=1), member.shape[1]


def training_inputs_of(
    dataset: Dataset,
    train: Interactions,
    known: TrainingData,
    settings: Settings,
    *,
    behaviour: bool,
) -> TrainingInputs:
    """What a network learns from."""
    share = _categories(dataset)[0] if settings.tasks.category else None
    windows = Windows(known.history, settings.behaviour.max_events) if behaviour else None
    groups = Groups.of(train, scenarios=settings.scenarios)
    numbers = _standard(known) if settings.tasks.attributes else None
    return TrainingInputs(groups, windows, share, train, numbers, known.returning)


def _standard(known: TrainingData) -> Tensor | None:
    """The numbers of the items [items, C], each column with mean zero and variance one."""
    if not known.numbers:
        return None
    table = np.stack(list(known.numbers.values()), axis=1)
    spread = np.maximum(np.nanstd(table, axis=0), 1e-6)
    return torch.from_numpy((table - np.nanmean(table, axis=0)) / spread)
