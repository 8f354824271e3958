"""What the recommended lists are like beyond accuracy: reach, novelty, variety, popularity.

Lists are the first k items of each case (``Ranks.top``); places that stay empty
because candidates ran out are left out of every mean.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from trefoil.data.interactions import Interactions, Ints
from trefoil.evaluation.metrics.ranking_metrics import PerCase, split_name
from trefoil.evaluation.ranking import Ranks

Vectors = Any  # float array [items, D], dense or scipy.sparse


@dataclass(frozen=True)
class Background:
    """What the lists are compared with; only the fields that a metric needs must be there.

    ``counts`` [items]: training users of each item. ``text`` and ``graph``
    [items, D]: item vectors, zero rows where nothing is known. ``expected``
    [cases, k]: the lists of a primitive model, usually popularity.
    """

    counts: Ints
    users: int
    text: Vectors | None = None
    graph: Vectors | None = None
    expected: Ints | None = None

    @classmethod
    def of(cls, train: Interactions, users: int, items: int, **more: Any) -> Background:
        """From training events; several of one user with one item count once."""
        pairs = np.unique(train.user[train.positive] * items + train.item[train.positive])
        return cls(np.bincount(pairs % items, minlength=items), users, **more)


def coverage(ranks: Ranks, k: int) -> float:
    """Share of the catalogue that occurs in any list. Ge et al. 2010, "Beyond accuracy"."""
    shown = np.unique(ranks.top[:, :k])
    return float((shown >= 0).sum() / max(ranks.items, 1))


def gini(ranks: Ranks, k: int) -> float:
    """Inequality of exposure: sum_i (2 i - N - 1) x_(i) / (N sum x), x ascending over all N items.

    0 where all items are shown equally often (or none is), near 1 where few
    take everything. Fleder & Hosanagar 2009, "Blockbuster culture's next rise or fall".
    """
    top = ranks.top[:, :k]
    shown = np.sort(np.bincount(top[top >= 0], minlength=ranks.items)).astype(np.float64)
    if shown.sum() == 0:
        return 0.0
    n = len(shown)
    return float(((2 * np.arange(1, n + 1) - n - 1) * shown).sum() / (n * shown.sum()))


def novelty(ranks: Ranks, k: int, known: Background) -> PerCase:
    """Mean self-information -log2(max(c_i, 1) / U) of the items, c_i of U users met item i.

    Vargas & Castells 2011, "Rank and relevance in novelty and diversity". Items
    nobody met count as met once. NaN for an empty list.
    """
    surprise = -np.log2(np.maximum(known.counts, 1) / max(known.users, 1))
    return _mean_over_list(ranks.top[:, :k], surprise)


def popularity(ranks: Ranks, k: int, known: Background) -> PerCase:
    """ARP: mean training count of the items. Abdollahpouri et al. 2019, arXiv:1901.07555."""
    return _mean_over_list(ranks.top[:, :k], known.counts.astype(np.float64))


def serendipity(ranks: Ranks, k: int, known: Background) -> PerCase:
    """#{relevant items in the list that the primitive list lacks} / k. Ge et al. 2010."""
    if known.expected is None:
        raise ValueError("serendipity needs Background.expected, the lists of a primitive model")
    near = ranks.place <= k
    case, item = ranks.case[near], ranks.relevant.item[near]
    expected = (known.expected[case, :k] == item[:, None]).any(axis=1)
    return np.bincount(case[~expected], minlength=len(ranks)) / k


def diversity(ranks: Ranks, k: int, vectors: Vectors) -> PerCase:
    """Mean of 1 - cos(v_i, v_j) over pairs of the list.

    Ziegler et al. 2005, "Improving recommendation lists through topic
    diversification". Items with a zero vector are left out; NaN where fewer than
    two remain. With n unit vectors of sum s: 1 - (|s|^2 - n) / (n (n - 1)).
    """
    norms, unit = _unit(vectors)
    out = np.full(len(ranks), np.nan)
    for row, items in enumerate(ranks.top[:, :k]):
        items = items[items >= 0]
        items = items[norms[items] > 0]
        n = len(items)
        if n > 1:
            total = np.asarray(unit[items].sum(axis=0), np.float64).ravel()
            out[row] = 1.0 - (total @ total - n) / (n * (n - 1))
    return out


OVERALL: Mapping[str, Callable[[Ranks, int], float]] = {"coverage": coverage, "gini": gini}
PER_CASE: Mapping[str, Callable[[Ranks, int, Background], PerCase]] = {
    "novelty": novelty,
    "arp": popularity,
    "serendipity": serendipity,
    "diversity-text": lambda ranks, k, known: diversity(ranks, k, _given(known.text, "text")),
    "diversity-graph": lambda ranks, k, known: diversity(ranks, k, _given(known.graph, "graph")),
}


def measure_lists(
    ranks: Ranks, metrics: Sequence[str], known: Background | None = None
) -> tuple[dict[str, PerCase], dict[str, float]]:
    """Metrics with one value per case, and those with one value for all cases together.

    Raises ValueError for an unknown name, a missing or too deep cut-off, or a
    missing part of ``known``.
    """
    per_case, overall = {}, {}
    for name in metrics:
        stem, k = split_name(name)
        if not 1 <= k <= ranks.k:
            raise ValueError(f"metric {name!r} needs a cut-off of 1..{ranks.k}, as lists are kept")
        if stem in OVERALL:
            overall[name] = OVERALL[stem](ranks, k)
        elif stem not in PER_CASE:
            raise ValueError(
                f"unknown metric {name!r}; known are {', '.join([*OVERALL, *PER_CASE])}"
            )
        elif known is None:
            raise ValueError(f"metric {name!r} needs a Background")
        else:
            per_case[name] = PER_CASE[stem](ranks, k, known)
    return per_case, overall


def _given(vectors: Vectors | None, which: str) -> Vectors:
    if vectors is None:
        raise ValueError(
            f"diversity-{which} needs Background.{which}, the {which} vectors of items"
        )
    return vectors


def _mean_over_list(top: Ints, value: NDArray[np.float64]) -> PerCase:
    filled = top >= 0
    counts = filled.sum(axis=1)
    sums = np.where(filled, value[np.maximum(top, 0)], 0.0).sum(axis=1)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def _unit(vectors: Vectors) -> tuple[NDArray[np.float64], Vectors]:
    if sparse.issparse(vectors):
        norms = np.sqrt(np.asarray(vectors.multiply(vectors).sum(axis=1), np.float64).ravel())
        scale = sparse.diags_array(1.0 / np.where(norms > 0, norms, 1.0))
        return norms, (scale @ vectors).tocsr()
    norms = np.linalg.norm(vectors, axis=1).astype(np.float64)
    return norms, vectors / np.where(norms > 0, norms, 1.0)[:, None]
