"""Steps that cost as much as their batch, however large the graph: vectors of some rows alone."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from scipy import sparse
from torch import Tensor
from torch.nn import functional as F

from trefoil.data.interactions import Interactions, Ints
from trefoil.encoders.graph import sent
from trefoil.fusion.network.dropout import dropped
from trefoil.fusion.network.module import JointNetwork
from trefoil.fusion.network.negative_sampling import Sampler
from trefoil.fusion.network.vectors import SomeRows, SomeVectors

READ = 0.6  # share of a history that a step reads; the rest is what it has to predict


@dataclass(frozen=True)
class Drawn:
    """A sample that was drawn before the vectors of its items were made."""

    rows: Int[Tensor, " size"]
    correction: Float[Tensor, " size"]

    @classmethod
    def of(cls, sampler: Sampler, rng: np.random.Generator) -> "Drawn":
        return cls(*sampler.draw(rng))

    def draw(self, rng: np.random.Generator) -> tuple[Int[Tensor, " size"], Float[Tensor, " size"]]:
        """The same sample for whoever asks."""
        del rng
        return self.rows, self.correction


@dataclass(frozen=True)
class Part:
    """Vectors of the rows of one step, and which pairs were read."""

    vectors: SomeVectors
    rows: Int[Tensor, " n"]  # items that have vectors
    read: Ints  # user * items + item, ascending
    items: int

    def unread(self, user: Ints, item: Ints) -> np.ndarray:
        """Which pairs the vectors of users do not know."""
        return ~np.isin(user * self.items + item, self.read, assume_unique=False)


@dataclass(frozen=True)
class RowGraph:
    """Who met what: positives, that vectors of users are made of, and all events."""

    met: sparse.csr_matrix
    all_events: sparse.csr_matrix

    @classmethod
    def of(cls, events: Interactions, users: int, items: int) -> "RowGraph":
        """From training events."""
        tables = []
        for rows in (np.flatnonzero(events.positive), np.arange(len(events))):
            ones = np.ones(len(rows), np.float32)
            pairs = events.user[rows], events.item[rows]
            table = sparse.csr_matrix((ones, pairs), shape=(users, items))
            table.sum_duplicates()
            tables.append(table)
        return cls(*tables)

    def part(
        self,
        network: JointNetwork,
        people: Ints,
        drawn: Ints,
        gone: Bool[Tensor, " items"],
        rng: np.random.Generator,
    ) -> Part:
        """Vectors of ``people`` (ascending), of what they met and of ``drawn``.

        A random part of each history is read; what is left can be asked for, as in
        denoising autoencoders (Liang et al. 2018, arXiv:1802.05814).
        """
        users, items = self.met.shape
        device = network.item_bias.device
        met = self.met[people]
        case = np.repeat(np.arange(len(people)), np.diff(met.indptr))
        kept = rng.random(len(case)) < READ
        rows = np.unique(np.concatenate([self.all_events[people].indices, met.indices, drawn]))
        row = torch.from_numpy(rows.astype(np.int64)).to(device)
        base = network.base_of(row, gone[row])
        place = np.searchsorted(rows, met.indices[kept])
        count = np.bincount(case[kept], minlength=len(people))
        weight = np.maximum(count, 1)[case[kept]] ** -0.5
        open_rows = (~gone[row]).float()[:, None]
        place_of = torch.from_numpy(place).to(device)
        told = (sent(base) * open_rows)[place_of]
        told = told * torch.from_numpy(weight.astype(np.float32)).to(device)[:, None]
        summed = base.new_zeros(len(people), base.shape[1])
        summed = summed.index_add(0, torch.from_numpy(case[kept]).to(device), told)
        share = network.config.dropout if network.training else 0.0
        found, unit = dropped(summed, share), F.normalize(dropped(base, share), dim=1)
        person = torch.from_numpy(people.astype(np.int64)).to(device)
        told_users, told_items = SomeRows(found, person, users), SomeRows(unit, row, items)
        read = people[case[kept]].astype(np.int64) * items + met.indices[kept]
        return Part(SomeVectors(told_users, told_items), row, read, items)
