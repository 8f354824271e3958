"""The permutation control: features moved to other items, as a source that says nothing."""

import numpy as np

from trefoil.data.interactions import Bools, Ints


def permuted(known: Bools, seed: int) -> Ints:
    """Rows [items] in an order that moves what is known to other items.

    Only rows in ``known`` change places, in one cycle drawn from ``seed``, so that
    none keeps its own and items of which nothing is known stay so.
    """
    rows = np.arange(len(known))
    cycle = np.random.default_rng(seed).permutation(np.flatnonzero(known))
    rows[cycle] = np.roll(cycle, 1)
    return rows
