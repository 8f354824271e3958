"""How fast everybody is ranked against everything: ``python -m benchmarks.ranking``.

Ranks as many users and items as MovieLens-1M has (6,040 x 3,706; 100 thousand
held-out and 900 thousand masked pairs, drawn at random) by the scores of a
factor model, measures twelve metrics, and prints seconds and memory. The scores
of one batch are alive at a time, never those of all users (90 MB in float32).
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Sequence

import numpy as np
import torch

from trefoil.data import Cases, Histories
from trefoil.evaluation import Background, Exam, Sets, examine

TWELVE = (
    *("recall@10", "precision@10", "hit@10", "ndcg@10", "mrr@10", "map@10", "recall@20"),
    *("ndcg@20", "auc", "coverage@10", "novelty@10", "gini@10"),
)


class Factors:
    """Scores by the product of random vectors; rounding to tenths makes many ties."""

    name = "factors"

    def __init__(self, users: int, items: int, *, rounded: bool) -> None:
        generator = torch.Generator().manual_seed(0)
        self.user = torch.randn(users, 64, generator=generator)
        self.item = torch.randn(items, 64, generator=generator)
        self.rounded = rounded

    def score(self, cases: Cases) -> torch.Tensor:
        scores = self.user[torch.from_numpy(cases.user)] @ self.item.T
        return scores.round(decimals=0) if self.rounded else scores


def drawn_exam(users: int, items: int, events: int, held: int) -> Exam:
    """Random distinct pairs, the first ``held`` of them relevant, the others masked."""
    random = np.random.default_rng(0)
    pairs = random.choice(users * items, events, replace=False)
    relevant, masked = (
        Sets.of(part // items, part % items, users) for part in (pairs[:held], pairs[held:])
    )
    rows = np.flatnonzero(np.diff(relevant.start))
    history = Histories(np.zeros(len(rows) + 1, np.int64), np.empty(0, np.int64))
    return Exam(Cases(rows, history), relevant.take(rows), masked.take(rows), items, "full", "test")


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--users", type=int, default=6040)
    parser.add_argument("--items", type=int, default=3706)
    parser.add_argument("--events", type=int, default=1_000_000)
    args = parser.parse_args(argv)
    exam = drawn_exam(args.users, args.items, args.events, args.events // 10)
    known = Background(np.ones(args.items, np.int64), args.users)
    for rounded in (False, True):
        before, began = peak_mb(), time.perf_counter()
        result = examine(
            "factors",
            Factors(args.users, args.items, rounded=rounded),
            exam,
            TWELVE,
            background=known,
        )
        print(
            f"{len(exam)} users x {args.items} items, {len(TWELVE)} metrics, "
            f"{'many ties' if rounded else 'no ties'}: {time.perf_counter() - began:.2f} s, "
            f"peak memory +{peak_mb() - before:.0f} MB; recall@10 "
            f"{result.means()['recall@10']:.4f}, chance {10 / args.items:.4f}"
        )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
