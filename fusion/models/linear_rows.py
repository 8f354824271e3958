"""The rows that the linear model is learned from: events, facts and texts, and their products."""

from typing import Any

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from trefoil.fusion.features.training_data import TrainingData

ROWS = 1024  # of a table of pairs, made at once
DROPPED = 0.6  # p / (1 - p): shares p of the events that dense rows are learned to do without


def event_rows(known: TrainingData) -> sparse.csr_matrix:
    """The events [users, items] as the closed form reads them.

    Where people have many, users' rows are scaled by ``n^-1/4`` for n events, so that
    a user's squares weigh ``n^-1/2``; all squares still add up to the events.
    """
    if not known.dense:
        return known.matrix
    counts = np.diff(known.matrix.indptr)
    scale = np.maximum(counts, 1) ** -0.25
    scale *= np.sqrt(counts.sum() / (scale**2 * counts).sum())
    return (sparse.diags(scale) @ known.matrix).tocsr().astype(np.float32)


def event_ridge(known: TrainingData, rows: sparse.csr_matrix) -> np.ndarray:
    """What the diagonal gains for the items of ``rows``, columns of ``event_rows``.

    Where people have many events: what learning with dropout of events comes to
    (EDLAE, Steck 2020, "Autoencoders that don't overfit towards the identity").
    """
    share = DROPPED if known.dense else 0.0
    return share * np.asarray(rows.multiply(rows).sum(0), np.float64).ravel()


def fact_rows(facts: sparse.csr_matrix) -> sparse.csr_matrix:
    """Facts as extra rows [facts, items], weighted by ``fact_scale``."""
    return (facts @ sparse.diags(fact_scale(facts))).T.tocsr().astype(np.float32)


def fact_scale(facts: sparse.csr_matrix) -> np.ndarray:
    """``1 / sqrt(items that share it)`` for each fact."""
    return np.maximum(np.asarray(facts.sum(0)).ravel(), 1) ** -0.5


def gram(*rows: sparse.spmatrix | np.ndarray) -> Tensor:
    """``sum X^T X`` over stacked row blocks [any, items], as a dense float32 tensor."""
    if not rows:
        raise ValueError("no rows to learn from")
    total = torch.zeros(rows[0].shape[1], rows[0].shape[1])
    for block in rows:
        add_gram(total, block)
    return total


def add_gram(total: Tensor, block: Any, weight: float = 1.0) -> None:
    """Add ``weight X^T X`` in place, some rows at a time: no second table of all pairs is made."""
    turned: Any = block.T.tocsr() if sparse.issparse(block) else block.T
    for start in range(0, len(total), ROWS):
        part: Any = (turned[start : start + ROWS] @ block).astype(np.float32)
        dense = part.toarray() if sparse.issparse(part) else np.asarray(part)
        total[start : start + ROWS].add_(torch.from_numpy(dense), alpha=weight)


def linear_blocks(known: TrainingData, kept: np.ndarray) -> dict[str, Tensor]:
    """Gram matrices [kept, kept] of events (with ``event_ridge``), facts and texts."""
    rows = event_rows(known)[:, kept]
    blocks = {"events": gram(rows)}
    blocks["events"].diagonal().add_(torch.from_numpy(event_ridge(known, rows)))
    if known.facts is not None:
        blocks["facts"] = gram(fact_rows(known.facts.matrix)[:, kept])
    if known.text is not None:
        blocks["text"] = gram(known.text.vectors.T.numpy()[:, kept])
    return blocks
