"""Where the largest scores of a long row can be, found without looking at each twice."""

import numpy as np
from numpy.typing import NDArray

from trefoil.data.interactions import Ints

BLOCK = 128  # columns whose best score stands for them


def promising(scores: NDArray[np.float32], width: int) -> Ints:
    """Columns [rows, some] of which those of the ``width`` largest scores of each row are a part.

    At least ``width`` scores are no less than the ``width``-th best block maximum, so only
    blocks that reach it are looked into, and the columns that fill no block. Asks for at
    least ``width`` blocks of ``BLOCK`` columns.
    """
    n, items = scores.shape
    size = items // BLOCK  # columns of a block, which lie side by side last
    whole = size * BLOCK
    # column = place in its block * size + block: the maxima are taken of whole rows at once
    best = scores[:, :whole].reshape(n, BLOCK, size).max(1)
    least = np.partition(best, size - width, axis=1)[:, size - width]
    most = int((best >= least[:, None]).sum(1).max(initial=0))
    chosen = np.argpartition(best, size - most, axis=1)[:, size - most :]
    inside = (chosen[:, None, :] + size * np.arange(BLOCK)[:, None]).reshape(n, -1)
    rest = np.broadcast_to(np.arange(whole, items), (n, items - whole))
    return np.concatenate([inside, rest], axis=1)
