"""Our metrics against ranx, a maintained library of its own, on random rankings with ties."""

import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_ranking import Fixed, exam_of

from trefoil.evaluation.metrics.ranking_metrics import measure
from trefoil.evaluation.ranking import rank

os.environ.setdefault("NUMBA_DISABLE_JIT", "1")  # compiling ranx takes a minute, running it 2 s
ranx = pytest.importorskip("ranx", reason="pip install 'trefoil[dev]' brings ranx")

PAIRS = {  # ours: theirs
    "recall@5": "recall@5",
    "precision@5": "precision@5",
    "hit@5": "hit_rate@5",
    "ndcg@5": "ndcg@5",
    "mrr@5": "mrr@5",
    "ndcg@20": "ndcg@20",
    "recall@20": "recall@20",
}


def peer_values(order: np.ndarray, relevant: list[list[int]]) -> dict[str, np.ndarray]:
    """ranx on rankings without ties: the place decides the score it is given."""
    cases, items = order.shape
    qrels = ranx.Qrels({f"{c:03}": {str(i): 1 for i in relevant[c]} for c in range(cases)})
    run = ranx.Run(
        {
            f"{c:03}": {str(i): float(items - place) for place, i in enumerate(order[c])}
            for c in range(cases)
        }
    )
    names = [*PAIRS.values(), "map"]
    values = ranx.evaluate(qrels, run, names, return_mean=False)
    return {name: np.asarray(values[name]) for name in names}


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_equal_to_ranx_to_nine_digits_when_ties_are_in_our_order(seed):
    random = np.random.default_rng(seed)
    cases, items = int(random.integers(1, 6)), int(random.integers(21, 40))
    table = random.integers(0, 4, (cases, items)).astype(np.float64)  # four values: many ties
    relevant = [
        random.choice(items, int(random.integers(1, 12)), replace=False).tolist()
        for _ in range(cases)
    ]
    ranks = rank(Fixed(table), exam_of(relevant, [[]] * cases, items), k_max=items, seed=1)
    theirs = peer_values(ranks.top, relevant)
    ours = measure(ranks, [*PAIRS, f"map@{items}"])
    for mine, other in PAIRS.items():
        assert np.abs(ours[mine] - theirs[other]).max() < 1e-9, mine
    assert np.abs(ours[f"map@{items}"] - theirs["map"]).max() < 1e-9
