"""Accuracy of ranked lists: one value per case, from the places of the relevant items.

Every metric takes ``Ranks`` and a cut-off ``k`` and returns float64 [cases].
Places already obey the one tie rule (``evaluation.ranking``), so ties need no
further rule here. A case always wants at least one item (protocols leave the
others out); on an empty exam the result is empty and its mean is NaN.
``p_j`` is the place of relevant item j, ``W`` the number relevant, ``C`` the number
of candidates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from trefoil.evaluation.ranking import Ranks

PerCase = NDArray[np.float64]


def recall(ranks: Ranks, k: int) -> PerCase:
    """#{j: p_j <= k} / W. Shani & Gunawardana 2011, "Evaluating recommendation systems"."""
    return _hits(ranks, k) / ranks.counts


def precision(ranks: Ranks, k: int) -> PerCase:
    """#{j: p_j <= k} / k, also where fewer than k candidates exist. Shani & Gunawardana 2011."""
    return _hits(ranks, k) / k


def hit(ranks: Ranks, k: int) -> PerCase:
    """1 if any p_j <= k, else 0. Deshpande & Karypis 2004, "Item-based top-N"."""
    return (_hits(ranks, k) > 0).astype(np.float64)


def ndcg(ranks: Ranks, k: int) -> PerCase:
    """DCG / ideal DCG, with DCG = sum_{p_j <= k} 1/log2(1 + p_j).

    The ideal is sum_{r <= min(W, k)} 1/log2(1 + r): all W relevant items first,
    whether retrieved or not. Järvelin & Kekäläinen 2002, "Cumulated gain-based
    evaluation", with binary gains.
    """
    gain = np.where(ranks.place <= k, 1.0 / np.log2(1.0 + ranks.place), 0.0)
    ideal = np.concatenate([[0.0], np.cumsum(1.0 / np.log2(np.arange(2, k + 2)))])
    return _per_case(ranks, gain) / ideal[np.minimum(ranks.counts, k)]


def mrr(ranks: Ranks, k: int) -> PerCase:
    """1 / min_j p_j if that is <= k, else 0. Voorhees 1999, TREC-8 question answering."""
    first = _first(ranks)
    return np.where(first <= k, 1.0 / first, 0.0)


def average_precision(ranks: Ranks, k: int) -> PerCase:
    """sum_{p_j <= k} (#{i: p_i <= p_j} / p_j) / min(W, k): MAP is its mean over cases.

    Manning, Raghavan & Schütze 2008, "Introduction to information retrieval", 8.4,
    cut at k and divided by what a perfect list of k could hold.
    """
    return _precisions(ranks, k) / np.minimum(ranks.counts, k)


def auc(ranks: Ranks, k: int = 0) -> PerCase:  # noqa: ARG001
    """Chance that a relevant item stands above one that is not, per case.

    1 - (sum_j p_j - W(W+1)/2) / (W (C - W)); 0.5 where nothing is unwanted. ``k``
    is not used: the whole ranking counts. Hanley & McNeil 1982; Rendle et al.
    2009 (arXiv:1205.2618) for the mean over users.
    """
    relevant, others = ranks.counts, ranks.candidates - ranks.counts
    misplaced = _per_case(ranks, ranks.place.astype(np.float64)) - relevant * (relevant + 1) / 2
    pairs = np.maximum(relevant * others, 1)
    return np.where(others > 0, 1.0 - misplaced / pairs, 0.5)


METRICS: Mapping[str, Callable[[Ranks, int], PerCase]] = {
    "recall": recall,
    "precision": precision,
    "hit": hit,
    "ndcg": ndcg,
    "mrr": mrr,
    "map": average_precision,
    "auc": auc,
}
STANDARD = ("recall@10", "ndcg@10", "mrr@10", "hit@10", "recall@20", "ndcg@20")


def split_name(name: str) -> tuple[str, int]:
    """``"recall@10"`` to ``("recall", 10)``; 0 where no cut-off is given."""
    stem, _, cut = name.partition("@")
    if cut and (not cut.isdigit() or int(cut) < 1):
        raise ValueError(f"metric {name!r}: the cut-off after @ must be a whole number above 0")
    return stem, int(cut or 0)


def measure(ranks: Ranks, metrics: Sequence[str] = STANDARD) -> dict[str, PerCase]:
    """One array [cases] per metric named ``stem@k`` (``auc`` needs no cut-off).

    Raises ValueError for an unknown name or a missing cut-off.
    """
    out = {}
    for name in metrics:
        stem, k = split_name(name)
        if stem not in METRICS:
            raise ValueError(f"unknown metric {name!r}; known are {', '.join(METRICS)}")
        if not k and stem != "auc":
            raise ValueError(f"metric {name!r} needs a cut-off, as in {stem}@10")
        out[name] = METRICS[stem](ranks, k)
    return out


def _per_case(ranks: Ranks, values: NDArray[np.float64]) -> PerCase:
    return np.bincount(ranks.case, values, minlength=len(ranks)).astype(np.float64)


def _hits(ranks: Ranks, k: int) -> PerCase:
    return _per_case(ranks, (ranks.place <= k).astype(np.float64))


def _first(ranks: Ranks) -> NDArray[np.float64]:
    first = np.full(len(ranks), np.inf)
    np.minimum.at(first, ranks.case, ranks.place)
    return first


def _precisions(ranks: Ranks, k: int) -> PerCase:
    """Sum over retrieved relevant items of the precision at their places."""
    order = np.lexsort((ranks.place, ranks.case))
    place = ranks.place[order]
    found = np.arange(len(place)) - np.repeat(ranks.relevant.start[:-1], ranks.counts) + 1
    return _per_case(ranks, np.where(place <= k, found / place, 0.0))
