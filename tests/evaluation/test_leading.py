"""The largest scores of a row are among the columns that are looked into."""

import numpy as np
import pytest

from trefoil.evaluation.leading import BLOCK, promising
from trefoil.fusion.plan.reranking import _first


@pytest.mark.parametrize("items", [BLOCK * 40, BLOCK * 40 + 17])
def test_the_largest_scores_are_among_what_is_promising(items):
    rng = np.random.default_rng(3)
    scores = rng.normal(size=(5, items)).astype(np.float32)
    scores[1] = np.sort(scores[1])  # the largest side by side
    scores[2, : items // 2] = -np.inf
    scores[3] = 1.0  # all alike
    some = promising(scores, 9)
    assert promising(scores[:3], 9).shape[1] < items / 2
    for row, columns in enumerate(some):
        assert len(np.unique(columns)) == len(columns)
        largest = np.sort(scores[row])[-9:]
        assert np.array_equal(np.sort(scores[row, columns])[-9:], largest)


def test_the_first_of_many_columns_are_those_of_a_sort():
    scores = np.random.default_rng(4).permutation(BLOCK * 100).astype(np.float32)[None]
    assert np.array_equal(_first(scores, 20), np.argsort(-scores, axis=1)[:, :20])
