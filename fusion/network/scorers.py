"""The trained network as base models: scores by propagation and scores by sequence."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from trefoil.data.histories import Cases
from trefoil.fusion.models.base import ScoringModel
from trefoil.fusion.network.batches import newest
from trefoil.fusion.network.forms import propagation_form, sequence_form
from trefoil.fusion.network.module import RANKS, JointNetwork
from trefoil.fusion.network.vectors import Vectors
from trefoil.fusion.plan.forms import FactorForm


@torch.no_grad()
def order_scores(
    network: JointNetwork, cases: Cases, vectors: Vectors | None = None, items: Tensor | None = None
) -> Float[Tensor, "cases items"]:
    """Scores by propagated vectors, in the scenario of each case.

    ``items`` are those vectors as the ranking reads them, where they are at hand.
    """
    vectors = vectors or network.pass_messages()
    items = network.items_of(RANKS, vectors.items) if items is None else items
    users = network.users_of(RANKS, user_vectors(cases, vectors))
    scenario = {n: torch.from_numpy(c).to(users.device) for n, c in cases.scenario.items()}
    return network.order_scores(network.in_scenario(users, scenario), items).cpu()


def user_vectors(cases: Cases, vectors: Vectors) -> Float[Tensor, "cases D"]:
    """Propagated vectors; people of whom nothing was learned are folded in from their history."""
    device = vectors.items.device
    users = vectors.users[torch.from_numpy(np.maximum(cases.user, 0)).to(device)]
    fresh = np.flatnonzero((cases.user < 0) | ~users.any(1).cpu().numpy())
    if len(fresh):
        users[torch.from_numpy(fresh).to(device)] = fold_in(cases.take(fresh), vectors)
    return users


def fold_in(cases: Cases, vectors: Vectors) -> Float[Tensor, "cases D"]:
    """A user vector from a history alone: what one more round of messages would send."""
    histories = cases.history.matrix(len(vectors.items)).tocoo()
    weight = np.maximum(cases.history.lengths, 1)[histories.row] ** -0.5
    index = torch.from_numpy(np.stack([histories.row, histories.col]).astype(np.int64))
    values = torch.from_numpy(weight.astype(np.float32))
    shape = (len(cases), len(vectors.items))
    matrix = torch.sparse_coo_tensor(index, values, shape, check_invariants=False)
    return matrix.to(vectors.items.device) @ (vectors.base + vectors.items)


@torch.no_grad()
def sequence_scores(
    network: JointNetwork, cases: Cases, *, batch: int = 256
) -> Float[Tensor, "cases items"]:
    """Scores by the newest events; a case without history gets the item biases alone."""
    assert network.behaviour is not None
    device = network.item_bias.device
    scores = torch.empty(len(cases), len(network.sequence_bias))
    table = network.sequence_table()
    order = np.argsort(cases.history.lengths, kind="stable")  # like lengths share a batch
    for start in range(0, len(cases), batch):
        rows = order[start : start + batch]
        past = newest(cases.history.take(rows), network.config.max_events).to(device)
        view = network.behaviour(table[past.item], past.lengths, past.at)
        scores[torch.from_numpy(rows)] = network.next_scores(view.vectors).cpu()
    return scores


@dataclass
class NetworkScorer:
    """Scores of one or several networks by propagation; several are averaged as z-scores.

    Items beyond the first ``learned`` came after training and stay out of the scale.
    """

    networks: list[JointNetwork]
    learned: int | None = None

    def __post_init__(self) -> None:
        with torch.no_grad():
            self.vectors = [network.eval().pass_messages() for network in self.networks]
            pairs = zip(self.networks, self.vectors, strict=True)
            self.items = [network.items_of(RANKS, passed.items) for network, passed in pairs]

    def score(self, cases: Cases) -> Tensor:
        parts = zip(self.networks, self.vectors, self.items, strict=True)
        scores = [order_scores(network, cases, passed, items) for network, passed, items in parts]
        return mean_of(scores, self.learned)

    @property
    def reads(self) -> frozenset[str]:
        network = self.networks[0]
        there = {"graph": network.facts is not None, "text": network.text is not None}
        there |= {"events": True, "context": bool(len(network.scale))}
        return frozenset(name for name, found in there.items() if found)

    @torch.no_grad()
    def rated_vectors(self) -> list[Vectors]:
        """The vectors that the ratings of each network are read from."""
        pairs = zip(self.networks, self.vectors, strict=True)
        return [network.rating_vectors(vectors) for network, vectors in pairs]

    @torch.no_grad()
    def stars(self, cases: Cases) -> Tensor:
        """Expected ratings [cases, items], the mean over networks.

        Biases of items alone for people of whom nothing was learned: vectors folded in
        are longer than those that ratings were learned from.
        """
        total = torch.zeros(len(cases), len(self.networks[0].item_bias))
        for network, vectors in zip(self.networks, self.rated_vectors(), strict=True):
            rows = torch.from_numpy(cases.user).to(vectors.users.device)
            head, users = network.rating_head, vectors.users[rows.clamp(min=0)]
            assert head is not None, "only asked where ratings were learned"
            total += head.of_all(users, vectors.items, rows).cpu()
        return total / len(self.networks)


class PlainNetworkScorer(NetworkScorer):
    """The same without a trunk: then its scores have a form of their own."""

    def form(self) -> FactorForm:
        return propagation_form(self.networks, self.vectors, self.learned)


@dataclass
class SequenceScorer:
    """Scores of the same networks by sequence."""

    networks: list[JointNetwork]
    learned: int | None = None

    def score(self, cases: Cases) -> Tensor:
        scores = [sequence_scores(network, cases) for network in self.networks]
        return mean_of(scores, self.learned)

    @property
    def reads(self) -> frozenset[str]:
        return frozenset({"events", "order"})

    def form(self) -> FactorForm:
        return sequence_form(self.networks, self.learned)


def mean_of(scores: list[Tensor], learned: int | None = None) -> Tensor:
    """The mean of per-case z-scores; one tensor is returned as it is.

    Mean and spread are those of the first ``learned`` items.
    """
    if len(scores) == 1:
        return scores[0]
    total = torch.zeros_like(scores[0])
    for part in scores:
        scale = part[:, :learned]
        spread = scale.std(1, keepdim=True, correction=0).clamp(min=1e-6)
        total += (part - scale.mean(1, keepdim=True)) / spread
    return total / len(scores)


NETWORKS = ("network", "behaviour")  # names of the base models that share the trained networks


def network_scorers(
    networks: list[JointNetwork], learned: int | None = None
) -> dict[str, ScoringModel]:
    """The trained networks as base models; the first ``learned`` items were trained on.

    Both are scores of the same networks, which a run stores beside its base models.
    """
    if not networks:
        return {}
    scorer = NetworkScorer if networks[0].trunk is not None else PlainNetworkScorer
    base_models: dict[str, ScoringModel] = {"network": scorer(networks, learned)}
    if networks[0].behaviour is not None:
        base_models["behaviour"] = SequenceScorer(networks, learned)
    return base_models
