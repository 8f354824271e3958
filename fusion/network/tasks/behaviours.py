"""Tasks of events: of which kind they were, and whether they were liked."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from trefoil.data.interactions import Interactions
from trefoil.fusion.network import objectives
from trefoil.fusion.network.batches import RatedPairs
from trefoil.fusion.network.steps import UserStep
from trefoil.fusion.network.tasks.base import Rows, Target, Task, TaskData


@dataclass(frozen=True)
class Kind(Task):
    """Cross-entropy: of which kind an event was (view, cart, buy), from ``10 u * i``."""

    name: ClassVar[str] = "kind"
    everywhere: ClassVar[bool] = False

    def target(self, data: TaskData) -> Target | None:
        kind = data.events.kind
        if kind is None or len(np.unique(kind.codes[kind.codes >= 0])) < 2:
            return None
        known = data.events.take(kind.codes >= 0)
        labels = kind.codes[kind.codes >= 0]
        return Target(outputs=len(kind.names), other=_by_user(known, labels, data))

    def rows(self, step: UserStep, target: Target) -> Rows:
        told, label = _told(self.name, step, target)
        return Rows((told, label))

    def loss(self, logits: Float[Tensor, "n C"], label: Float[Tensor, " n"]) -> Float[Tensor, " n"]:
        return torch.nn.functional.cross_entropy(logits, label.long(), reduction="none")


@dataclass(frozen=True)
class Like(Task):
    """Binary cross-entropy: whether an event was a positive, where the data hold others too."""

    name: ClassVar[str] = "like"
    everywhere: ClassVar[bool] = False

    def target(self, data: TaskData) -> Target | None:
        positive = data.events.positive
        if positive.all() or not positive.any():
            return None
        return Target(outputs=1, other=_by_user(data.events, positive, data))

    def rows(self, step: UserStep, target: Target) -> Rows:
        told, label = _told(self.name, step, target)
        return Rows((told[:, 0], label))

    def loss(self, logit: Float[Tensor, " n"], label: Float[Tensor, " n"]) -> Float[Tensor, " n"]:
        return objectives.binary_cross_entropy(logit, label)


def _by_user(
    events: Interactions, labels: Int[np.ndarray, " n"] | Bool[np.ndarray, " n"], data: TaskData
) -> RatedPairs:
    """Events grouped by user, with a label in the place of the rating."""
    told = replace(events, stars=labels.astype(np.float32))
    return RatedPairs.of(told, data.known.matrix.shape[0], (0.0, 1.0))


def _told(
    name: str, step: UserStep, target: Target
) -> tuple[Float[Tensor, "n C"], Float[Tensor, " n"]]:
    """What the head says of the events of the users of a step, and their labels."""
    user, item, label = (one.to(step.user.device) for one in target.other.of_users(step.people))
    vectors = step.vectors_of(name)
    return step.head(name)(10 * vectors.users[user] * vectors.items[item]), label
