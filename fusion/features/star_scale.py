"""Ratings in a unit of their own, and once per person and item."""

import numpy as np

from trefoil.data.interactions import Floats, Interactions, Ints

EQUAL = 1e-6  # a spread below this share of the largest rating is rounding


def scale_of(stars: Floats) -> tuple[float, float]:
    """Mean and standard deviation; 1 in place of a deviation of nothing.

    Ratings that are all equal, and a single one, have none.
    """
    exact = stars.astype(np.float64)
    if not len(exact):
        return 0.0, 1.0
    mean, spread = float(exact.mean()), float(exact.std())
    largest = float(np.abs(exact).max())
    return mean, spread if spread > EQUAL * largest else 1.0


def rated_once(events: Interactions, most: int, counted: np.ndarray) -> tuple[Ints, Ints, Floats]:
    """User, item and mean rating of each rated pair, sorted by user and item.

    Only items that are ``counted``, and the ``most`` newest pairs of each person: by
    time where it is known, else by place.
    """
    assert events.stars is not None
    rows = np.flatnonzero(~np.isnan(events.stars) & counted[events.item])
    at = np.zeros(len(rows), np.int64) if events.at is None else events.at[rows]
    rows = rows[np.lexsort((rows, at, events.item[rows], events.user[rows]))]
    user, item = events.user[rows], events.item[rows]
    last = np.append((np.diff(user) != 0) | (np.diff(item) != 0), True)[: len(rows)]
    pair = np.cumsum(last) - last
    stars = np.bincount(pair, events.stars[rows].astype(np.float64)) / np.bincount(pair)
    rows = rows[last]
    kept = _newest(events, rows, most)
    return events.user[rows[kept]], events.item[rows[kept]], stars[kept].astype(np.float32)


def _newest(events: Interactions, rows: Ints, most: int) -> Ints:
    """Places in ``rows``, which are sorted by user, of the ``most`` newest of each; ascending."""
    user = events.user[rows]
    at = np.zeros(len(rows), np.int64) if events.at is None else events.at[rows]
    order = np.lexsort((rows, at, user))  # the newest last
    newer = np.searchsorted(user, user, side="right") - 1 - np.arange(len(rows))
    return np.sort(order[newer < most])
