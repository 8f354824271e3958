"""Where the simulated tastes come from: walks on the film graph.

A taste begins as weights on a few entities (a director, a theme, a mood, ...)
and spreads along film-entity links, so that liking a director reaches the
actors and themes of that director's films, and through them other films. The
same links say how much one film resembles another.
"""

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trefoil.data.demo.catalogue import RELATIONS, Catalogue

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

# How much a shared entity counts by relation, before division by the root of its number of films.
WEIGHTS = {
    "director": 1.6,
    "actor": 1.2,
    "genre": 1.0,
    "country": 0.6,
    "theme": 1.2,
    "mood": 1.2,
    "era": 0.8,
}
KEPT = 0.5  # share of a taste that stays where it was at each spreading step
# How many entities of each relation a taste starts from.
PICKS = {"director": 2, "actor": 2, "theme": 3, "genre": 1, "mood": 1, "era": 1}
DRIFT = 0.5  # how far a taste has moved to its other end when the user's lifetime is over
CROWDS = 16  # groups of users with a taste in common
SHARED = 0.55  # how much of a taste comes from the crowd
BY_GRAPH, BY_TRAITS = 0.93, 0.36  # parts of a taste; their squares add up to 1
TRAITS = 4  # hidden traits of users and films


@dataclass(frozen=True)
class Links:
    """Films against entities: `weights[film, entity]` is 0 where they are not joined."""

    weights: Floats  # films, entities
    relation: tuple[str, ...]  # of each entity's column


@dataclass(frozen=True)
class Tastes:
    """How much users like films [users, films], in standard deviations."""

    start: Floats  # on the user's first day
    shift: Floats  # what is added by the user's last day

    def at(self, user: Rows, progress: Floats) -> Floats:
        """Tastes of some users, each at some point between 0 and 1 of a lifetime."""
        likes = self.shift[user]
        likes *= progress[:, None]
        likes += self.start[user]
        return likes


def link_films(catalogue: Catalogue) -> Links:
    """One column per relation and entity, weighted by relation and 1/sqrt(number of films).

    Entities of a single film are left out: they join it to nothing.
    """
    films = Counter(
        (relation, iri)
        for film in catalogue.films
        for relation in RELATIONS
        for iri in film.links[relation]
    )
    columns = sorted(column for column, count in films.items() if count > 1)
    place = {column: k for k, column in enumerate(columns)}
    weights = np.zeros((len(catalogue.films), len(columns)))
    for row, film in enumerate(catalogue.films):
        for relation in RELATIONS:
            for iri in film.links[relation]:
                if (relation, iri) in place:
                    share = WEIGHTS[relation] / np.sqrt(films[relation, iri])
                    weights[row, place[relation, iri]] = share
    return Links(weights, tuple(relation for relation, _ in columns))


def draw_tastes(users: int, links: Links, rng: np.random.Generator) -> Tastes:
    """Each user shares a crowd's entities, adds some of their own, and lets both spread."""
    ends = []
    for _ in ("start", "what it drifts towards"):
        crowd = _seeds(CROWDS, links, rng)[rng.integers(CROWDS, size=users)]
        own = _seeds(users, links, rng)
        ends.append(affinity(spread(SHARED * crowd + (1 - SHARED) * own, links), links))
    traits = rng.normal(size=(users, TRAITS)) @ rng.normal(size=(TRAITS, len(links.weights)))
    start = BY_GRAPH * ends[0] + BY_TRAITS * standardised(traits)
    return Tastes(start=start, shift=BY_GRAPH * DRIFT * (ends[1] - ends[0]))


def _seeds(rows: int, links: Links, rng: np.random.Generator) -> Floats:
    """Weights on a few entities of each relation [rows, entities], well-linked ones more often."""
    relation = np.array(links.relation)
    seeds = np.zeros((rows, len(relation)))
    for name, picks in PICKS.items():
        columns = np.flatnonzero(relation == name)
        reach = (links.weights[:, columns] > 0).sum(axis=0)
        picked = rng.choice(columns, size=(rows, picks), p=reach / reach.sum())
        weight = rng.uniform(0.5, 1.5, size=(rows, picks))
        np.add.at(seeds, (np.arange(rows)[:, None], picked), weight)
    return seeds


def spread(tastes: Floats, links: Links, *, steps: int = 2) -> Floats:
    """Let tastes [users, entities] walk to films and back; each step keeps KEPT of the start.

    A random walk with restart, cut after `steps` (Tong, Faloutsos & Pan 2006).
    """
    to_films = links.weights.T / links.weights.sum(axis=0)[:, None]  # entities, films
    to_entities = links.weights / links.weights.sum(axis=1)[:, None]  # films, entities
    start = tastes
    for _ in range(steps):
        tastes = KEPT * start + (1 - KEPT) * (tastes @ to_films @ to_entities)
    return tastes


def affinity(tastes: Floats, links: Links) -> Floats:
    """How much each user likes each film [users, films], standardised within the user."""
    return standardised(tastes @ links.weights.T)


def resemblance(links: Links) -> Floats:
    """How alike two films are by what they share [films, films]; rows standardised, diagonal 0."""
    length = np.linalg.norm(links.weights, axis=1, keepdims=True)
    cosine = (links.weights / length) @ (links.weights / length).T
    np.fill_diagonal(cosine, 0.0)
    alike = standardised(cosine)
    np.fill_diagonal(alike, 0.0)
    return alike


def standardised(values: Floats) -> Floats:
    """Rows shifted to mean 0 and scaled to deviation 1."""
    centred = values - values.mean(axis=1, keepdims=True)
    return centred / np.maximum(centred.std(axis=1, keepdims=True), 1e-12)
