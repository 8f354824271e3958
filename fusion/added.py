"""How items that came after training enter the blend of the leaves."""

from collections.abc import Collection
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from fusion.gate import Gate, Scores

FEWEST_COLD = 10  # items without events in training, from which their weights are trusted


@dataclass(frozen=True)
class Added:
    """Weights, per leaf of the gate, for the last ``count`` items: those added.

    Only leaves that read texts or facts speak of them. Their scores are scaled
    like those of the items without events that the gate was fitted on
    (``like_cold``); where those were too few to fit anything, like those of all
    others, with the weights these have and no offset. Scores of items that were
    in training do not depend on what is added.
    """

    count: int
    weights: tuple[float, ...]
    offset: float
    like_cold: bool

    @classmethod
    def of(
        cls, gate: Gate, seen: Bool[Tensor, " learned"], speaking: Collection[str], count: int
    ) -> "Added":
        """For a gate fitted on items of which ``seen`` had events."""
        like_cold = int((~seen).sum()) >= FEWEST_COLD
        fitted = gate.cold if like_cold else gate.warm
        weights = tuple(
            weight if name in speaking else 0.0
            for name, weight in zip(gate.leaves, fitted, strict=True)
        )
        return cls(count, weights, gate.offset if like_cold else 0.0, like_cold)

    def blend(
        self, gate: Gate, scores: Scores, seen: Bool[Tensor, " items"]
    ) -> Float[Tensor, "cases items"]:
        """One score per case and item, those of training as if nothing had been added."""
        learned = len(seen) - self.count
        old = {name: scores[name][:, :learned] for name in gate.leaves}
        seen = seen[:learned]
        scale = ~seen if self.like_cold else seen
        total = torch.full((len(next(iter(old.values()))), self.count), self.offset)
        for name, weight in zip(gate.leaves, self.weights, strict=True):
            if not weight:
                continue
            base = old[name][:, scale].float()
            mean = base.mean(1, keepdim=True)
            spread = (base - mean).square().mean(1, keepdim=True).sqrt()
            z = (scores[name][:, learned:] - mean) / spread.clamp(min=1e-6)
            total += weight * torch.where(spread > 1e-6, z, 0.0)
        return torch.cat([gate.blend(old, seen), total], 1)
