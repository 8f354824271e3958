"""Forms that read a table with a row for each user, and nothing of a history."""

from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from trefoil.data.interactions import Ints
from trefoil.fusion.plan.asked import Asked, Reals
from trefoil.fusion.plan.attributes import AttributeColumn
from trefoil.fusion.plan.sums import sum_of_dense_rows


@dataclass(frozen=True)
class ByAttributes:
    """What people with the same attributes met; the last row is for who is in no table."""

    attributes: sparse.csr_matrix  # users + 1 x attributes
    weights: Reals  # attributes x items
    columns: tuple[AttributeColumn, ...] = ()

    def fill(self, asked: Asked, out: Reals) -> None:
        told = asked.cases.attributes
        own = user_rows(self.attributes, asked.cases.user) if told is None else told
        out[:] = own @ self.weights

    def ordered(self, order: Ints) -> "ByAttributes":
        return replace(self, weights=np.ascontiguousarray(self.weights[:, order]))


@dataclass(frozen=True)
class RatedKernel:
    """What pulls each person's ratings, spread by a covariance of items; nobody else's."""

    pull: sparse.csr_matrix  # users x kept
    kernel: Reals  # kept x kept
    kept: Ints
    items: int
    columns: Ints | None = None  # where the kept items stand among the scored ones

    def own(self, user: Ints, place: Ints | None = None) -> Reals:
        """Expected ratings above those of everybody [cases, kept]; zero for user -1.

        Of all kept items, or of those at these places among them.
        """
        rows = user_rows(self.pull, np.maximum(user, 0))
        if place is not None and isinstance(rows, OneRow):
            cells = self.kernel[rows.indices[:, None], place]
            found = (rows.data @ cells)[None].astype(np.float32)
        else:
            found = np.asarray(rows @ self.kernel, np.float32)
            found = found if place is None else found[:, place]
        found[user < 0] = 0.0
        return found

    def fill(self, asked: Asked, out: Reals) -> None:
        out[:] = 0.0
        out[:, self.kept if self.columns is None else self.columns] = self.own(asked.cases.user)

    def ordered(self, order: Ints) -> "RatedKernel":
        position = np.empty(len(order), np.int64)
        position[order] = np.arange(len(order))
        return replace(self, columns=position[self.kept])


@runtime_checkable
class Product(Protocol):
    """Sparse rows that a dense table is multiplied by."""

    def __matmul__(self, table: Reals) -> NDArray[Any]: ...


@dataclass(frozen=True)
class OneRow:
    """One sparse row: few entries, whose rows of a table are added up."""

    indices: NDArray[Any]
    data: NDArray[Any]

    def __matmul__(self, table: Reals) -> NDArray[Any]:
        return sum_of_dense_rows(table, self.indices, self.data)[None]


def user_rows(table: Any, user: Ints) -> Product:
    """The rows of these users of a sparse table; -1 is the last one."""
    if len(user) != 1:
        return table[user]
    row = int(user[0]) % table.shape[0]
    span = slice(table.indptr[row], table.indptr[row + 1])
    return OneRow(table.indices[span], table.data[span])
