"""Distinct (user, item) pairs of events."""

from __future__ import annotations

import numpy as np

from trefoil.data.interactions import Interactions, Ints


def distinct_pairs(events: Interactions) -> tuple[Ints, Ints, Ints]:
    """User and item of each distinct pair, in that order, and the pair of each event."""
    width = int(events.item.max(initial=0)) + 1
    key, of_row = np.unique(events.user * width + events.item, return_inverse=True)
    return key // width, key % width, of_row


def known_before(events: Interactions, part: Ints) -> np.ndarray:
    """Which events have a part (0 or more) although an earlier part holds their pair."""
    user, _, of_row = distinct_pairs(events)
    used = part >= 0
    earliest = np.full(len(user), np.iinfo(np.int64).max)
    np.minimum.at(earliest, of_row[used], part[used])
    return used & (earliest[of_row] < part)
