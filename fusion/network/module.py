"""The joint network: one item table read by propagation, by sequences and by every task."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from scipy import sparse
from torch import Tensor, nn
from torch.nn import functional as F

from trefoil.encoders.behaviour import BehaviourEncoder
from trefoil.encoders.graph import FactMean, HistoryMean, LightPropagation
from trefoil.fusion.network.domains import domain_parts
from trefoil.fusion.network.dropout import dropped
from trefoil.fusion.network.heads import HeadPlan, RatingHead, Sizes
from trefoil.fusion.network.naming import own
from trefoil.fusion.network.scenarios import NamedScenarios
from trefoil.fusion.network.trunks import TRUNKS
from trefoil.fusion.network.vectors import Table, Vectors

Rows = Tensor | slice  # of items
Less = Tensor | float  # of each item picked
ALL = slice(None)


@dataclass(frozen=True)
class NetworkInputs:
    """What the network reads, fixed before training. Rows are those of the dataset.

    ``facts`` (items x facts) with ``relation`` and ``entity`` per fact column, and
    ``text`` (items x T, whitened, zero where unknown) are None when switched off.
    ``scenarios`` gives the number of values per scenario column.
    """

    events: sparse.csr_matrix  # users x items, training positives
    facts: sparse.csr_matrix | None = None
    relation: np.ndarray | None = None
    entity: np.ndarray | None = None
    text: Tensor | None = None
    heads: Mapping[str, HeadPlan] = field(default_factory=dict)  # by task
    scenarios: Mapping[str, int] | None = None
    scenario_names: Mapping[str, Tensor] = field(default_factory=dict)  # vectors of values
    domain: np.ndarray | None = None  # of items, -1 for none


@dataclass(frozen=True)
class NetworkConfig:
    """Sizes of a network and how sharp its softmax is."""

    width: int
    layers: int
    temperature: float
    dropout: float
    max_events: int
    behaviour_layers: int
    behaviour_heads: int
    behaviour_dropout: float
    time_gaps: bool  # whether sequences read times
    trunk: str = "none"
    experts: int = 0
    sharing: Sequence[str] = ()  # tasks of which a trunk has parts of their own
    domain_rank: int = 0  # of what each domain adds to vectors of items
    by_rows: bool = False  # users are the mean of their items: steps read the rows of their batch


def _filled(table: sparse.csr_matrix | sparse.csc_matrix) -> Bool[Tensor, " n"]:
    """Which rows of a table by rows, or columns of one by columns, hold anything."""
    return torch.from_numpy(np.diff(table.indptr) > 0)


RANKS = "ranking"  # the task whose vectors rank


class JointNetwork(nn.Module):
    """Users, items and entities in one space.

    An item's base vector is a learned id plus content: an adapter over its text
    vector and the relation-weighted mean of its entities' vectors. Bases are
    propagated over the user-item graph (``pass_messages``) and read in order by a
    causal Transformer (``next_states``). Items in ``gone`` lose id and edges, so
    that content alone must predict them: what makes a model of new items (item-id
    dropout, after DropoutNet, Volkovs et al. 2017).
    """

    seen: Tensor  # items with training events
    met: Tensor  # users with training events
    text_vectors: Tensor

    def __init__(self, network_inputs: NetworkInputs, config: NetworkConfig) -> None:
        super().__init__()
        users, items = network_inputs.events.shape
        width = config.width
        self.config = config
        self.user_id = None if config.by_rows else nn.Embedding(users, width)
        self.item_id = nn.Embedding(items, width)
        self.item_bias = nn.Parameter(torch.zeros(items))
        self.facts = None
        if network_inputs.facts is not None:
            assert network_inputs.relation is not None
            assert network_inputs.entity is not None
            self.facts = FactMean(
                network_inputs.facts, network_inputs.relation, network_inputs.entity
            )
            self.entity_id = nn.Embedding(int(network_inputs.entity.max()) + 1, width)
        self.text = None
        if network_inputs.text is not None:
            self.text = nn.Linear(network_inputs.text.shape[1], width, bias=False)
            self.register_buffer("text_vectors", network_inputs.text, persistent=False)
        self.propagation = (
            HistoryMean(network_inputs.events)
            if config.by_rows
            else LightPropagation(network_inputs.events, config.layers)
        )
        events = network_inputs.events.tocsr()
        for name, table in (("met", events), ("seen", events.tocsc())):
            self.register_buffer(name, _filled(table), persistent=False)
        self.behaviour = None
        if config.behaviour_layers:
            self.behaviour = BehaviourEncoder(
                width,
                max_events=config.max_events,
                layers=config.behaviour_layers,
                heads=config.behaviour_heads,
                dropout=config.behaviour_dropout,
                time_gaps=config.time_gaps,
            )
            self.sequence_id = nn.Embedding(items, width)
            self.sequence_bias = nn.Parameter(torch.zeros(items))
        self.rivals, self.domain_own, self.sequence_own = domain_parts(
            network_inputs.domain, width, config.domain_rank, in_order=config.behaviour_layers > 0
        )
        values = {own(name): max(n, 1) for name, n in (network_inputs.scenarios or {}).items()}
        self.scale = nn.ParameterDict({name: torch.zeros(n, width) for name, n in values.items()})
        self.shift = nn.ParameterDict({name: torch.zeros(n, width) for name, n in values.items()})
        names = network_inputs.scenario_names
        self.named = NamedScenarios(names, width) if names else None
        self.head_plans = dict(network_inputs.heads)
        self.heads = nn.ModuleDict(
            {
                own(name): plan.build(Sizes(users, items, width, plan.outputs))
                for name, plan in self.head_plans.items()
            }
        )
        trunk = TRUNKS.get(config.trunk)  # there is none of the name "none"
        self.trunk = trunk and trunk(width, config.sharing, config.experts)
        for name, table in self.named_children():
            if isinstance(table, nn.Embedding):
                nn.init.normal_(table.weight, std=0.02 if name == "sequence_id" else 0.05)

    @property
    def rating_head(self) -> RatingHead | None:
        """The head that expects ratings, where one was taught."""
        return next((one for one in self.heads.values() if isinstance(one, RatingHead)), None)

    def users_of(self, task: str, users: Float[Tensor, "n D"]) -> Float[Tensor, "n D"]:
        """Shared vectors of users as a task reads them: through the trunk, where there is one."""
        return users if self.trunk is None else self.trunk(users, task)

    def items_of(self, task: str, items: Float[Tensor, "n D"]) -> Float[Tensor, "n D"]:
        """Shared vectors of items as a task reads them, of unit length."""
        return items if self.trunk is None else F.normalize(self.trunk(items, task), dim=1)

    def vectors_of(self, task: str, vectors: Vectors) -> Vectors:
        """Both, of everybody."""
        if self.trunk is None:
            return vectors
        users, items = self.users_of(task, vectors.users), self.items_of(task, vectors.items)
        return Vectors(users, items, vectors.base)

    def rating_vectors(self, vectors: Vectors) -> Vectors:
        """The vectors that ratings are read from."""
        heads = {name: self.heads[own(name)] for name in self.head_plans}
        rating = (name for name, one in heads.items() if isinstance(one, RatingHead))
        return self.vectors_of(next(rating), vectors)

    def content(self) -> Float[Tensor, "items D"]:
        """What texts and facts say of each item; zero where they are off or silent."""
        total = torch.zeros_like(self.item_id.weight)
        if self.facts is not None:
            total = total + self.facts(self.entity_id.weight)
        if self.text is not None:
            total = total + self.text(self.text_vectors)
        return total

    def base_of(self, rows: Int[Tensor, " n"], gone: Bool[Tensor, " n"]) -> Float[Tensor, "n D"]:
        """Base vectors of some items; those in ``gone``, or never met, lose their id."""
        hidden = gone | ~self.seen[rows]
        total = self.item_id(rows).masked_fill(hidden[:, None], 0.0)
        if self.facts is not None:
            total = total + self.facts.of_rows(self.entity_id.weight, rows)
        if self.text is not None:
            total = total + self.text(self.text_vectors[rows])
        return total

    def pass_messages(self, gone: Bool[Tensor, " items"] | None = None) -> Vectors:
        """Vectors of all users and items. Without ``gone``, items without events are.

        Users without events have zeros: nothing was learned of them.
        """
        hidden = ~self.seen if gone is None else gone | ~self.seen
        content = self.content()
        base = self.item_id.weight.masked_fill(hidden[:, None], 0.0) + content
        if isinstance(self.propagation, HistoryMean):
            users, items = self.propagation(base, hidden), base
        else:
            assert self.user_id is not None
            people = self.user_id.weight.masked_fill(~self.met[:, None], 0.0)
            users, items = self.propagation(people, base, hidden)
        if self.training:
            users, items = dropped(users, self.config.dropout), dropped(items, self.config.dropout)
        items = items if self.domain_own is None else self.domain_own(items)
        return Vectors(users, F.normalize(items, dim=1), base)

    def in_scenario(
        self, users: Float[Tensor, "B D"], scenario: Mapping[str, Int[Tensor, " B"]]
    ) -> Float[Tensor, "B D"]:
        """``u (1 + f(s)) + g(s)``: scenarios share the trunk and add small parts of their own.

        A value never seen (-1) leaves the shared vector as it is.
        """
        scaled, shifted = users, torch.zeros_like(users)
        for column, codes in scenario.items():
            name = own(column)
            if name not in self.scale:
                continue
            known = (codes >= 0)[:, None]
            rows = codes.clamp(min=0)
            scale, shift = self.scenario_tables(name)
            scaled = scaled + known * users * scale[rows]
            shifted = shifted + known * shift[rows] * self.config.width**-0.5
        return scaled + shifted

    def scenario_tables(
        self, name: str
    ) -> tuple[Float[Tensor, "values D"], Float[Tensor, "values D"]]:
        """``f`` and ``g`` of the values of a column: learned, and from their names where asked."""
        scale, shift = self.scale[name], self.shift[name]
        return (scale, shift) if self.named is None else self.named(name, scale, shift)

    def order_scores(
        self, users: Float[Tensor, "B D"], items: Table, rows: Rows = ALL, less: Less = 0.0
    ) -> Float[Tensor, "B picked"]:
        """Cosine over temperature, plus the item's bias ``less`` something: logits over items.

        In one product: each pass over a step's logits costs as much as the step's vectors.
        """
        asked = F.normalize(users, dim=1) / self.config.temperature
        return torch.addmm(self.item_bias[rows] - less, asked, items[rows].T)

    def pair_scores(
        self,
        users: Float[Tensor, "n D"],
        items: Table,
        rows: Int[Tensor, " n"],
    ) -> Float[Tensor, " n"]:
        """``order_scores`` of one item each."""
        cosine = (F.normalize(users, dim=1) * items[rows]).sum(1)
        return cosine / self.config.temperature + self.item_bias[rows]

    def sequence_table(self) -> Float[Tensor, "items D"]:
        """The item vectors that sequences read and predict."""
        return self.sequence_id.weight

    def next_states(
        self,
        events: Int[Tensor, "B L"],
        at: Int[Tensor, "B L"] | None,
        left: Bool[Tensor, "B L"] | None = None,
    ) -> Float[Tensor, "B L D"]:
        """The state after each event of right-padded histories; not ``left`` are without item."""
        assert self.behaviour is not None
        vectors = self.sequence_table()[events]
        return self.behaviour.states(vectors if left is None else vectors * left[:, :, None], at)

    def next_scores(
        self, states: Float[Tensor, "n D"], rows: Rows = ALL, less: Less = 0.0
    ) -> Float[Tensor, "n picked"]:
        """Logits of the item that comes next, ``less`` something of each item."""
        bias = self.sequence_bias[rows] - less
        return torch.addmm(bias, states, self.sequence_output(rows).T)

    def sequence_output(self, rows: Rows = ALL) -> Float[Tensor, "picked D"]:
        """The item vectors that states are compared with."""
        table = self.sequence_table()[rows]
        return table if self.sequence_own is None else self.sequence_own(table, rows)

    def next_mean(self, states: Float[Tensor, "n D"], rows: Rows = ALL) -> Float[Tensor, " n"]:
        """The mean of ``next_scores`` over items."""
        return states @ self.sequence_output(rows).mean(0) + self.sequence_bias[rows].mean()

    def next_pair_scores(
        self, states: Float[Tensor, "n D"], rows: Int[Tensor, " n"]
    ) -> Float[Tensor, " n"]:
        """``next_scores`` of one item each."""
        return (states * self.sequence_output(rows)).sum(1) + self.sequence_bias[rows]
