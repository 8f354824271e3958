"""Light relational propagation over fixed sparse edges."""

import warnings
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from scipy import sparse
from torch import Tensor, nn
from torch_geometric.nn import MessagePassing

# torch says once that sparse products are in beta and unchecked: no news for who trains with them.
warnings.filterwarnings("ignore", message="Sparse (CSR tensor support|invariant checks)")


class _Product(torch.autograd.Function):
    """``y = A x`` for a constant A with a kept transpose, so backward is one product too."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, forth: Tensor, back: Tensor) -> Tensor:
        ctx.back = back
        return forth @ x

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        return ctx.back @ grads[0].contiguous(), None, None


class FixedEdges(MessagePassing):
    """Message passing over constant weighted edges: one sparse product each way.

    ``matrix`` is [targets, sources]. PyG's fused form (``message_and_aggregate``)
    with a kept transpose needs neither scatter kernels nor a sort in backward.
    """

    def __init__(self, matrix: sparse.spmatrix) -> None:
        super().__init__(aggr="sum")
        for name, part in (("forth", matrix.tocsr()), ("back", matrix.T.tocsr())):
            part.sort_indices()
            for piece, dtype in (("indptr", np.int64), ("indices", np.int64), ("data", np.float32)):
                array = torch.from_numpy(getattr(part, piece).astype(dtype))
                self.register_buffer(f"{name}_{piece}", array, persistent=False)
        self.rows, self.columns = matrix.shape

    def forward(self, x: Float[Tensor, "sources D"]) -> Float[Tensor, "targets D"]:
        return self.propagate(self._csr("forth", (self.rows, self.columns)), x=(x, None))

    def message_and_aggregate(self, edge_index: Tensor, x: tuple[Tensor, None]) -> Tensor:
        return _Product.apply(x[0], edge_index, self._csr("back", (self.columns, self.rows)))

    def _csr(self, name: str, shape: tuple[int, int]) -> Tensor:
        parts = (getattr(self, f"{name}_{piece}") for piece in ("indptr", "indices", "data"))
        return torch.sparse_csr_tensor(*parts, size=shape, check_invariants=False)


class FactMean(nn.Module):
    """The entity vectors of each item's facts, weighted by relation and averaged.

    ``y_i = sum_f a_r(f) e_f / sqrt(d_i)`` over the d_i facts f of item i: one
    learned scalar a_r >= 0 per relation and direction. After the light relation
    weights of LightKG (KDD 2025); attention brought nothing here.
    """

    def __init__(self, facts: sparse.spmatrix, relation: np.ndarray, entity: np.ndarray) -> None:
        super().__init__()
        degree = np.maximum(np.asarray(facts.sum(1)).ravel(), 1)
        self.facts = FixedEdges(sparse.diags(degree**-0.5) @ facts)
        ones, rows = np.ones(len(entity), np.float32), np.arange(len(entity))
        entities = int(entity.max(initial=-1)) + 1
        self.ends = FixedEdges(sparse.csr_matrix((ones, (rows, entity)), (len(rows), entities)))
        relations = int(relation.max(initial=-1)) + 1
        self.kinds = FixedEdges(sparse.csr_matrix((ones, (rows, relation)), (len(rows), relations)))
        self.weight = nn.Parameter(torch.full((relations, 1), 0.5413))  # softplus gives 1

    def forward(self, entities: Float[Tensor, "entities D"]) -> Float[Tensor, "items D"]:
        scale = self.kinds(nn.functional.softplus(self.weight))  # facts x 1
        return self.facts(scale * self.ends(entities))

    def of_rows(
        self, entities: Float[Tensor, "entities D"], rows: Int[Tensor, " n"]
    ) -> Float[Tensor, "n D"]:
        """The same for some items alone, at the cost of their facts."""
        pointers: Tensor = self.facts.forth_indptr  # type: ignore[assignment]
        first, count = pointers[rows], pointers[rows + 1] - pointers[rows]
        start = count.cumsum(0) - count
        at = torch.arange(int(count.sum()), device=rows.device)
        at = at + torch.repeat_interleave(first - start, count)
        fact, share = self.facts.forth_indices[at], self.facts.forth_data[at]  # type: ignore[index]
        entity, relation = self.ends.forth_indices[fact], self.kinds.forth_indices[fact]  # type: ignore[index]
        scale = nn.functional.softplus(self.weight)[relation, 0] * share
        return nn.functional.embedding_bag(
            entity, entities, start, mode="sum", per_sample_weights=scale
        )


class HistoryMean(nn.Module):
    """Vectors of users are what the items of their histories send; those of items stay.

    An item sends its vector and the unit vector of its direction; a user with n of them gets
    the sum over ``sqrt(n)``. One product, and none that a step of training needs for everybody.
    """

    def __init__(self, events: sparse.spmatrix) -> None:
        super().__init__()
        users = np.maximum(np.asarray(events.sum(1)).ravel(), 1)
        self.to_users = FixedEdges(sparse.diags(users**-0.5) @ events)

    def forward(
        self, items: Float[Tensor, "items D"], gone: Bool[Tensor, " items"]
    ) -> Float[Tensor, "users D"]:
        """Vectors of users. Items in ``gone`` send nothing."""
        return self.to_users(sent(items).masked_fill(gone[:, None], 0.0))


def sent(items: Float[Tensor, "n D"]) -> Float[Tensor, "n D"]:
    """What items send to who met them."""
    return items + nn.functional.normalize(items, dim=1)


class LightPropagation(nn.Module):
    """LightGCN (He et al. 2020, arXiv:2002.02126): layer mean over the user-item graph."""

    def __init__(self, events: sparse.spmatrix, layers: int) -> None:
        super().__init__()
        users = np.maximum(np.asarray(events.sum(1)).ravel(), 1)
        items = np.maximum(np.asarray(events.sum(0)).ravel(), 1)
        normal = sparse.diags(users**-0.5) @ events @ sparse.diags(items**-0.5)
        self.to_users = FixedEdges(normal)
        self.to_items = FixedEdges(normal.T)
        self.layers = layers

    def forward(
        self,
        users: Float[Tensor, "users D"],
        items: Float[Tensor, "items D"],
        gone: Bool[Tensor, " items"] | None = None,
    ) -> tuple[Float[Tensor, "users D"], Float[Tensor, "items D"]]:
        """Vectors of users and items. Items in ``gone`` send and receive nothing."""
        user_sum, item_sum = users, items
        for _ in range(self.layers):
            if gone is not None:
                items = items.masked_fill(gone[:, None], 0.0)
            users, items = self.to_users(items), self.to_items(users)
            if gone is not None:
                items = items.masked_fill(gone[:, None], 0.0)
            user_sum, item_sum = user_sum + users, item_sum + items
        return user_sum / (self.layers + 1), item_sum / (self.layers + 1)
