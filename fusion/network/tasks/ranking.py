"""The tasks that rank: what users took among all items, and what they took next."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from trefoil.fusion.network import objectives
from trefoil.fusion.network.domains import Rivals
from trefoil.fusion.network.module import ALL, RANKS
from trefoil.fusion.network.module import Rows as ItemRows
from trefoil.fusion.network.negative_sampling import drawn_pairs
from trefoil.fusion.network.steps import Step, UserStep, WindowStep
from trefoil.fusion.network.tasks.base import Rows, Target, Task, TaskData

NO_RIVAL = -1e9  # the score of an item of a sample that is none; finite, for all may be such
Pairs = tuple[Tensor, Tensor]  # numbers of events, and items


def against_popularity(data: TaskData, power: float) -> Target:
    """Labels of a ranking: what a positive weighs by its item, ``events^-power``, mean 1.

    Inverse propensity scoring: popular items are met more often than they are liked
    (Schnabel et al. 2016, arXiv:1602.05352). Power 0 weighs nothing.
    """
    if not power:
        return Target()
    met = np.asarray(data.known.matrix.sum(axis=0), np.float64).ravel()
    weight = np.maximum(met, 1) ** -power
    weight *= met.sum() / max(float((met * weight).sum()), 1e-12)
    return Target({"weight": torch.from_numpy(weight.astype(np.float32))})


def weighed(
    weight: Float[Tensor, " n"] | None, item: Int[Tensor, " n"], target: Target
) -> Float[Tensor, " n"] | None:
    """The weight of each row, with that of its item where items have one."""
    if "weight" not in target.tensors:
        return weight
    own = target.tensors["weight"][item]
    return own if weight is None else weight * own


@dataclass(frozen=True)
class Ranking(Task):
    """Softmax over all items, or a sample of them: the one that was taken."""

    name: ClassVar[str] = RANKS
    metric: ClassVar[str] = "ndcg@10"
    everywhere: ClassVar[bool] = False
    debias: float = 0.0  # power of popularity that positives are weighed against

    def target(self, data: TaskData) -> Target:
        return against_popularity(data, self.debias)

    def rows(self, step: UserStep, target: Target) -> Rows:
        network, items = step.network, step.vectors_of(self.name).items
        asked = step.asked(self.name)
        if step.sampler is None:
            scores = network.order_scores(asked, items)
            if (outside := step.outside()) is not None:
                with torch.no_grad():  # a share of zero in the softmax: no gradient to mask
                    scores[outside] = -torch.inf
            picked = scores[step.case, step.item]
            total = torch.logsumexp(scores, dim=1)[step.case]
        else:
            drawn, correction = step.sample(step.sampler)
            picked = network.pair_scores(asked[step.case], items, step.item)
            sample = network.order_scores(asked, items, drawn, correction)
            if (outside := step.outside(drawn)) is not None:
                with torch.no_grad():
                    sample[outside] = -torch.inf
            total = objectives.over_sample(picked, sample, step.case)
        return Rows((picked, total), weighed(step.weight, step.item, target))

    def loss(self, picked: Float[Tensor, " n"], total: Float[Tensor, " n"]) -> Float[Tensor, " n"]:
        return objectives.softmax(picked, total)


@dataclass(frozen=True)
class PairRanking(Task):
    """What was taken against items drawn evenly, pair by pair: BPR, or calibrated gBCE."""

    name: ClassVar[str] = RANKS
    metric: ClassVar[str] = "ndcg@10"
    by: Literal["bpr", "gbce"] = "bpr"
    negatives: int = 256  # drawn for a step, and shared by its pairs
    debias: float = 0.0

    def target(self, data: TaskData) -> Target:
        return against_popularity(data, self.debias)

    def rows(self, step: UserStep, target: Target) -> Rows:
        network, items = step.network, step.vectors_of(self.name).items
        asked = step.asked(self.name)
        drawn = step.draw(len(items), self.negatives)
        picked = network.pair_scores(asked[step.case], items, step.item)
        rivals = network.order_scores(asked, items, drawn)
        if (outside := step.outside(drawn)) is not None:
            rivals = rivals.masked_fill(outside, -torch.inf)
        rivals = rivals[step.case]
        share = picked.new_tensor(self.negatives / max(len(items) - 1, 1))
        reads = picked, rivals, share.clamp(max=1.0)
        return Rows(reads, weighed(step.weight, step.item, target))

    def loss(
        self, picked: Float[Tensor, " n"], rivals: Float[Tensor, "n S"], share: Float[Tensor, ""]
    ) -> Float[Tensor, " n"]:
        if self.by == "bpr":
            return objectives.pairwise(picked, rivals)
        return objectives.calibrated_bce(picked, rivals, share)


def _within(
    met: Pairs | None,
    asked: Int[Tensor, " n"],
    place: Int[Tensor, " n"],
    domain: int,
    rivals: Rivals,
    *,
    sampled: bool,
) -> Pairs | None:
    """The pairs whose event and item are of a domain, by their places there; rows of a sample."""
    if met is None:
        return None
    event, item = met
    kept = (asked[event] == domain) & (rivals.domain[item] == domain)
    return place[event[kept]], item[kept] if sampled else rivals.place[item[kept]]


def ranking_of(weight: float, loss: str, negatives: int, debias: float = 0.0) -> Task:
    """The task that ranks, by the loss that settings name."""
    if loss == "softmax":
        return Ranking(weight, debias)
    return PairRanking(weight, "bpr" if loss == "bpr" else "gbce", negatives, debias)


@dataclass(frozen=True)
class NextItem(Task):
    """Softmax over all items, or a sample of them: the one that came next.

    Where there are domains, over the items of its own.
    """

    name: ClassVar[str] = "next_item"
    reads: ClassVar[type[Step]] = WindowStep
    everywhere: ClassVar[bool] = False
    smoothing: float = 0.0  # share of the target on all items alike
    only_new: bool = True  # items met before are no rivals, unless people return
    debias: float = 0.0

    def target(self, data: TaskData) -> Target:
        return against_popularity(data, self.debias)

    def rows(self, step: WindowStep, target: Target) -> Rows:
        network, item = step.network, step.item
        met = step.window.met_before() if self.only_new and not step.returning else None
        weight = weighed(None, item, target)
        if network.rivals is None:
            return Rows(self._among(step, met, ALL, ALL), weight)
        asked, place = network.rivals.domain[item], torch.zeros_like(item)
        parts, order = [], []
        for domain in asked.unique().tolist():
            rows = (asked == domain).nonzero()[:, 0]
            place[rows] = torch.arange(len(rows), device=item.device)
            sampled = step.sampler is not None
            inner = _within(met, asked, place, domain, network.rivals, sampled=sampled)
            parts.append(self._among(step, inner, rows, network.rivals.items(domain)))
            order.append(rows)
        back = torch.cat(order).argsort()
        reads = tuple(torch.cat(one)[back] for one in zip(*parts, strict=True))
        return Rows(reads, weight)

    def _among(
        self, step: WindowStep, met: Pairs | None, rows: ItemRows, items: ItemRows
    ) -> tuple[Tensor, ...]:
        """What ``loss`` reads of some events, whose rivals are ``items``.

        ``met`` are pairs (event, item), by their places among these, that are no rivals; of a
        sample the items are rows. Nor is what came next its own rival where it was drawn.
        """
        network, states, item = step.network, step.states[rows], step.item[rows]
        if step.sampler is None:
            scores = network.next_scores(states, items)
            if met is not None:
                with torch.no_grad():  # a share of zero in the softmax: no gradient to mask
                    scores[met] = -torch.inf
            at = item if network.rivals is None else network.rivals.place[item]
            picked = scores[torch.arange(len(item), device=item.device), at]
            total = torch.logsumexp(scores, dim=1)
        else:
            drawn, correction = step.sample(step.sampler)
            picked = network.next_pair_scores(states, item)
            sample = network.next_scores(states, drawn, correction)
            event = torch.arange(len(item), device=item.device)
            closed = drawn_pairs(event, item, drawn)
            if met is not None:
                more = drawn_pairs(*met, drawn)
                closed = tuple(torch.cat(two) for two in zip(closed, more, strict=True))
            with torch.no_grad():
                sample[closed] = NO_RIVAL
                if network.rivals is not None:
                    sample[network.rivals.outside(network.rivals.domain[item], drawn)] = -torch.inf
            total = objectives.over_sample(picked, sample)
        return picked, total, network.next_mean(states, items)

    def loss(
        self,
        picked: Float[Tensor, " n"],
        total: Float[Tensor, " n"],
        mean: Float[Tensor, " n"],
    ) -> Float[Tensor, " n"]:
        return objectives.next_item(picked, total, mean, smoothing=self.smoothing)
