"""The linear model for items that came after training: the closed form, one block larger."""

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import torch
from scipy import sparse
from scipy.sparse import linalg
from torch import Tensor

from trefoil.data.interactions import Ints
from trefoil.fusion.features.training_data import TrainingData
from trefoil.fusion.models.linear_rows import event_ridge, event_rows, fact_scale

log = logging.getLogger(__name__)

Rows = Any  # any x items, sparse or dense
TOLERANCE, MOST_STEPS = 1e-8, 1000  # of conjugate gradients
CHUNK = 1024  # rows multiplied by the weights at once


def grown_weights(
    weights: Tensor,
    inverse: Tensor,
    kept: np.ndarray,
    ridge: float,
    blocks: Mapping[str, float],
    known: TrainingData,
    fresh: np.ndarray,
) -> tuple[Tensor, Tensor]:
    """The weights [kept, kept] with columns and rows for the items ``fresh`` of ``known``.

    ``blocks`` are the weights of the rows of facts and texts that they were solved with, and
    ``inverse`` [kept] is the diagonal of ``(G + ridge)^-1``, which is returned longer as well.

    With G the Gram matrix of the old items, C its block between old and new, and
    N that of the new ones, ``X = (G + ridge)^-1 C`` and the Schur complement
    ``S = N + ridge I - C^T X`` give the new blocks of the inverse: what solving the
    larger system anew would give for the new columns and rows. Weights between
    old items stay as they are, so old items keep their scores.
    """
    old_rows, new_rows = (stacked(known, blocks, columns) for columns in (kept, fresh))
    old_ridge = ridge + event_ridge(known, old_rows[0])
    pairs = zip(old_rows, new_rows, strict=True)
    cross = _sum(_dense(old.T @ new) for old, new in pairs)
    inner = _sum(_dense(new.T @ new) for new in new_rows) + ridge * np.eye(len(fresh))

    def regular(x: np.ndarray) -> np.ndarray:
        return _sum(rows.T @ (rows @ x) for rows in old_rows) + (old_ridge * x.T).T

    size = _sum(_squares(rows) for rows in old_rows) + old_ridge
    solved = solved_together(regular, cross, size)
    schur = np.linalg.inv(inner - cross.T @ solved)
    across = solved @ schur  # minus the block between old and new of the inverse
    longer = np.concatenate([inverse.numpy() + (across * solved).sum(1), np.diag(schur)])
    count = len(kept)
    extended = np.zeros((count + len(fresh),) * 2, np.float32)
    extended[:count, :count] = weights.numpy()
    extended[:count, count:] = across / np.diag(schur)
    extended[count:, :count] = (across / longer[:count, None]).T
    extended[count:, count:] = -schur / np.diag(schur)
    np.fill_diagonal(extended, 0.0)
    as_stored = torch.from_numpy(extended).half().float()
    return as_stored, torch.from_numpy(longer.astype(np.float32))


def without(weights: Tensor, inverse: Tensor, stay: Ints, goes: Ints) -> Tensor:
    """The diagonal ``inverse`` of the places that stay, once the items of others are gone."""
    told = inverse.numpy().astype(np.float64)
    across, own = (-weights.numpy()[np.ix_(rows, goes)] * told[goes] for rows in (stay, goes))
    np.fill_diagonal(own, told[goes])
    left = told[stay] - (across * np.linalg.solve(own, across.T).T).sum(1)
    return torch.from_numpy(left.astype(np.float32))


def inverse_diagonal(
    weights: Tensor,
    kept: np.ndarray,
    ridge: float,
    blocks: Mapping[str, float],
    known: TrainingData,
) -> Tensor:
    """The diagonal of ``P = (G + ridge)^-1`` from the weights ``W = I - P / diag(P)``.

    ``(G + ridge) P = I`` makes ``1 / P_jj`` the diagonal of G with its ridge, less that of G W.
    """
    rows = stacked(known, blocks, kept)
    size = _sum(_squares(one) for one in rows) + ridge + event_ridge(known, rows[0])
    unit = _sum(_product_diagonal(one, weights.numpy()) for one in rows)
    return torch.from_numpy((1 / (size - unit)).astype(np.float32))


def stacked(known: TrainingData, weights: Mapping[str, float], columns: np.ndarray) -> list[Rows]:
    """The rows that the model learned from, for these items: events, facts and texts."""
    rows: list[Rows] = [event_rows(known)[:, columns].astype(np.float64)]
    if known.facts is not None and "facts" in weights:
        scale = weights["facts"] * fact_scale(known.facts.matrix[: known.learned])
        rows.append((known.facts.matrix[columns] @ sparse.diags(scale)).T.tocsr())
    if known.text is not None and "text" in weights:
        rows.append(weights["text"] * known.text.vectors.numpy()[columns].T.astype(np.float64))
    return rows


def solved_together(
    product: Callable[[np.ndarray], np.ndarray], right: np.ndarray, diagonal: np.ndarray
) -> np.ndarray:
    """X with ``A X = right`` for a positive definite A: all columns as one system.

    Conjugate gradients of scipy, preconditioned by the diagonal. The ridge bounds the
    condition of A, so tens of steps are enough; a warning says where a thousand are not.
    """
    shape, size = right.shape, (right.size, right.size)

    def system(x: np.ndarray) -> np.ndarray:
        return product(x.reshape(shape)).ravel()

    def scaled(x: np.ndarray) -> np.ndarray:
        return (x.reshape(shape) / diagonal[:, None]).ravel()

    operators = [linalg.LinearOperator(size, one, dtype=np.float64) for one in (system, scaled)]
    found, short = linalg.cg(
        operators[0], right.ravel(), rtol=TOLERANCE, maxiter=MOST_STEPS, M=operators[1]
    )
    if short:
        log.warning("new items: %d steps did not solve their system; scores may be off", MOST_STEPS)
    return found.reshape(shape)


def _product_diagonal(rows: Rows, weights: np.ndarray) -> np.ndarray:
    """The diagonal of ``rows^T rows weights``."""
    total = np.zeros(len(weights))
    for start in range(0, rows.shape[0], CHUNK):
        part = rows[start : start + CHUNK]
        scores = np.asarray(part @ weights)
        weighed = part.multiply(scores) if sparse.issparse(part) else part * scores
        total += np.asarray(weighed.sum(0)).ravel()
    return total


def _squares(rows: Rows) -> np.ndarray:
    squared = rows.multiply(rows) if sparse.issparse(rows) else rows * rows
    return np.asarray(squared.sum(0)).ravel()


def _dense(part: Rows) -> np.ndarray:
    return part.toarray() if sparse.issparse(part) else part


def _sum(parts: Iterable[np.ndarray]) -> np.ndarray:
    first, *rest = parts
    for part in rest:
        first = first + part
    return first
