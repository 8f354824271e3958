"""How the linear model is fitted: the closed form, and a search for its few hyperparameters."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from trefoil.evaluation.baselines.linear import with_diagonal
from trefoil.fusion.features.training_data import TrainingData, most_met
from trefoil.fusion.models.fitting import FitInputs, Search, climb
from trefoil.fusion.models.linear import Linear
from trefoil.fusion.models.linear_rows import (
    ROWS,
    add_gram,
    event_ridge,
    event_rows,
    fact_rows,
    gram,
    linear_blocks,
)

RIDGES = (30.0, 60.0, 120.0, 250.0, 500.0, 1000.0)
FACT_WEIGHTS = (1.0, 2.0, 3.0)
TEXT_WEIGHTS = (2.0, 4.0, 6.0)
SEARCH_ITEMS = 3000  # that the search for the numbers looks at


def fit_linear(given: FitInputs) -> tuple[Linear, dict[str, float]]:
    """Ridge, weight of facts and of texts, over the items that take part."""
    known, search = given.known, given.search
    if search.given is None:
        chosen = _search_linear(known, search)
    else:
        chosen = {n: v for n, v in search.given["linear"].items() if n != "ndcg"}
    kept = most_met(known.matrix, given.settings.linear.max_items)
    if len(kept) > SEARCH_ITEMS:
        base_model = whole_linear(known, chosen, kept)
    else:
        base_model = solve_linear(linear_blocks(known, kept), chosen, kept, known.matrix.shape[1])
    return base_model, {**chosen, "ndcg": search.mark(base_model)}


def fit_linear_recent(given: FitInputs) -> tuple[Linear, dict[str, float]]:
    """The linear model asked about the recent past; its decay by validation."""
    linear, search = given.earlier["linear"], given.search
    assert isinstance(linear, Linear)
    decays = search.values("linear-recent", "decay", given.settings.linear.decays)
    base_model, mark = search.best([replace(linear, decay=decay) for decay in decays])
    return base_model, {"decay": base_model.decay, "ndcg": mark}


def rounded_(weights: Tensor) -> Tensor:
    """As a run stores them, in half precision; in place."""
    for part in weights.split(ROWS):
        part.copy_(part.half())
    return weights


def _search_linear(known: TrainingData, search: Search) -> dict[str, float]:
    """Ridge, weight of facts and of texts by coordinate search.

    The search looks at the items with most events, because a solution costs the
    cube of the items; the numbers found are then used for all that take part.
    """
    grids: dict[str, tuple[float, ...]] = {"ridge": RIDGES}
    chosen = {"ridge": start_ridge(known)}
    if known.facts is not None:
        grids["facts"], chosen["facts"] = FACT_WEIGHTS, 2.0
    if known.text is not None:
        grids["text"], chosen["text"] = TEXT_WEIGHTS, 4.0
    small = most_met(known.matrix, SEARCH_ITEMS)
    tried: dict[tuple[float, ...], float] = {}
    blocks = linear_blocks(known, small)

    def mark(choice: dict[str, float]) -> float:
        key = tuple(choice.values())
        if key not in tried:
            tried[key] = search.mark(solve_linear(blocks, choice, small, known.matrix.shape[1]))
        return tried[key]

    for name, grid in grids.items():
        place = int(np.argmin([abs(np.log(value / chosen[name])) for value in grid]))
        chosen[name] = climb(grid, place, lambda value, n=name: mark(chosen | {n: value}))
    return chosen


def solve_linear(
    blocks: Mapping[str, Tensor], chosen: Mapping[str, float], kept: np.ndarray, items: int
) -> Linear:
    """The closed form for these weights, rounded as a run stores it."""
    total = torch.zeros_like(blocks["events"])
    for name, block in blocks.items():
        total.add_(block, alpha=chosen.get(name, 1.0) ** 2)
    return _solved(total, chosen, kept, items)


def whole_linear(known: TrainingData, chosen: Mapping[str, float], kept: np.ndarray) -> Linear:
    """``solve_linear`` of ``linear_blocks``, added up in one table: for many items."""
    rows = event_rows(known)[:, kept]
    total = gram(rows)
    total.diagonal().add_(torch.from_numpy(event_ridge(known, rows)))
    if known.facts is not None:
        add_gram(total, fact_rows(known.facts.matrix)[:, kept], chosen.get("facts", 1.0) ** 2)
    if known.text is not None:
        add_gram(total, known.text.vectors.T.numpy()[:, kept], chosen.get("text", 1.0) ** 2)
    return _solved(total, chosen, kept, known.matrix.shape[1])


def _solved(total: Tensor, chosen: Mapping[str, float], kept: np.ndarray, items: int) -> Linear:
    """The closed form of a Gram matrix, whose memory is used."""
    weights, diagonal = with_diagonal(total, chosen["ridge"])
    rows = _row_weights(chosen)
    return Linear(
        rounded_(weights), kept, items, ridge=chosen["ridge"], rows=rows, diagonal=diagonal.float()
    )


def _row_weights(chosen: Mapping[str, float]) -> dict[str, float]:
    """The weights of the rows of facts and texts that took part."""
    return {name: chosen[name] for name in ("facts", "text") if name in chosen}


def start_ridge(known: TrainingData) -> float:
    """A first guess of the ridge: it grows with the events of an item."""
    per_item = known.matrix.nnz / max(1, int((known.matrix.sum(0) > 0).sum()))
    return float(np.clip(8 * per_item, RIDGES[0], RIDGES[-1]))
