"""The activation of small networks, in few passes over an array in single precision."""

import numpy as np

from trefoil.fusion.plan.asked import Reals

# The share of a normal distribution beyond z >= 0 is exp(-z²/2) P(t) with t = 1 / (1 + SLOPE z);
# P begins with the first power, coefficients stand the highest first. Hastings 1955, as 7.1.26 in
# Abramowitz & Stegun, for erfc(z / sqrt 2) / 2; the largest error is 8e-8.
SLOPE = np.float32(0.3275911 * 0.5**0.5)
BEYOND = (0.5307027145, -0.7265760135, 0.7107068705, -0.142248368, 0.127414796)


def gelu(x: Reals) -> Reals:
    """``x (1 + erf(x / sqrt 2)) / 2``, written over ``x`` in single precision.

    It is x where that is positive, less what ``|x|`` loses. Hendrycks & Gimpel 2016,
    arXiv:1606.08415.
    """
    size = np.abs(x)
    part = size * SLOPE
    part += np.float32(1)
    np.reciprocal(part, out=part)
    lost = part * np.float32(BEYOND[0])
    for factor in BEYOND[1:]:
        lost += np.float32(factor)
        lost *= part
    np.multiply(size, size, out=part)
    part *= np.float32(-0.5)
    lost *= np.exp(part, out=part)
    lost *= size
    np.maximum(x, np.float32(0), out=x)
    x -= lost
    return x
