"""The whole model: leaves and the gate that blends them; made by ``fusion.learn``."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from data.histories import Cases
from fusion.added import Added
from fusion.gate import Gate, standardise
from fusion.known import Known
from fusion.leaves import Leaf
from fusion.network import JointNetwork
from fusion.network_leaf import NetworkLeaf, SequenceLeaf
from fusion.newcomers import newcomer_scores
from fusion.record import Record
from fusion.reranker import Reranker
from fusion.settings import Settings
from fusion.stars import Stars
from fusion.texts import Texts


@dataclass(frozen=True)
class Model:
    """Scores anyone for all items. Made by ``fit_model`` or read from a run."""

    settings: Settings
    known: Known
    leaves: dict[str, Leaf]
    gate: Gate
    networks: list[JointNetwork]
    texts: Texts | None
    seen: Tensor  # items with training events
    record: Record = field(default_factory=Record)
    alone: Mapping[str, float] = field(default_factory=dict)  # validation NDCG@10 of each leaf
    clicks: Gate | None = None  # the gate that judges single pairs, where data hold negatives
    added: Added | None = None  # for items that came after training
    rates: Stars | None = None  # where ratings were learned
    newcomers: Gate | None = None  # the gate for people without events, if not the usual one
    reranker: Reranker | None = None  # a second look at the first items of each list

    def score(self, cases: Cases) -> Tensor:
        """One score per case and item: the gate over all leaves, its first items reranked."""
        scores = self._blend(self.gate, cases, self.reranker)
        new = cases.history.lengths == 0
        if self.newcomers is not None and new.any():
            asked = cases.take(np.flatnonzero(new))
            said = {name: self.leaves[name].score(asked) for name in self.newcomers.leaves}
            scores[torch.from_numpy(new)] = newcomer_scores(
                self.newcomers, said, self.known.learned
            )
        return scores

    def click_scores(self, cases: Cases) -> Tensor:
        """Scores for judging pairs one by one; those that rank, where no negatives were met."""
        return self._blend(self.clicks or self.gate, cases)

    def _blend(self, gate: Gate, cases: Cases, reranker: Reranker | None = None) -> Tensor:
        if not self.settings.scenarios:
            cases = Cases(cases.user, cases.history, cases.at)
        scores = {name: self.leaves[name].score(cases) for name in gate.leaves}
        learned = self.known.learned
        old = {name: part[:, :learned] for name, part in scores.items()}
        z = standardise(old, gate.leaves, self.seen[:learned])
        blended = gate.mix(z, self.seen[:learned])
        if reranker is not None:
            blended = reranker.rerank(z, blended, cases.history)
        if self.added is None:
            return blended
        only_added = self.added.alone(cases.history, learned)
        return self.added.follow(blended, gate, scores, self.seen, only_added)

    @torch.no_grad()
    def stars(self, cases: Cases) -> Tensor | None:
        """Expected ratings [cases, items] in data units; None where none were learned."""
        leaf = self.leaves.get("network")
        if self.rates is None or not isinstance(leaf, NetworkLeaf):
            return None
        return self.rates.blend(leaf.stars(cases), cases)


def network_leaves(networks: list[JointNetwork], learned: int | None = None) -> dict[str, Leaf]:
    """The trained networks as leaves of the fusion; the first ``learned`` items were trained on."""
    leaves: dict[str, Leaf] = {"network": NetworkLeaf(networks, learned)}
    if networks[0].behaviour is not None:
        leaves["behaviour"] = SequenceLeaf(networks, learned)
    return leaves
