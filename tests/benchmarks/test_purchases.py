"""Retail Rocket: purchases are asked for, and nothing of a held-out pair is known in training."""

import numpy as np
import pytest

from benchmarks.purchases import RETAIL_ROCKET, RETAIL_ROCKET_PURCHASES
from trefoil.data import read_dataset, split_events
from trefoil.evaluation.protocols.protocols import full_exam


@pytest.mark.real
@pytest.mark.parametrize(
    ("source", "positives", "least"),
    [(RETAIL_ROCKET, 97_381 + 2_174, 880), (RETAIL_ROCKET_PURCHASES, 9_551 + 2_174, 40)],
    ids=["with views and carts", "purchases alone"],
)
def test_sizes_are_those_of_the_files(real, source, positives, least):
    dataset = read_dataset(source, root=real("retailrocket-multibehavior-kg"))
    counts = dataset.report.counts
    assert (counts["users"], counts["events"]) == (2_174, 97_381 + 2_174)
    assert counts["positives"] == positives
    split = split_events(dataset, 0)
    assert len(full_exam(dataset, split, "test")) == 2_174
    valid = full_exam(dataset, split, "valid")
    assert len(valid) >= least
    events, items = dataset.interactions, len(dataset.items)
    pair = events.user * items + events.item
    asked = np.repeat(valid.cases.user, np.diff(valid.relevant.start)) * items + valid.relevant.item
    assert not np.isin(asked, pair[split.train]).any()
