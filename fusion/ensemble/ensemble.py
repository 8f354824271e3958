"""The whole model: base models and the gate that blends them, a stacking ensemble."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from trefoil.data.histories import Cases
from trefoil.fusion.ensemble.cold_start_items import ColdStartItems
from trefoil.fusion.ensemble.cold_start_users import cold_user_scores
from trefoil.fusion.ensemble.gate import Gate, standardise
from trefoil.fusion.ensemble.rating_blend import RatingBlend, raters
from trefoil.fusion.ensemble.reranker import Reranker, sunk
from trefoil.fusion.features.texts import Texts
from trefoil.fusion.features.training_data import TrainingData
from trefoil.fusion.models.base import ScoringModel
from trefoil.fusion.network.module import JointNetwork
from trefoil.fusion.network.scorers import NETWORKS
from trefoil.fusion.plan.domains import asked_domain, without_contexts
from trefoil.fusion.record import Record
from trefoil.fusion.settings import Settings


@dataclass(frozen=True)
class Ensemble:
    """Scores anyone for all items. Made by ``fit_model`` or read from a run."""

    settings: Settings
    known: TrainingData
    base_models: dict[str, ScoringModel]
    gate: Gate
    networks: list[JointNetwork]
    texts: Texts | None
    seen: Tensor  # items with training events
    record: Record = field(default_factory=Record)
    alone: Mapping[str, float] = field(
        default_factory=dict
    )  # validation NDCG@10 of each base model
    clicks: Gate | None = None  # the gate that judges single pairs, where data hold negatives
    added: ColdStartItems | None = None  # for items that came after training
    rates: RatingBlend | None = None  # where ratings were learned
    cold_users: Gate | None = None  # the gate for people without events, if not the usual one
    reranker: Reranker | None = None  # a second look at the first items of each list

    @property
    def listed(self) -> dict[str, ScoringModel]:
        """The base models of ``fusion.models.listed``: all but those of the networks."""
        return {
            name: base_model
            for name, base_model in self.base_models.items()
            if name not in NETWORKS
        }

    def score(self, cases: Cases) -> Tensor:
        """One score per case and item: the gate over all base models, its first items reranked."""
        scores = self._blend(self.gate, cases, self.reranker)
        new = cases.history.lengths == 0
        if self.cold_users is not None and new.any():
            asked = cases.take(np.flatnonzero(new))
            said = {
                name: self.base_models[name].score(asked) for name in self.cold_users.base_models
            }
            scores[torch.from_numpy(new)] = cold_user_scores(
                self.cold_users, said, self.known.learned
            )
        return sunk(scores, cases, self.known.domain)

    def click_scores(self, cases: Cases) -> Tensor:
        """Scores for judging pairs one by one; those that rank, where no negatives were met."""
        return self._blend(self.clicks or self.gate, cases)

    def _blend(self, gate: Gate, cases: Cases, reranker: Reranker | None = None) -> Tensor:
        if not self.settings.scenarios:
            cases = without_contexts(cases)
        scores = {name: self.base_models[name].score(cases) for name in gate.base_models}
        learned = self.known.learned
        old = {name: part[:, :learned] for name, part in scores.items()}
        z = standardise(old, gate.base_models, self.seen[:learned])
        blended = gate.mix(z, self.seen[:learned], asked_domain(cases.scenario))
        if reranker is not None:
            domain = self.known.domain
            blended = reranker.rerank(
                z, blended, cases, domain if domain is None else domain[:learned]
            )
        if self.added is None:
            return blended
        only_added = self.added.alone(cases.history, learned)
        return self.added.follow(blended, gate, scores, self.seen, only_added)

    @torch.no_grad()
    def stars(self, cases: Cases) -> Tensor | None:
        """Expected ratings [cases, items] in data units; None where none were learned."""
        network, _ = raters(self.base_models)
        if self.rates is None or network is None:
            return None
        return self.rates.blend(network.stars(cases), cases)
