"""Learned vectors for users and items: BPR factorisation, and LightGCN as PyG has it."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from trefoil.data.histories import Cases
from trefoil.data.interactions import Interactions
from trefoil.evaluation.baselines.training import (
    Watch,
    distinct_pairs,
    pairwise_loss,
    train_watched,
)

BATCH = 2048  # pairs of one step, or a tenth of all where that is more


class BPR:
    """score_i = u . v_i + b_i, trained so that met items stand above unmet ones.

    Rendle et al. 2009 (arXiv:1205.2618); one uniform negative per pair and
    step, squared norms of the vectors used as penalty. A person never seen gets
    the mean vector of the items in the history.
    """

    name = "bpr"

    def __init__(self, model: _Tables) -> None:
        self.model = model

    @classmethod
    def fit(
        cls,
        train: Interactions,
        users: int,
        items: int,
        *,
        width: int = 64,
        rate: float = 5e-3,
        penalty: float = 1e-2,
        epochs: int = 300,
        watch: Watch | None = None,
        seed: int = 0,
    ) -> BPR:
        """``watch`` takes a scorer and returns its validation value; it stops the training."""
        random = torch.Generator().manual_seed(seed)
        model = _Tables(users, items, width, random)
        scorer = cls(model)
        optimiser = torch.optim.Adam(model.parameters(), rate)
        user, item = distinct_pairs(train.user[train.positive], train.item[train.positive], items)

        def epoch() -> None:
            order = torch.randperm(len(user), generator=random)
            for rows in order.split(max(BATCH, len(order) // 10)):
                other = torch.randint(items, (len(rows),), generator=random)
                u, liked, passed = model.user[user[rows]], model.item[item[rows]], model.item[other]
                loss = pairwise_loss(
                    (u * liked).sum(1) + model.bias[item[rows]],
                    (u * passed).sum(1) + model.bias[other],
                )
                norms = u.square().sum() + liked.square().sum() + passed.square().sum()
                optimiser.zero_grad()
                (loss + penalty * norms / len(rows)).backward()
                optimiser.step()

        look = None if watch is None else lambda: watch(scorer)
        train_watched(model, epoch, look, epochs=epochs, every=5, patience=6)
        return scorer

    @torch.no_grad()
    def score(self, cases: Cases) -> torch.Tensor:
        model = self.model
        return user_vectors(cases, model.user, model.item) @ model.item.T + model.bias


class LightGCN:
    """BPR on vectors averaged over ``layers`` steps of the user-item graph.

    He et al. 2020 (arXiv:2002.02126), through ``torch_geometric.nn.models.LightGCN``.
    The graph holds training events only. Unknown persons as in ``BPR``.
    """

    name = "lightgcn"

    def __init__(self, model: Any, edges: torch.Tensor, users: int) -> None:
        self.model, self.edges, self.users = model, edges, users

    @classmethod
    def fit(
        cls,
        train: Interactions,
        users: int,
        items: int,
        *,
        width: int = 64,
        layers: int = 2,
        rate: float = 5e-3,
        penalty: float = 1e-3,
        epochs: int = 300,
        watch: Watch | None = None,
        seed: int = 0,
    ) -> LightGCN:
        """``watch`` takes a scorer and returns its validation value; it stops the training."""
        from torch_geometric.nn.models import LightGCN as Propagation  # seconds: only if asked

        random = torch.Generator().manual_seed(seed)
        user, item = distinct_pairs(train.user[train.positive], train.item[train.positive], items)
        edges = normalised(user, item + users, users + items)
        model = Propagation(users + items, width, layers, normalize=False)
        with torch.no_grad():
            model.embedding.weight.normal_(0, 0.1, generator=random)
        scorer = cls(model, edges, users)
        optimiser = torch.optim.Adam(model.parameters(), rate)

        def epoch() -> None:
            order = torch.randperm(len(user), generator=random)
            for rows in order.split(max(BATCH, len(order) // 10)):
                other = torch.randint(items, (len(rows),), generator=random) + users
                nodes = torch.stack([user[rows], item[rows] + users, other])
                u, liked, passed = model.get_embedding(edges)[nodes]
                loss = pairwise_loss((u * liked).sum(1), (u * passed).sum(1))
                norms = model.embedding(nodes).square().sum() / len(rows)
                optimiser.zero_grad()
                (loss + penalty * norms).backward()
                optimiser.step()

        look = None if watch is None else lambda: watch(scorer)
        train_watched(model, epoch, look, epochs=epochs, every=5, patience=6)
        return scorer

    @torch.no_grad()
    def score(self, cases: Cases) -> torch.Tensor:
        user, item = self.model.get_embedding(self.edges).tensor_split([self.users])
        return user_vectors(cases, user, item) @ item.T


def normalised(one: torch.Tensor, other: torch.Tensor, nodes: int) -> torch.Tensor:
    """Both directions of the edges as a sparse matrix with weights 1 / sqrt(d_a d_b)."""
    ends = torch.cat([torch.stack([one, other]), torch.stack([other, one])], 1)
    degree = torch.bincount(ends[0], minlength=nodes).clamp(min=1).float()
    weight = (degree[ends[0]] * degree[ends[1]]).rsqrt()
    return torch.sparse_coo_tensor(ends, weight, (nodes, nodes)).coalesce().to_sparse_csr()


def user_vectors(cases: Cases, user: torch.Tensor, item: torch.Tensor) -> torch.Tensor:
    """Learned rows; the mean of item vectors of the history where the user row is -1."""
    rows = torch.from_numpy(cases.user)
    vectors = user[rows.clamp(min=0)].clone()
    for case in torch.nonzero(rows < 0).ravel().tolist():
        start, end = cases.history.start[case], cases.history.start[case + 1]
        met = torch.from_numpy(cases.history.item[start:end])
        vectors[case] = item[met].mean(0) if len(met) else 0.0
    return vectors


class _Tables(nn.Module):
    def __init__(self, users: int, items: int, width: int, random: torch.Generator) -> None:
        super().__init__()
        self.user = nn.Parameter(0.1 * torch.randn(users, width, generator=random))
        self.item = nn.Parameter(0.1 * torch.randn(items, width, generator=random))
        self.bias = nn.Parameter(torch.zeros(items))
