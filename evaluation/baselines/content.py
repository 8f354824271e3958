"""Neighbours by what items are: texts, graph facts, or the context of past events."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from scipy import sparse

from trefoil.data.histories import Cases
from trefoil.data.interactions import Interactions
from trefoil.evaluation.baselines.neighbours import BLOCK, keep_largest
from trefoil.evaluation.baselines.popularity import Popularity


class TextNeighbours:
    """score_i = sum over history j of max(cos(v_i, v_j), 0), of the k items j nearest to i.

    ``vectors`` [items, D] are centred on the items that have a text; a zero row
    means no text and scores 0. Content-based filtering after Lops et al. 2011,
    "Content-based recommender systems: state of the art and trends".
    """

    name = "text-neighbours"

    def __init__(self, similar: Any) -> None:
        self.similar = similar  # history item x scored item

    @classmethod
    def fit(
        cls, train: Interactions, users: int, items: int, *, vectors: np.ndarray, k: int = 100
    ) -> TextNeighbours:
        del train, users
        _check(vectors, items)
        known = np.abs(vectors).sum(axis=1) > 0
        centred = np.where(known[:, None], vectors - vectors[known].mean(axis=0), 0.0)
        norms = np.linalg.norm(centred, axis=1, keepdims=True)
        unit = (centred / np.where(norms > 0, norms, 1.0)).astype(np.float32)
        return cls(_nearest_by(unit, unit, k))

    def score(self, cases: Cases) -> torch.Tensor:
        history = cases.history.matrix(self.similar.shape[0])
        return torch.from_numpy((history @ self.similar).toarray().astype(np.float32))


class GraphNeighbours(TextNeighbours):
    """The same over graph facts a, weighted by idf_f = log(N / df_f).

    s_ji = a_j . a_i / (|a_j| |a_i|^length): ``length`` 1 is the cosine; 0 prefers
    items of which the graph says more. ``features`` is sparse [items, facts],
    non-zero where an item has a fact (a relation, a direction and an entity). Di
    Noia et al. 2012, "Linked open data to support content-based recommender systems".
    """

    name = "graph-neighbours"

    @classmethod
    def fit(
        cls,
        train: Interactions,
        users: int,
        items: int,
        *,
        features: Any,
        k: int = 100,
        length: float = 1.0,
    ) -> GraphNeighbours:
        del train, users
        _check(features, items)
        facts: Any = sparse.csr_matrix(features, dtype=np.float32, copy=True)
        facts.data[:] = 1.0
        weighted = facts @ sparse.diags_array(idf(facts))
        norms = np.sqrt(np.asarray(weighted.multiply(weighted).sum(axis=1)).ravel())
        norms = np.where(norms > 0, norms, 1.0)
        asked = sparse.diags_array(norms**-length) @ weighted
        met = sparse.diags_array(1.0 / norms) @ weighted
        return cls(_nearest_by(asked.tocsr().astype(np.float32), met.tocsr().astype(np.float32), k))


class ContextHistory:
    """score_i = sum over past events of i of exp(pull * m), m scenario columns equal to now.

    Pull 0 is the case's own frequency of items. Popularity, scaled below one
    event, orders what was never met. Reference for data in which people return
    to items; needs no learning.
    """

    name = "context-history"

    def __init__(self, popular: torch.Tensor, pull: float) -> None:
        self.popular, self.pull = popular, pull

    @classmethod
    def fit(
        cls, train: Interactions, users: int, items: int, *, pull: float = 1.0
    ) -> ContextHistory:
        counts = Popularity.fit(train, users, items).weight
        return cls(0.5 * counts / counts.max().clamp(min=1), pull)

    def score(self, cases: Cases) -> torch.Tensor:
        return history_in_context(cases, len(self.popular), self.pull) + self.popular


def idf(features: Any) -> np.ndarray:
    """log(items / items that share it) for each column of 0/1 ``features`` [items, any]."""
    shared = np.maximum(np.asarray(features.sum(axis=0)).ravel(), 1)
    return np.log(features.shape[0] / shared)


def history_in_context(cases: Cases, items: int, pull: float) -> torch.Tensor:
    """Past events of each case [cases, items], exp(pull * m) each, m scenario columns as now."""
    history = cases.history
    equal = np.zeros(len(history.item), np.float32)
    for name in cases.scenario.keys() & history.scenario.keys():
        now = np.repeat(cases.scenario[name], history.lengths)
        equal += (history.scenario[name] == now) & (now >= 0)
    return torch.from_numpy(history.matrix(items, np.exp(pull * equal)).toarray())


def _check(features: Any, items: int) -> None:
    if features.shape[0] != items:
        raise ValueError(f"features have {features.shape[0]} rows, there are {items} items")


def _nearest_by(asked: Any, met: Any, k: int) -> Any:
    """Transposed k-nearest matrix: row j, column i holds the similarity of i to its neighbour j."""
    blocks = []
    for first in range(0, asked.shape[0], BLOCK):
        rows = np.arange(first, min(first + BLOCK, asked.shape[0]))
        near = asked[rows] @ met.T
        near = np.asarray(near.toarray() if sparse.issparse(near) else near, np.float32)
        near[np.arange(len(rows)), rows] = 0.0
        blocks.append(keep_largest(sparse.csr_matrix(near), k))
    return sparse.csr_matrix(sparse.vstack(blocks)).T.tocsr()
