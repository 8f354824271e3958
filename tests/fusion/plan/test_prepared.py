"""What a plan holds ready takes no more memory than it must."""

import numpy as np
import pytest
import torch

from trefoil.evaluation.baselines.linear import closed_form
from trefoil.fusion.models.linear import Linear
from trefoil.fusion.plan.parts import Parts
from trefoil.fusion.plan.prepared import Prepared

ITEMS = 30


def definition(gram, ridge):
    """``B = I - P / diag(P)``."""
    inverse = torch.linalg.inv(gram.double() + ridge * torch.eye(len(gram)))
    return torch.eye(len(gram)) - inverse / inverse.diagonal()


@pytest.mark.parametrize("kept", [np.arange(ITEMS), np.arange(3, 23)])
def test_one_table_of_the_linear_model_serves_both_its_forms(kept):
    events = torch.from_numpy(np.random.default_rng(0).random((90, len(kept))) < 0.3).float()
    gram = events.T @ events
    expected = definition(gram, 5.0)
    weights = closed_form(gram, 5.0)
    assert torch.allclose(weights.double(), expected, atol=1e-5)
    forms = tuple(Linear(weights, kept, ITEMS, decay).form() for decay in (0.0, 3.0))
    seen = np.arange(ITEMS) % 4 > 0  # items without events stand last, so none stays in place
    plan = Prepared(Parts(("a", "b"), forms, (1.0,) * 2, (1.0,) * 2, 0.0, seen, ITEMS, False))
    first, second = (one.weights for one in plan._forms)
    assert np.shares_memory(first, second)
    if len(kept) < ITEMS:  # laid row by row already, it is not copied at all
        assert np.shares_memory(first, weights.numpy())
