"""All leaves of a dataset, fitted: each answers ``score(cases)`` from what it knows."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeVar, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from data.histories import Cases
from fusion.als import factorise
from fusion.content import carried
from fusion.known import Known, most_met
from fusion.linear import (
    Linear,
    add_gram,
    closed_form_of_own,
    event_ridge,
    event_rows,
    fact_rows,
    gram,
    rounded_,
)
from fusion.neighbours import (
    Profile,
    Returning,
    idf_rows,
    next_items,
    random_walk,
)
from fusion.people import people_alike
from fusion.popularity import asked_later, popular
from fusion.settings import Settings
from fusion.validation import Validation

log = logging.getLogger(__name__)

RIDGES = (30.0, 60.0, 120.0, 250.0, 500.0, 1000.0)
FACT_WEIGHTS = (1.0, 2.0, 3.0)
TEXT_WEIGHTS = (2.0, 4.0, 6.0)
SEARCH_ITEMS = 3000  # that the search for the linear leaf's numbers looks at
PULLS = (0.0, 1.0, 2.0, 4.0)  # of a past event per context equal to now
HALF_LIVES = (3.0, 7.0, 20.0, 60.0, 180.0)  # days
FACTOR_GRID = ((20.0, 10.0), (20.0, 2.0), (30.0, 3.0))  # ridge, alpha


@runtime_checkable
class Leaf(Protocol):
    """One voice of the fusion."""

    def score(self, cases: Cases) -> Tensor:
        """Scores [cases, items]; any scale, finite."""
        ...


LeafT = TypeVar("LeafT", bound=Leaf)


@dataclass
class Fitted:
    """Leaves by name, what was chosen for them, and how long each took."""

    leaves: dict[str, Leaf] = field(default_factory=dict)
    chosen: dict[str, Mapping[str, float]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    def add(self, name: str, leaf: Leaf, began: float, **chosen: float) -> None:
        self.leaves[name] = leaf
        self.seconds[name] = time.perf_counter() - began
        self.chosen[name] = chosen


def fit_cheap_leaves(
    known: Known,
    validation: Validation,
    settings: Settings,
    say: Callable[[str], None],
) -> Fitted:
    """Every leaf but the network, each with its few numbers chosen on validation."""
    fitted = Fitted()
    items = known.matrix.shape[1]
    if settings.linear.on:
        say("linear leaf")
        fit_linear(known, validation, settings, fitted)
    began = time.perf_counter()
    if settings.factors:
        say("factors leaf")
        tried = []
        for ridge, alpha in FACTOR_GRID:
            leaf = factorise(known.matrix, ridge=ridge, alpha=alpha, seed=settings.seed)
            mark = validation.ndcg(leaf.score(validation.cases))
            tried.append((mark, ridge, alpha, leaf))
        mark, ridge, alpha, leaf = max(tried, key=lambda row: row[0])
        leaf = replace(leaf, carried=carried(leaf.items, known))
        fitted.add("factors", leaf, began, ridge=ridge, alpha=alpha, ndcg=mark)
    if settings.walks:
        began = time.perf_counter()
        fitted.add("walks", random_walk(known.matrix), began)
    if settings.next_items and known.timed:
        began = time.perf_counter()
        fitted.add("next-items", next_items(known.history, items), began)
    if settings.returning and known.returning:
        began = time.perf_counter()
        leaf, mark = _best([Returning(items, pull) for pull in PULLS], validation)
        fitted.add("returning", leaf, began, pull=leaf.pull, ndcg=mark)
    if known.facts is not None and known.facts.matrix.nnz:
        began = time.perf_counter()
        fitted.add("graph-neighbours", Profile(idf_rows(known.facts.matrix)), began)
    if known.text is not None:
        began = time.perf_counter()
        fitted.add("text-neighbours", Profile(known.text.vectors.numpy()), began)
    if known.attributes is not None:
        began = time.perf_counter()
        fitted.add("people", people_alike(known.attributes, known.matrix), began)
    _fit_popularity(known, validation, settings, fitted)
    return fitted


def _best(tries: Sequence[LeafT], validation: Validation) -> tuple[LeafT, float]:
    """The leaf that serves validation best, and its NDCG@10."""
    marks = [validation.ndcg(one.score(validation.cases)) for one in tries]
    at = int(np.argmax(marks))
    return tries[at], marks[at]


def _fit_popularity(
    known: Known, validation: Validation, settings: Settings, fitted: Fitted
) -> None:
    """What many met, and lately, where validation comes after training and it serves it better."""
    began = time.perf_counter()
    ever = popular(known)
    fitted.add("popularity", ever, began)
    if not (settings.lately and asked_later(known, validation.cases)):
        return
    began = time.perf_counter()
    leaf, mark = _best([popular(known, days) for days in HALF_LIVES], validation)
    if mark > validation.ndcg(ever.score(validation.cases)):
        fitted.add("popular-lately", leaf, began, half_life=leaf.half_life, ndcg=mark)


def fit_linear(known: Known, validation: Validation, settings: Settings, fitted: Fitted) -> None:
    """The linear leaf: ridge, weight of facts and of texts by coordinate search on validation.

    The search looks at the items with most events, because a solution costs the
    cube of the items; the numbers found are then used for all that take part.
    """
    began = time.perf_counter()
    grids: dict[str, tuple[float, ...]] = {"ridge": RIDGES}
    chosen = {"ridge": start_ridge(known)}
    if known.facts is not None:
        grids["facts"], chosen["facts"] = FACT_WEIGHTS, 2.0
    if known.text is not None:
        grids["text"], chosen["text"] = TEXT_WEIGHTS, 4.0
    small = most_met(known.matrix, SEARCH_ITEMS)
    tried: dict[tuple[float, ...], float] = {}
    blocks = linear_blocks(known, small)

    def mark(choice: dict[str, float]) -> float:
        key = tuple(choice.values())
        if key not in tried:
            leaf = solve_linear(blocks, choice, small, known.matrix.shape[1])
            tried[key] = validation.ndcg(leaf.score(validation.cases))
        return tried[key]

    for name, grid in grids.items():
        place = int(np.argmin([abs(np.log(value / chosen[name])) for value in grid]))
        chosen[name] = climb(grid, place, lambda value, n=name: mark(chosen | {n: value}))
    kept = most_met(known.matrix, settings.linear.max_items)
    if len(kept) == len(small):
        leaf = solve_linear(blocks, chosen, kept, known.matrix.shape[1])
    else:
        leaf = whole_linear(known, chosen, kept)
    top = validation.ndcg(leaf.score(validation.cases))
    fitted.add("linear", leaf, began, **chosen, ndcg=top)
    if known.timed:
        began = time.perf_counter()
        tries = [replace(leaf, decay=decay) for decay in settings.linear.decays]
        leaf, top = _best(tries, validation)
        fitted.add("linear-recent", leaf, began, decay=leaf.decay, ndcg=top)


def linear_blocks(known: Known, kept: np.ndarray) -> dict[str, Tensor]:
    """Gram matrices [kept, kept] of events (with ``event_ridge``), facts and texts."""
    rows = event_rows(known)[:, kept]
    blocks = {"events": gram(rows)}
    blocks["events"].diagonal().add_(torch.from_numpy(event_ridge(known, rows)))
    if known.facts is not None:
        blocks["facts"] = gram(fact_rows(known.facts.matrix)[:, kept])
    if known.text is not None:
        blocks["text"] = gram(known.text.vectors.T.numpy()[:, kept])
    return blocks


def solve_linear(
    blocks: Mapping[str, Tensor], chosen: Mapping[str, float], kept: np.ndarray, items: int
) -> Linear:
    """The closed form for these weights, rounded as a run stores it."""
    total = torch.zeros_like(blocks["events"])
    for name, block in blocks.items():
        total.add_(block, alpha=chosen.get(name, 1.0) ** 2)
    weights = closed_form_of_own(total, chosen["ridge"])
    return Linear(rounded_(weights), kept, items)


def whole_linear(known: Known, chosen: Mapping[str, float], kept: np.ndarray) -> Linear:
    """``solve_linear`` of ``linear_blocks``, added up in one table: for many items."""
    rows = event_rows(known)[:, kept]
    total = gram(rows)
    total.diagonal().add_(torch.from_numpy(event_ridge(known, rows)))
    if known.facts is not None:
        add_gram(total, fact_rows(known.facts.matrix)[:, kept], chosen.get("facts", 1.0) ** 2)
    if known.text is not None:
        add_gram(total, known.text.vectors.T.numpy()[:, kept], chosen.get("text", 1.0) ** 2)
    weights = closed_form_of_own(total, chosen["ridge"])
    return Linear(rounded_(weights), kept, known.matrix.shape[1])


def climb(grid: tuple[float, ...], place: int, mark: Callable[[float], float]) -> float:
    """The best value of a grid, walking uphill from a place: few values are tried."""
    best = mark(grid[place])
    for step in (1, -1):
        moved = False
        while 0 <= place + step < len(grid):
            value = mark(grid[place + step])
            if value <= best:
                break
            place, best, moved = place + step, value, True
        if moved:
            break
    return grid[place]


def start_ridge(known: Known) -> float:
    """A first guess of the ridge: it grows with the events of an item."""
    per_item = known.matrix.nnz / max(1, int((known.matrix.sum(0) > 0).sum()))
    return float(np.clip(8 * per_item, RIDGES[0], RIDGES[-1]))
