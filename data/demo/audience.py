"""A simulated audience for the film catalogue. The films are real, the events are not.

No person's data is in here: `simulate` draws every user and every event from
a seeded generator. What it plants, so that a model has something to find:

- **Graph.** A user's taste starts at a few entities (directors, actors, themes,
  moods, an era) and spreads along the links of the catalogue (`tastes.py`).
- **What the graph does not know.** Films and users also have a few hidden
  traits that only the events show.
- **Drift.** Each user's taste moves from one set of entities to another over
  the user's own lifetime.
- **Order.** The next film resembles the last few ones.
- **Scenario.** Time of day and device lean towards some moods and genres: a
  late night at the television is darker, a morning on the phone lighter.
- **Popularity.** Long-tailed by rank, as in Zipf's law; it has nothing to do
  with how good or famous a film really is.
- **Ratings.** Affinity plus the user's own bias plus noise, in half stars.
- **Cold items and users.** Some films are released only near the end, and
  users join all the time, so that a global split in time leaves both untrained.

The chosen film is a softmax choice over all films released and not yet seen,
drawn with the Gumbel-max trick.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from data.demo.catalogue import Catalogue
from data.demo.tastes import Floats, Links, affinity, link_films, resemblance, spread, standardised

START = 1_672_531_200  # 1 January 2023, 00:00 UTC
DAYS = 730
DAY = 86_400

DAYPARTS = ("night", "morning", "afternoon", "evening")  # six hours each, from midnight
DEVICES = ("phone", "tv", "laptop")
DEVICE_BY_DAYPART = np.array(  # rows as DAYPARTS, columns as DEVICES
    [[0.2, 0.6, 0.2], [0.6, 0.15, 0.25], [0.35, 0.25, 0.4], [0.15, 0.65, 0.2]]
)
# What a scenario leans to (names of moods and genres), by daypart and by device.
LEANINGS = {
    "night": {"dark": 1.0, "haunting": 1.0, "tense": 0.7, "horror": 0.8, "warm": -0.8, "family": -1},
    "morning": {"playful": 1.0, "warm": 0.8, "comedy": 0.8, "family": 0.6, "dark": -1, "gritty": -0.7},
    "afternoon": {"thrilling": 0.7, "adventure": 0.8, "hopeful": 0.6, "haunting": -0.6},
    "evening": {"romantic": 0.6, "drama": 0.5, "bittersweet": 0.6, "epic": 0.4},
    "tv": {"epic": 0.8, "thrilling": 0.5, "western": 0.4, "history": 0.4},
    "phone": {"comedy": 0.6, "animation": 0.6, "playful": 0.5, "epic": -0.9},
    "laptop": {"contemplative": 0.6, "science fiction": 0.5, "mystery": 0.4, "film noir": 0.3},
}

LATE_SHARE = 0.08  # of the films
LATE_FROM = 0.88  # of the time span: the earliest late release
TAIL_MASS = 0.18  # of the events fall after LATE_FROM; the service grows
NEW_USERS = 0.5  # share of users who join after the first day
RATED = {"finish": 0.78, "view": 0.52}

# Strength of each part in the choice, in logits per standard deviation.
POPULAR, TASTE, HIDDEN, ORDER, SCENARIO, NEWS = 1.0, 1.3, 0.6, 0.55, 0.8, 1.0
MEMORY = 0.6  # how much of the trail of recent films remains after each further film
TRAITS = 4


@dataclass(frozen=True)
class _Users:
    """What is fixed before the first event: tastes at both ends of a lifetime, and rating bias."""

    early: Floats  # users, films
    late: Floats  # users, films
    bias: Floats  # users


@dataclass(frozen=True)
class _Visits:
    """Who watches when and how, in order of user and time; which film is still open."""

    user: np.ndarray
    step: np.ndarray  # 0 for the user's first event
    progress: np.ndarray  # of the user's lifetime, 0 to 1
    at: np.ndarray
    daypart: np.ndarray
    device: np.ndarray


def simulate(
    catalogue: Catalogue, *, users: int = 600, events: int = 15_000, seed: int = 0
) -> pl.DataFrame:
    """Simulate an audience; the same seed gives the same events.

    Columns: user_id, item_id, rating (half stars from 0.5 to 5, or null), at (Unix
    seconds), kind (view | finish), device and daypart; rows in order of time. Nobody
    sees a film twice.
    """
    films = len(catalogue.films)
    if users < 1 or not 5 * users <= events <= users * films // 4:
        raise ValueError(
            f"users={users}, events={events}: give each user at least 5 events on average and "
            f"at most a quarter of the {films} films"
        )
    rng = np.random.default_rng(seed)
    links = link_films(catalogue)
    released = _releases(films, rng)
    people = _draw_users(users, links, rng)
    visits = _draw_visits(users, events, films // 2, rng)
    leaning = _leanings(catalogue)[visits.daypart, visits.device]
    film, liking = _choose(visits, people, leaning, resemblance(links), released, rng)
    return _table(catalogue, visits, people, film, liking, rng)


def _releases(films: int, rng: np.random.Generator) -> Floats:
    """When each film is released, in Unix seconds; all but LATE_SHARE were there from the start."""
    late = rng.permutation(films)[: round(LATE_SHARE * films)]
    released = np.full(films, float(START))
    released[late] = START + DAYS * DAY * rng.uniform(LATE_FROM, 0.96, size=len(late))
    return released


def _draw_users(users: int, links: Links, rng: np.random.Generator) -> _Users:
    """Tastes that grow from a few entities of each relation, plus hidden traits."""
    films = len(links.weights)
    relation = np.array(links.relation)
    ends = []
    for _ in range(2):
        tastes = np.zeros((users, len(relation)))
        for name, picks in (("director", 2), ("actor", 2), ("theme", 3), ("genre", 1), ("mood", 1), ("era", 1)):
            columns = np.flatnonzero(relation == name)
            reach = (links.weights[:, columns] > 0).sum(axis=0)
            for _ in range(picks):
                chosen = rng.choice(columns, size=users, p=reach / reach.sum())
                np.add.at(tastes, (np.arange(users), chosen), rng.uniform(0.5, 1.5, size=users))
        ends.append(affinity(spread(tastes, links), links))
    traits = rng.normal(size=(users, TRAITS)) @ rng.normal(size=(TRAITS, films))
    hidden = HIDDEN * standardised(traits)
    early, other = (np.clip(end, -2.5, 4.0) for end in ends)
    late = 0.6 * early + 0.4 * other
    bias = rng.normal(0.0, 0.4, size=users)
    return _Users(TASTE * early + hidden, TASTE * late + hidden, bias)


def _draw_visits(users: int, events: int, most: int, rng: np.random.Generator) -> _Visits:
    """Lifetimes, numbers of events (log-normal), times, dayparts and devices."""
    appetite = rng.lognormal(0.0, 0.6, size=users)
    wanted = 5 + (events - 5 * users) * appetite / appetite.sum()
    count = np.minimum(np.floor(wanted), most).astype(np.int64)
    for k in rng.permutation(users)[: events - count.sum()]:
        count[k] += 1
    raise NotImplementedError
