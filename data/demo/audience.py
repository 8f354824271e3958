"""A simulated audience for the film catalogue. The films are real, the events are not.

No person's data is in here: `simulate` draws every user and every event from
a seeded generator. What it plants, so that a model has something to find:

- **Graph.** A user's taste starts at a few entities (directors, actors, themes,
  moods, an era) and spreads along the links of the catalogue (`tastes.py`).
- **What the graph does not know.** Films and users also have a few hidden
  traits that only the events show.
- **Drift.** Each user's taste moves from one set of entities towards another
  over the user's own lifetime.
- **Order.** The next film resembles the last few ones.
- **Scenario.** Time of day and device lean towards some moods and genres: a
  late night at the television is darker, a morning on the phone lighter.
- **Popularity.** Long-tailed by rank, as in Zipf's law; it has nothing to do
  with how good or famous a film really is.
- **Ratings.** Affinity plus the film's appeal, the user's own bias and noise, in
  half stars; films that are liked are more often finished and rated.
- **Cold items and users.** Some films are released only near the end, and
  users join all the time (`visits.py`), so that a global split in time leaves
  some of both untrained.

A visit's film is a softmax choice over all films released and not yet seen,
drawn with the Gumbel-max trick.
"""

import numpy as np
import polars as pl

from trefoil.data.demo.catalogue import Catalogue
from trefoil.data.demo.tastes import (
    Floats,
    Rows,
    Tastes,
    draw_tastes,
    link_films,
    resemblance,
    standardised,
)
from trefoil.data.demo.visits import (
    DAY,
    DAYPARTS,
    DAYS,
    DEVICES,
    FEWEST,
    START,
    Visits,
    draw_visits,
)

# What a scenario leans to (names of moods and genres), by daypart and by device.
LEANINGS = {
    "night": {"dark": 1.0, "haunting": 1.0, "tense": 0.7, "horror": 0.8, "warm": -0.8},
    "morning": {"playful": 1.0, "warm": 0.8, "comedy": 0.8, "dark": -1.0, "gritty": -0.7},
    "afternoon": {"thrilling": 0.7, "adventure": 0.8, "hopeful": 0.6, "haunting": -0.6},
    "evening": {"romantic": 0.6, "drama": 0.5, "bittersweet": 0.6, "melancholy": 0.4},
    "phone": {"comedy": 0.6, "animation": 0.6, "playful": 0.5, "epic": -0.9},
    "tv": {"epic": 0.8, "thrilling": 0.5, "western": 0.4, "history": 0.4},
    "laptop": {"contemplative": 0.6, "science fiction": 0.5, "mystery": 0.4, "film noir": 0.3},
}

LATE_SHARE = 0.08  # of the films
LATE_FROM, LATE_TO = 0.88, 0.96  # of the time span: when late films are released

# Strength of each part of the choice, in logits per standard deviation.
POPULAR = 1.0
LIKING = 2.4
ORDER = 0.8
SCENARIO = 0.8
MEMORY = 0.6  # what remains of the trail of recent films after one more film


def simulate(
    catalogue: Catalogue, *, users: int = 600, events: int = 15_000, seed: int = 0
) -> pl.DataFrame:
    """Simulate an audience; the same seed gives the same events.

    Columns: user_id, item_id, rating (half stars from 0.5 to 5, or null), at (Unix
    seconds), kind (view | finish), device and daypart; rows in order of time. Nobody
    sees a film twice.
    """
    films = len(catalogue.films)
    if users < 1 or not FEWEST * users <= events <= users * films // 8:
        raise ValueError(
            f"users={users}, events={events}: there should be {FEWEST} to {films // 8} events "
            f"per user (the upper limit is an eighth of the {films} films); change one of them"
        )
    rng = np.random.default_rng(seed)
    visits = draw_visits(users, events, rng)
    links = link_films(catalogue)
    tastes = draw_tastes(users, links, rng)
    released = _releases(films, rng)
    film, liking = _choose(visits, tastes, _leanings(catalogue), resemblance(links), released, rng)
    finished, rating = _react(visits, film, liking, rng)
    frame = pl.DataFrame(
        {
            "user_id": [f"user-{row}" for row in visits.user],
            "item_id": [catalogue.films[row].item_id for row in film],
            "rating": rating,
            "at": visits.at,
            "kind": np.where(finished, "finish", "view"),
            "device": np.array(DEVICES)[visits.device],
            "daypart": np.array(DAYPARTS)[visits.daypart],
        }
    )
    return frame.with_columns(pl.col("rating").fill_nan(None)).sort("at", maintain_order=True)


