"""What a training will take, before it begins: seconds and memory of each part, from its sizes.

Coefficients are of one core of 2.4 GHz and one planted shop: estimates, no promises.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from trefoil.fusion.features.training_data import TrainingData
from trefoil.fusion.models.als import GRID, LARGE_ROUNDS
from trefoil.fusion.models.linear_fit import SEARCH_ITEMS
from trefoil.fusion.settings import Settings
from trefoil.fusion.training.large import is_large

FLOPS = 5.5e10  # of dense products and factorisations, single precision
SEARCHED = 10  # solutions that the search of the linear model makes
ROUND_S = 1.9e-6  # of implicit ALS, per event and side
ROUNDS = 10  # of it, where the catalogue is small
WALK_S = 3.5e-7  # per pair of events of one user
PASS_S = 1e-6  # of a step that passes messages over the whole graph, per event
ROW_S = 4.5e-5  # of an epoch of steps that read their rows alone, per event
LOOKS, LARGE_LOOKS = 12, 6  # that a network is trained for, about
TABLES = 6  # of numbers of a network: weights, running mean, best, gradients and two of Adam
NUMBER, GB = 4, 1e9


@dataclass(frozen=True)
class Expected:
    """Seconds of one core, and gigabytes beside what was there before."""

    seconds: float
    gb: float


def plan_work(known: TrainingData, settings: Settings) -> dict[str, Expected]:
    """By part, in order; ``settings`` are those that the memory plan has cut to size."""
    parts: dict[str, Expected] = {}
    events, large = known.matrix.nnz, is_large(known, settings)
    items = known.matrix.shape[1]
    width = settings.embedding_size
    if settings.linear.on:
        kept = min(settings.linear.max_items, items)
        solved = kept**3 + SEARCHED * min(kept, SEARCH_ITEMS) ** 3
        parts["linear"] = Expected(2 * solved / FLOPS, 2 * NUMBER * kept**2 / GB)
    if settings.factors:
        rounds = LARGE_ROUNDS if large else ROUNDS * len(GRID)
        parts["factors"] = Expected(2 * rounds * events * ROUND_S, NUMBER * items * width / GB)
    if settings.random_walks:
        pairs = float(np.square(np.diff(known.matrix.indptr), dtype=np.float64).sum())
        parts["random-walks"] = Expected(pairs * WALK_S, 12 * min(pairs, 200 * items) / GB)
    if settings.network.on:
        parts["network"] = _network(known, settings, large=large)
    return parts


def _network(known: TrainingData, settings: Settings, *, large: bool) -> Expected:
    """All looks of the first network."""
    users, items = known.matrix.shape
    events, network = known.matrix.nnz, settings.network
    looks = LARGE_LOOKS if large else LOOKS
    epochs = min(looks * network.evaluate_every, network.epochs)
    steps = epochs * max(users / network.batch_size, 4.0)
    entities = known.facts.entity.max(initial=0) + 1 if known.facts is not None else 0
    rows = items + entities + (0 if large else users)
    memory = TABLES * NUMBER * settings.embedding_size * rows / GB
    seconds = epochs * events * ROW_S if large else steps * events * PASS_S * max(network.layers, 1)
    return Expected(float(seconds), float(memory))


def told(parts: Mapping[str, Expected], *, beside: bool = False) -> str:
    """One line of words; ``beside`` says that networks learn while base models do."""
    total = sum((one.seconds for one in parts.values()), 0.0)
    network = parts["network"].gb if beside and "network" in parts else 0.0
    others = (one.gb for name, one in parts.items() if not (beside and name == "network"))
    most = network + max(others, default=0.0)
    each = ", ".join(f"{name} {spoken(one.seconds)}" for name, one in parts.items())
    return f"plan: about {spoken(total)} of one core and {most:.1f} GB more memory ({each})"


def spoken(seconds: float) -> str:
    """A time as people say it."""
    if seconds < 90:
        return f"{max(seconds, 1):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
