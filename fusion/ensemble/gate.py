"""Many base models, one score: a small blend of what they say, see ``fusion.ensemble.gate_fit``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from trefoil.data.interactions import Ints

Scores = Mapping[str, Tensor]  # per base model [cases, items]


@dataclass(frozen=True)
class Gate:
    """``sum_k w_k z_k``: per-case z-scores of the base models, weighted.

    Items without training events have weights and one offset of their own,
    because base models that live from events know nothing of them. Few numbers, so
    they can be printed: they say what each base model gave. ``within`` are the weights
    in place of ``warm`` for who asks in a domain, by its place; empty where all are alike.
    """

    base_models: tuple[str, ...]
    warm: tuple[float, ...]
    cold: tuple[float, ...]
    offset: float = 0.0
    within: tuple[tuple[float, ...], ...] = ()

    def blend(
        self, scores: Scores, seen: Bool[Tensor, " items"], asked: Ints | None = None
    ) -> Float[Tensor, "cases items"]:
        """One score per case and item. ``seen`` marks items with training events."""
        z = standardise(scores, self.base_models, seen)
        return self.mix(z, seen, asked)

    def mix(
        self, z: Float[Tensor, "E n I"], seen: Tensor, asked: Ints | None = None
    ) -> Float[Tensor, "n I"]:
        """The blend of z-scores. ``seen`` is [I], or [n, I] with candidates per case.

        ``asked`` is the domain that each case asks in, -1 for none; None where there are none.
        """
        mixed = torch.einsum("eni,e->ni", z, z.new_tensor(self.warm))
        for code, warm in enumerate(self.within if asked is not None else ()):
            rows = torch.from_numpy(np.flatnonzero(asked == code))
            mixed[rows] = torch.einsum("eni,e->ni", z[:, rows], z.new_tensor(warm))
        if bool(seen.all()):
            return mixed
        cold = self.offset + torch.einsum("eni,e->ni", z, z.new_tensor(self.cold))
        return torch.where(seen, mixed, cold)


def standardise(
    scores: Scores, base_models: Sequence[str], seen: Bool[Tensor, " items"]
) -> Float[Tensor, "E n items"]:
    """z-scores per case, over the warm items and over the cold ones separately.

    A base model with nothing to say of a case (all scores equal) gives zeros.
    """
    z = torch.stack([scores[name] for name in base_models]).float()
    for row in z:
        standardise_row(row, seen)
    return z


def standardise_row(row: Float[Tensor, "n items"], seen: Bool[Tensor, " items"]) -> None:
    """The same of one base model, in place: all of them are the largest tensor of the fusion."""
    groups = [part for part in (seen, ~seen) if bool(part.any())]
    # From the first of each group, so that equal scores are exactly zero.
    row -= _per_item(seen, [row[:, int(part.nonzero()[0])].clone() for part in groups])
    row -= _per_item(seen, [row @ part.float() / part.sum() for part in groups])
    square = row.square()
    spread = [(square @ part.float() / part.sum()).sqrt() for part in groups]
    row *= _per_item(seen, [torch.where(s > 1e-6, 1 / s.clamp(min=1e-6), 0.0) for s in spread])


def _per_item(
    seen: Bool[Tensor, " items"], of_group: Sequence[Float[Tensor, " n"]]
) -> Float[Tensor, "n _"]:
    """Per case, the value of each item's group; one column where there is one group."""
    if len(of_group) == 1:
        return of_group[0][:, None]
    return torch.where(seen, of_group[0][:, None], of_group[1][:, None])
