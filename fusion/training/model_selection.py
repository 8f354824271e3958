"""All leaves of a dataset, fitted: each answers ``score(cases)`` from what it knows."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from trefoil.fusion.features.content import carried
from trefoil.fusion.features.idf import idf_rows
from trefoil.fusion.features.training_data import Known, most_met
from trefoil.fusion.features.validation import Validation
from trefoil.fusion.models.als import factorise
from trefoil.fusion.models.base import Leaf, LeafT
from trefoil.fusion.models.demographics import people_alike
from trefoil.fusion.models.linear import (
    Linear,
    add_gram,
    closed_form_of_own,
    event_ridge,
    event_rows,
    fact_rows,
    gram,
    rounded_,
)
from trefoil.fusion.models.neighbours import Profile, Returning, next_items, random_walk
from trefoil.fusion.models.popularity import asked_later, popular
from trefoil.fusion.settings import Settings

log = logging.getLogger(__name__)

RIDGES = (30.0, 60.0, 120.0, 250.0, 500.0, 1000.0)
FACT_WEIGHTS = (1.0, 2.0, 3.0)
TEXT_WEIGHTS = (2.0, 4.0, 6.0)
SEARCH_ITEMS = 3000  # that the search for the linear leaf's numbers looks at
PULLS = (0.0, 1.0, 2.0, 4.0)  # of a past event per context equal to now
HALF_LIVES = (3.0, 7.0, 20.0, 60.0, 180.0)  # days
FACTOR_GRID = ((20.0, 10.0), (20.0, 2.0), (30.0, 3.0))  # ridge, alpha


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


@dataclass(frozen=True)
class Search:
    """Where the few numbers of a base model come from: a validation part, or an earlier fit.

    ``given`` holds what was chosen before, by base model; then nothing is searched.
    """

    validation: Validation | None
    given: Mapping[str, Mapping[str, float]] | None = None

    def takes(self, name: str) -> bool:
        """Whether the earlier fit, if there was one, took this base model in."""
        return self.given is None or name in self.given

    def values(self, name: str, number: str, grid: Sequence[float]) -> Sequence[float]:
        """The values to try for a number of a base model."""
        return grid if self.given is None else (self.given[name][number],)

    def mark(self, leaf: Leaf) -> float:
        """NDCG@10 on validation; NaN without it."""
        if self.validation is None:
            return float("nan")
        return self.validation.ndcg(leaf.score(self.validation.cases))

    def best(self, tries: Sequence[LeafT]) -> tuple[LeafT, float]:
        """The base model that serves validation best, and its NDCG@10."""
        marks = [self.mark(one) for one in tries]
        at = int(np.argmax(marks)) if len(tries) > 1 else 0
        return tries[at], marks[at]


def fit_cheap_leaves(
    known: Known, search: Search, settings: Settings, say: Callable[[str], None]
) -> Fitted:
    """Every leaf but the network, each with its few numbers from ``search``."""
    fitted = Fitted()
    items = known.matrix.shape[1]
    if settings.linear.on:
        say("linear leaf")
        fit_linear(known, search, settings, fitted)
    began = time.perf_counter()
    if settings.factors:
        say("factors leaf")
        grid = FACTOR_GRID
        if search.given is not None:
            chosen = search.given["factors"]
            grid = ((chosen["ridge"], chosen["alpha"]),)
        tries = [
            factorise(known.matrix, ridge=ridge, alpha=alpha, seed=settings.seed)
            for ridge, alpha in grid
        ]
        leaf, mark = search.best(tries)
        numbers = {"ridge": leaf.ridge, "alpha": leaf.alpha, "ndcg": mark}
        leaf = replace(leaf, carried=carried(leaf.items, known))
        fitted.add("factors", leaf, began, **numbers)
    if settings.walks:
        began = time.perf_counter()
        fitted.add("walks", random_walk(known.matrix), began)
    if settings.next_items and known.timed:
        began = time.perf_counter()
        fitted.add("next-items", next_items(known.history, items), began)
    if settings.returning and known.returning:
        began = time.perf_counter()
        pulls = search.values("returning", "pull", PULLS)
        leaf, mark = search.best([Returning(items, pull) for pull in pulls])
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
    _fit_popularity(known, search, settings, fitted)
    return fitted


def _fit_popularity(known: Known, search: Search, settings: Settings, fitted: Fitted) -> None:
    """What many met, and lately, where validation comes after training and it serves it better."""
    began = time.perf_counter()
    ever = popular(known)
    fitted.add("popularity", ever, began)
    later = search.validation is not None and asked_later(known, search.validation.cases)
    if not (settings.lately and (later or search.given)) or not search.takes("popular-lately"):
        return
    began = time.perf_counter()
    days = search.values("popular-lately", "half_life", HALF_LIVES)
    leaf, mark = search.best([popular(known, one) for one in days])
    if search.given is not None or mark > search.mark(ever):
        fitted.add("popular-lately", leaf, began, half_life=leaf.half_life, ndcg=mark)


def fit_linear(known: Known, search: Search, settings: Settings, fitted: Fitted) -> None:
    """The linear leaf: ridge, weight of facts and of texts, over the items that take part."""
    began = time.perf_counter()
    if search.given is None:
        chosen = _search_linear(known, search)
    else:
        chosen = {n: v for n, v in search.given["linear"].items() if n != "ndcg"}
    kept = most_met(known.matrix, settings.linear.max_items)
    if len(kept) > SEARCH_ITEMS:
        leaf = whole_linear(known, chosen, kept)
    else:
        leaf = solve_linear(linear_blocks(known, kept), chosen, kept, known.matrix.shape[1])
    fitted.add("linear", leaf, began, **chosen, ndcg=search.mark(leaf))
    if known.timed and search.takes("linear-recent"):
        began = time.perf_counter()
        decays = search.values("linear-recent", "decay", settings.linear.decays)
        leaf, top = search.best([replace(leaf, decay=decay) for decay in decays])
        fitted.add("linear-recent", leaf, began, decay=leaf.decay, ndcg=top)


def _search_linear(known: Known, search: Search) -> dict[str, float]:
    """Ridge, weight of facts and of texts by coordinate search.

    The search looks at the items with most events, because a solution costs the
    cube of the items; the numbers found are then used for all that take part.
    """
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
            tried[key] = search.mark(solve_linear(blocks, choice, small, known.matrix.shape[1]))
        return tried[key]

    for name, grid in grids.items():
        place = int(np.argmin([abs(np.log(value / chosen[name])) for value in grid]))
        chosen[name] = climb(grid, place, lambda value, n=name: mark(chosen | {n: value}))
    return chosen


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
    weights = rounded_(closed_form_of_own(total, chosen["ridge"]))
    return Linear(weights, kept, items, ridge=chosen["ridge"], rows=_row_weights(chosen))


def whole_linear(known: Known, chosen: Mapping[str, float], kept: np.ndarray) -> Linear:
    """``solve_linear`` of ``linear_blocks``, added up in one table: for many items."""
    rows = event_rows(known)[:, kept]
    total = gram(rows)
    total.diagonal().add_(torch.from_numpy(event_ridge(known, rows)))
    if known.facts is not None:
        add_gram(total, fact_rows(known.facts.matrix)[:, kept], chosen.get("facts", 1.0) ** 2)
    if known.text is not None:
        add_gram(total, known.text.vectors.T.numpy()[:, kept], chosen.get("text", 1.0) ** 2)
    weights = rounded_(closed_form_of_own(total, chosen["ridge"]))
    items = known.matrix.shape[1]
    return Linear(weights, kept, items, ridge=chosen["ridge"], rows=_row_weights(chosen))


def _row_weights(chosen: Mapping[str, float]) -> dict[str, float]:
    """The weights of the rows of facts and texts that took part."""
    return {name: chosen[name] for name in ("facts", "text") if name in chosen}


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