def _releases(films: int, rng: np.random.Generator) -> Floats:
    """When each film is released, in Unix seconds; minus infinity if it was always there."""
    released = np.full(films, -np.inf)
    late = rng.permutation(films)[: round(LATE_SHARE * films)]
    released[late] = START + DAYS * DAY * rng.uniform(LATE_FROM, LATE_TO, size=len(late))
    return released


def _leanings(catalogue: Catalogue) -> Floats:
    """How each scenario shifts each film [dayparts, devices, films], standardised per scenario."""
    tags = [
        set(moods) | set(genres)
        for moods, genres in zip(catalogue.named("mood"), catalogue.named("genre"), strict=True)
    ]
    shift = {
        name: np.array([sum(w for tag, w in leans.items() if tag in film) for film in tags])
        for name, leans in LEANINGS.items()
    }
    return np.stack(
        [standardised(np.stack([shift[part] + shift[d] for d in DEVICES])) for part in DAYPARTS]
    )


def _choose(
    visits: Visits,
    tastes: Tastes,
    leanings: Floats,
    alike: Floats,
    released: Floats,
    rng: np.random.Generator,
) -> tuple[Rows, Floats]:
    """The film of every visit, and how much the user likes it in standard deviations.

    All users take their first visit together, then all their second, and so on:
    what a user saw before is known, and the work is one array operation per step.
    """
    users, films = tastes.start.shape
    rank = rng.permutation(films) + 1
    popular = standardised(-np.log(rank)[None, :])[0]
    setting = POPULAR * popular + SCENARIO * leanings  # dayparts, devices, films
    late = np.flatnonzero(released > START)
    trail = np.zeros((users, films))
    chosen = np.zeros(len(visits.user), dtype=np.int64)
    liking = np.zeros(len(visits.user))
    for step in range(visits.step.max() + 1):
        rows = np.flatnonzero(visits.step == step)
        user = visits.user[rows]
        likes = tastes.at(user, visits.progress[rows])
        logits = rng.gumbel(size=(len(rows), films))
        logits += LIKING * likes
        logits += setting[visits.daypart[rows], visits.device[rows]]
        logits += trail[user]  # minus infinity where the film was seen
        logits[:, late] += np.where(visits.at[rows, None] < released[late], -np.inf, 0.0)
        film = logits.argmax(axis=1)
        chosen[rows], liking[rows] = film, likes[np.arange(len(rows)), film]
        trail[user] = MEMORY * trail[user] + ORDER * (1 - MEMORY) * alike[film]
        trail[user, film] = -np.inf
    return chosen, liking


def _react(
    visits: Visits, film: Rows, liking: Floats, rng: np.random.Generator
) -> tuple[np.ndarray, Floats]:
    """Whether each visit was watched to the end, and its rating or NaN."""
    appeal = rng.normal(0.0, 0.3, size=film.max() + 1)[film]
    bias = rng.normal(0.0, 0.4, size=visits.user.max() + 1)[visits.user]
    felt = 2.3 + 0.6 * liking + appeal
    finished = rng.random(len(film)) < 1 / (1 + np.exp(-1.5 * (felt - 2.6)))
    rated = rng.random(len(film)) < np.where(finished, 0.75, 0.55)
    stars = np.round(2 * (felt + bias + rng.normal(0.0, 0.5, size=len(film)))) / 2
    return finished, np.where(rated, np.clip(stars, 0.5, 5.0), np.nan)
