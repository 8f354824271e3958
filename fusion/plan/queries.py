"""What a case is to a matrix of items: one vector, made from its history or looked up."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from trefoil.data.interactions import Ints
from trefoil.fusion.plan.asked import Asked, Reals, summed_rows
from trefoil.fusion.plan.sequence import Transformer

LEAST = 1e-12  # length under which a vector is not scaled to length one


@runtime_checkable
class Query(Protocol):
    """Makes the vector of each case that a matrix of items is multiplied by."""

    def of(self, asked: Asked) -> Reals:
        """Vectors [cases, width]."""
        ...


@dataclass(frozen=True)
class Summed:
    """The vectors of the items of a history, added up."""

    vectors: Reals  # items x width

    def of(self, asked: Asked) -> Reals:
        return summed_rows(self.vectors, asked, asked.weight())


@dataclass(frozen=True)
class Decayed:
    """The same, the r-th newest event weighing ``exp(-r / decay)``."""

    vectors: Reals  # items x width
    decay: float

    def of(self, asked: Asked) -> Reals:
        return summed_rows(self.vectors, asked, asked.weight(self.decay))


@dataclass(frozen=True)
class Solved:
    """The vector that explains a history best, given those of the items (implicit ALS).

    ``(M^T M + ridge I + alpha V^T V) x = (1 + alpha) V^T 1`` over the vectors V of the
    items of a history. Hu et al. 2008, doi:10.1109/ICDM.2008.22.
    """

    items: Reals  # items x width
    ridge: float
    alpha: float

    @cached_property
    def _base(self) -> Reals:
        width = self.items.shape[1]
        return self.items.T @ self.items + np.float32(self.ridge) * np.eye(width, dtype=np.float32)

    def left(self, own: Reals) -> Reals:
        """The left side of the system, for the vectors of the items of a history."""
        return self._base + np.float32(self.alpha) * (own.T @ own)

    def of(self, asked: Asked) -> Reals:
        found = np.zeros((len(asked), self.items.shape[1]), np.float32)
        right = np.float32(1 + self.alpha)
        for case in range(len(asked)):
            own = self.items[asked.item[asked.of(case)]]
            if len(own):
                found[case] = np.linalg.solve(self.left(own), right * own.sum(0))
        return found


@dataclass(frozen=True)
class Scenario:
    """What one column of the context does to a user's vector: a scale and a shift per value."""

    scale: Reals  # values x width
    shift: Reals


@dataclass(frozen=True)
class Propagated:
    """A user's vector of a propagation network; of others, what their history would send.

    The vector in its context is scaled to length one, then by ``1 / temperature``; the last
    place is one, for the bias of the items.
    """

    users: Reals  # users x width; zero where nothing was learned
    folded: Reals  # items x width: what an item of a history sends
    temperature: float
    scenarios: Mapping[str, Scenario]

    def learned(self, user: int) -> bool:
        """Whether a user (row, -1 for nobody) has a vector that training gave."""
        return user >= 0 and bool(self.users[user].any())

    def of(self, asked: Asked) -> Reals:
        user = asked.cases.user
        vectors = self.users[np.maximum(user, 0)]
        fresh = np.flatnonzero((user < 0) | ~vectors.any(1))
        if len(fresh):
            weight = np.maximum(asked.cases.history.lengths, 1) ** -0.5
            sent = summed_rows(self.folded, asked, weight[asked.case].astype(np.float32))
            vectors[fresh] = sent[fresh]
        vectors = self._in_context(vectors, asked.cases.scenario)
        length = np.maximum(np.sqrt(np.square(vectors).sum(1, keepdims=True)), np.float32(LEAST))
        return with_one(vectors / (length * np.float32(self.temperature)))

    def _in_context(self, vectors: Reals, told: Mapping[str, Ints]) -> Reals:
        """``u (1 + f(s)) + g(s)``; a value never seen (-1) leaves the vector as it is."""
        scaled, shifted = vectors, np.zeros_like(vectors)
        for column, codes in told.items():
            if column not in self.scenarios:
                continue
            own, known = self.scenarios[column], (codes >= 0)[:, None]
            rows = np.maximum(codes, 0)
            scaled = scaled + known * vectors * own.scale[rows]
            shifted = shifted + known * own.shift[rows]
        return scaled + shifted


@dataclass(frozen=True)
class Newest:
    """The state of a Transformer after the newest event; zero without one.

    The last place is one, for the bias of the items.
    """

    network: Transformer
    events: Reals  # items x width: vectors that the network reads

    def of(self, asked: Asked) -> Reals:
        return with_one(self.network.newest(self.events, asked.cases.history))


@dataclass(frozen=True)
class Averaged:
    """Several queries over matrices side by side, each divided by the spread of its scores.

    So the product with all of them is the mean of z-scores, up to a constant of the case.
    """

    parts: tuple[Query, ...]
    covariances: tuple[NDArray[np.float64], ...]  # of each matrix, over the items in training

    def of(self, asked: Asked) -> Reals:
        found = []
        for query, covariance in zip(self.parts, self.covariances, strict=True):
            own = query.of(asked)
            spread = np.sqrt(np.maximum(((own @ covariance) * own).sum(1, keepdims=True), 0))
            found.append(own / (len(self.parts) * np.maximum(spread, 1e-6)))
        return np.concatenate(found, axis=1).astype(np.float32)


def with_one(vectors: Reals) -> Reals:
    """The vectors with a last place of one."""
    return np.concatenate([vectors, np.ones((len(vectors), 1), np.float32)], axis=1)
