"""Tasks of numbers: ratings, and the numbers that items have."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from trefoil.data.interactions import Interactions
from trefoil.fusion.features.star_scale import scale_of
from trefoil.fusion.network import objectives
from trefoil.fusion.network.batches import RatedPairs
from trefoil.fusion.network.heads import RatingHead, Sizes
from trefoil.fusion.network.steps import UserStep
from trefoil.fusion.network.tasks.base import Rows, Target, Task, TaskData


@dataclass(frozen=True)
class Attributes(Task):
    """Squared error: the numbers of an item, such as its year, from the vector of the item."""

    name: ClassVar[str] = "attributes"
    everywhere: ClassVar[bool] = False

    def target(self, data: TaskData) -> Target | None:
        numbers = data.known.numbers
        if not numbers:
            return None
        table = np.stack(list(numbers.values()), axis=1)
        spread = np.maximum(np.nanstd(table, axis=0), 1e-6)
        standard = torch.from_numpy((table - np.nanmean(table, axis=0)) / spread)
        return Target({"numbers": standard}, outputs=table.shape[1])

    def rows(self, step: UserStep, target: Target) -> Rows:
        numbers, items = target.tensors["numbers"], step.vectors_of(self.name).items
        if step.within is not None:
            numbers, items = numbers[step.within], items[step.within]
        known = ~numbers.isnan()
        return Rows((step.head(self.name)(items)[known], numbers[known]))

    def loss(
        self, predicted: Float[Tensor, " n"], given: Float[Tensor, " n"]
    ) -> Float[Tensor, " n"]:
        return objectives.squared_error(predicted, given)


@dataclass(frozen=True)
class Rating(Task):
    """Squared error of ratings, learned in units around their mean."""

    name: ClassVar[str] = "rating"
    metric: ClassVar[str] = "rmse"
    everywhere: ClassVar[bool] = False

    def target(self, data: TaskData) -> Target | None:
        rated = rated_events(data.events)
        if rated is None:
            return None
        assert rated.stars is not None
        scale = scale_of(rated.stars)
        pairs = RatedPairs.of(rated, data.known.matrix.shape[0], scale)
        return Target(outputs=1, other=(rated, pairs, scale))

    def head(self, sizes: Sizes) -> RatingHead:
        return RatingHead(sizes)

    def rows(self, step: UserStep, target: Target) -> Rows:
        _, pairs, _ = target.other
        user, item, given = (one.to(step.user.device) for one in pairs.of_users(step.people))
        vectors = step.vectors_of(self.name)
        told = step.head(self.name)(vectors.users[user], vectors.items[item], user, item)
        return Rows((told, given))

    def loss(
        self, predicted: Float[Tensor, " n"], given: Float[Tensor, " n"]
    ) -> Float[Tensor, " n"]:
        return objectives.squared_error(predicted, given)

    def start(self, head: nn.Module, target: Target) -> None:
        """Closed-form biases: damped means, items first, then users."""
        assert isinstance(head, RatingHead)
        rated, _, (mean, unit) = target.other
        rest = (rated.stars - mean) / unit
        by_item = _damped(rated.item, rest, len(head.item))
        by_user = _damped(rated.user, rest - by_item[rated.item], len(head.user))
        with torch.no_grad():
            head.item.copy_(torch.from_numpy(by_item))
            head.user.copy_(torch.from_numpy(by_user))

    def finish(self, head: nn.Module, target: Target) -> None:
        """Ratings in the unit of the data; they are linear in it."""
        assert isinstance(head, RatingHead)
        _, _, (mean, unit) = target.other
        with torch.no_grad():
            for part in (head.mean, head.user, head.item, head.map):
                part.mul_(unit)
            head.mean.add_(mean)


def rated_events(events: Interactions) -> Interactions | None:
    """The events with a rating; None where there are none."""
    if events.stars is None or np.isnan(events.stars).all():
        return None
    return events.take(np.flatnonzero(~np.isnan(events.stars)))


def _damped(rows: np.ndarray, values: np.ndarray, count: int) -> np.ndarray:
    return np.bincount(rows, values, count) / (np.bincount(rows, minlength=count) + 5.0)
