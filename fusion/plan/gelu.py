"""The activation of small networks, in few passes over an array in single precision."""

import numpy as np

from trefoil.fusion.plan.asked import Reals

# erf(x) = x P(x²) / Q(x²), the highest power first, for |x| up to WIDEST, where it is 1 in single
# precision. Coefficients of XLA and Eigen; the largest error is 3e-7.
WIDEST = np.float32(3.832506856900711)
ABOVE = (
    2.2905065861350646e-4,
    3.4082910107109506e-3,
    5.0955695062380861e-2,
    1.8520832239976145e-1,
    1.128379143519084,
)
BELOW = (
    -1.1791602954361697e-7,
    2.3547966471313185e-5,
    1.0179625278914885e-3,
    1.4070470171167667e-2,
    1.1098505178285362e-1,
    4.9746925110067538e-1,
    1.0,
)


def gelu(x: Reals) -> Reals:
    """``x (1 + erf(x / sqrt 2)) / 2``, written over ``x`` in single precision.

    Hendrycks & Gimpel 2016, arXiv:1606.08415.
    """
    half = x * np.float32(0.5**0.5)
    np.clip(half, -WIDEST, WIDEST, out=half)
    square = half * half
    half *= _polynomial(square, ABOVE)
    half /= _polynomial(square, BELOW)
    half += np.float32(1)
    half *= np.float32(0.5)
    x *= half
    return x


def _polynomial(x: Reals, factors: tuple[float, ...]) -> Reals:
    """By Horner's rule."""
    found = x * np.float32(factors[0])
    for factor in factors[1:-1]:
        found += np.float32(factor)
        found *= x
    found += np.float32(factors[-1])
    return found
