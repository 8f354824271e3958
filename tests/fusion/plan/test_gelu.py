"""The activation in single precision is the one that networks learned with."""

import numpy as np
from scipy.special import ndtr

from trefoil.fusion.plan.gelu import gelu


def test_the_activation_is_x_times_the_normal_distribution():
    x = np.linspace(-8, 8, 20_001)
    told = x.astype(np.float32)
    assert gelu(told) is told
    np.testing.assert_allclose(told, x * ndtr(x), atol=1e-6)
