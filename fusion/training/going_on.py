"""Networks that go on learning from the weights that they have."""

from collections.abc import Hashable, Mapping, Sequence

import numpy as np
import torch

from trefoil.data.interactions import Ints
from trefoil.fusion.features.star_scale import scale_of
from trefoil.fusion.features.training_data import TrainingData
from trefoil.fusion.network.heads import RatingHead
from trefoil.fusion.network.module import JointNetwork


def some_epochs(best: Mapping[str, int], share: float) -> dict[str, int]:
    """That share of the epochs of each part, at least one."""
    return {name: max(1, round(share * epochs)) for name, epochs in best.items()}


class GoingOn:
    """Puts the weights of a network into one with more users, items, contexts and facts."""

    def __init__(self, before: JointNetwork, known: TrainingData, more: TrainingData) -> None:
        """``known`` is what the network ``before`` learned from, ``more`` what the new one will."""
        stars = known.events.stars
        given = None if stars is None else stars[~np.isnan(stars)]
        self.before, self.unit = before, 1.0 if given is None else scale_of(given)[1]
        old, new = known.facts, more.facts
        self.places: dict[str, Ints] = {}  # rows of the old table for those of the new one
        if old is not None and new is not None:
            self.places["entity_id.weight"] = _places(old.entities, new.entities)
            self.places["facts.weight"] = _places(old.relations, new.relations)

    def __call__(self, network: JointNetwork) -> None:
        old, fresh = self.before.state_dict(), network.state_dict()
        ratings = _of_ratings(network)
        with torch.no_grad():
            for name, tensor in fresh.items():
                if name not in old or old[name].shape[1:] != tensor.shape[1:]:
                    continue
                told = old[name].to(tensor.device)
                if name in ratings:  # in units of the ratings; biases begin in closed form
                    if not name.endswith(".map"):
                        continue
                    told = told / self.unit
                place = self.places.get(name)
                if place is not None:
                    there = np.flatnonzero(place[: len(tensor)] >= 0)
                    tensor[there] = told[place[there]]
                elif tensor.ndim:
                    tensor[: len(told)] = told[: len(tensor)]
                    if name == "user_id.weight":  # who is new begins at what their items send
                        tensor[len(told) :] = 0.0
                else:
                    tensor.copy_(told)


def _of_ratings(network: JointNetwork) -> set[str]:
    """Names of the weights of heads that expect ratings."""
    heads = {name: one for name, one in network.heads.items() if isinstance(one, RatingHead)}
    return {f"heads.{name}.{part}" for name, one in heads.items() for part in one.state_dict()}


def _places(old: Sequence[Hashable], new: Sequence[Hashable]) -> Ints:
    """Where each of the new stands among the old; -1 where it does not."""
    row_of = {one: row for row, one in enumerate(old)}
    return np.array([row_of.get(one, -1) for one in new], np.int64)
