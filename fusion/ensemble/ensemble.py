"""The whole model: leaves and the gate that blends them; made by ``fusion.training.pipeline``."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from trefoil.data.histories import Cases
from trefoil.fusion.ensemble.cold_start_items import Added
from trefoil.fusion.ensemble.cold_start_users import newcomer_scores
from trefoil.fusion.ensemble.gate import Gate, standardise
from trefoil.fusion.ensemble.rating_blend import Stars, raters
from trefoil.fusion.ensemble.reranker import Reranker
from trefoil.fusion.features.texts import Texts
from trefoil.fusion.features.training_data import Known
from trefoil.fusion.models.base import Leaf
from trefoil.fusion.network.module import JointNetwork
from trefoil.fusion.network.scorers import NETWORKS
from trefoil.fusion.record import Record
from trefoil.fusion.settings import Settings


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

    @property
    def listed(self) -> dict[str, Leaf]:
        """The base models of ``fusion.models.listed``: all but those of the networks."""
        return {name: leaf for name, leaf in self.leaves.items() if name not in NETWORKS}

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
        network, _ = raters(self.leaves)
        if self.rates is None or network is None:
            return None
        return self.rates.blend(network.stars(cases), cases)
