"""When the simulated audience watches: joining, leaving, time of day, device.

Films play no part here. Half the users are there on the first day and the
others join later, so that traffic grows; some leave again. While they stay,
each watches at a steady rate of their own, at the hours of their own habit.
"""

from dataclasses import dataclass

import numpy as np

from trefoil.data.demo.tastes import Floats, Rows

START = 1_672_531_200  # 1 January 2023, 00:00 UTC
DAYS = 730
DAY = 86_400

DAYPARTS = ("night", "morning", "afternoon", "evening")  # six hours each, from midnight
HABITS = (0.2, 0.15, 0.2, 0.45)  # mean share of each daypart
DEVICES = ("phone", "tv", "laptop")
DEVICE_BY_DAYPART = np.array(  # rows as DAYPARTS, columns as DEVICES
    [[0.2, 0.6, 0.2], [0.6, 0.15, 0.25], [0.35, 0.25, 0.4], [0.15, 0.65, 0.2]]
)

FEWEST = 5  # events of a user
JOINERS = 0.5  # share of users who join after the first day
LEAVERS = 0.2  # share of users who leave before the last


@dataclass(frozen=True)
class Visits:
    """One row per event, in order of user and time; which film it was is still open."""

    user: Rows
    step: Rows  # 0 for the user's first event
    progress: Floats  # of the user's lifetime, from 0 to 1
    at: Rows  # Unix seconds
    daypart: Rows  # position in DAYPARTS
    device: Rows  # position in DEVICES


def draw_visits(users: int, events: int, rng: np.random.Generator) -> Visits:
    """Exactly `events` visits, at least FEWEST for each user."""
    joined = np.where(rng.random(users) < JOINERS, rng.uniform(0.0, 0.97, size=users), 0.0)
    left = np.where(rng.random(users) < LEAVERS, rng.uniform(joined, 1.0), 1.0)
    appetite = np.clip(rng.lognormal(0.0, 0.6, size=users), 0.25, 4.0) * (left - joined)
    count = FEWEST + rng.multinomial(events - FEWEST * users, appetite / appetite.sum())

    user = np.repeat(np.arange(users), count)
    progress = rng.random(events)
    day = np.floor(DAYS * (joined[user] + progress * (left - joined)[user]))
    daypart = _draw(rng.dirichlet(4 * np.array(HABITS), size=users)[user], rng)
    device = _draw(DEVICE_BY_DAYPART[daypart], rng)
    second = day * DAY + (daypart + rng.random(events)) * (DAY // len(DAYPARTS))
    at = START + np.floor(second).astype(np.int64)

    order = np.lexsort((at, user))
    first = np.repeat(np.cumsum(count) - count, count)
    return Visits(
        user=user,
        step=np.arange(events) - first,
        progress=progress[order],
        at=at[order],
        daypart=daypart[order],
        device=device[order],
    )


def _draw(shares: Floats, rng: np.random.Generator) -> Rows:
    """One position per row, each row with its own shares, by inverting the cumulative sum."""
    drawn = rng.random(len(shares))[:, None] > np.cumsum(shares, axis=1)
    return np.minimum(drawn.sum(axis=1), shares.shape[1] - 1)
