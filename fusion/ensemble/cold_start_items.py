"""How items that came after training enter the blend of the base models."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from trefoil.data.histories import Histories
from trefoil.fusion.ensemble.gate import Gate, Scores

FEWEST_COLD = 10  # items without events in training, from which their weights are trusted


@dataclass(frozen=True)
class ColdStartItems:
    """Weights, per base model of the gate, for the last ``count`` items: those added.

    Only base models that read texts or facts speak of them. With ``like_cold`` they are
    weighed, scaled and shifted like the items without events that the gate was
    fitted on. Where those were too few to fit anything, each base model weighs by its
    own worth, and an item is put where its content would put it among the items
    with events: as many standard deviations above the mean of the blend as its
    content score lies above the mean of theirs. Scores of items that were in
    training do not depend on what is added.
    """

    count: int
    weights: tuple[float, ...]
    like_cold: bool

    @classmethod
    def of(
        cls, gate: Gate, seen: Bool[Tensor, " learned"], worth: Mapping[str, float], count: int
    ) -> "ColdStartItems":
        """For a gate fitted on items of which ``seen`` had events.

        ``worth`` gives the validation mark of each base model that speaks of new items.
        """
        like_cold = int((~seen).sum()) >= FEWEST_COLD
        weights = tuple(
            (cold if like_cold else worth[name]) if name in worth else 0.0
            for name, cold in zip(gate.base_models, gate.cold, strict=True)
        )
        return cls(count, weights, like_cold)

    def alone(self, history: Histories, learned: int) -> Bool[Tensor, " cases"]:
        """Which histories hold events, but none of an item that was in training."""
        case = np.repeat(np.arange(len(history)), history.lengths)
        met = np.bincount(case[history.item < learned], minlength=len(history)) > 0
        return torch.from_numpy(~met & (history.lengths > 0))

    def follow(
        self,
        blended: Float[Tensor, "cases learned"],
        gate: Gate,
        scores: Scores,
        seen: Bool[Tensor, " items"],
        only_added: Bool[Tensor, " cases"],
    ) -> Float[Tensor, "cases items"]:
        """One score per case and item, those of training (``blended``) as they are.

        Cases ``only_added``, whose history holds nothing but added items, are answered
        by content alone: the gate has never met them.
        """
        learned = len(seen) - self.count
        alike = ~seen[:learned] if self.like_cold else seen[:learned]
        content = torch.zeros(len(blended), len(seen))
        for name, weight in zip(gate.base_models, self.weights, strict=True):
            if weight:
                content += weight * _scaled(scores[name].float(), alike)
        if self.like_cold:
            fresh = gate.offset + content[:, learned:]
        else:
            mean, spread = _moments(blended[:, alike])
            fresh = mean + spread * _scaled(content, alike)[:, learned:]
        return torch.where(only_added[:, None], content, torch.cat([blended, fresh], 1))


def _scaled(
    scores: Float[Tensor, "cases items"], alike: Bool[Tensor, " learned"]
) -> Float[Tensor, "cases items"]:
    """z-scores per case by the moments over the items ``alike``; zeros where these are equal."""
    mean, spread = _moments(scores[:, : len(alike)][:, alike])
    return torch.where(spread > 1e-6, (scores - mean) / spread.clamp(min=1e-6), 0.0)


def _moments(
    scores: Float[Tensor, "cases some"],
) -> tuple[Float[Tensor, "cases 1"], Float[Tensor, "cases 1"]]:
    mean = scores.mean(1, keepdim=True)
    return mean, (scores - mean).square().mean(1, keepdim=True).sqrt()
