"""Which ratings are low: the value that stands in where a dataset names no ``positive_from``."""

from __future__ import annotations

import numpy as np

from trefoil.data.interactions import Bools, Floats

SHORT_SCALE = 11  # values that a person can choose between: stars, half stars, 0 to 10
WRITTEN_SCALE = 21  # values up to here are written out; of more, the middle is meant
FEW = 0.1  # share of ratings above the middle below which they are amounts, not opinions


def proposed_threshold(stars: Floats) -> float | None:
    """The lowest rating that says that somebody liked it; None where ratings do not tell.

    It is the smallest rating above the middle of the scale: 4 of 1 to 5, 3 of half a
    star to 5. The middle is 0 where ratings have both signs, as thumbs up and
    down. Where there are more values than a scale has, the middle itself is
    meant. Amounts, such as plays or prices, of which few lie above their
    middle, tell nothing, nor does a single value.
    """
    given = stars[~np.isnan(stars)].astype(np.float64)
    values = np.unique(given)
    if len(values) < 2:
        return None
    lowest, highest = values[0], values[-1]
    signed = lowest < 0 < highest and -lowest >= highest / 2
    middle = 0.0 if signed else (lowest + highest) / 2
    value = float(f"{middle:.3g}")
    if len(values) <= WRITTEN_SCALE:
        value = float(f"{values[values > middle][0]:.6g}")
    scale = signed or (len(values) <= SHORT_SCALE and highest <= 10)
    if not scale and (given >= middle).mean() < FEW:
        return None
    return value


def rating_note(stars: Floats, positive: Bools) -> str | None:
    """How ratings were read where nobody named ``positive_from``; None where none is given."""
    given = stars[~np.isnan(stars)]
    if not len(given):
        return None
    n = int(positive.sum())
    lowest, highest = (f"{value:.6g}" for value in (given.min(), given.max()))
    if lowest == highest:
        return f"all ratings are {lowest} and there is no positive_from: all {n} events are liked"
    said = (
        f"ratings from {lowest} to {highest} and no positive_from: all {n} events count as liked; "
    )
    value = proposed_threshold(stars)
    if value is None:
        return said + "they look like amounts, of which none is low"
    liked = int((positive & ~(stars < np.float32(value))).sum())
    return said + f"positive_from = {value:.6g} would count {liked}"
