"""Learning on from what came in: a new state, while the old one answers."""

import time
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeVar

import numpy as np

from trefoil.data.given import given
from trefoil.data.items import Items
from trefoil.data.progress import Progress
from trefoil.fusion.catalogue import LIVE
from trefoil.fusion.changing import Changing
from trefoil.fusion.preview import first_items
from trefoil.fusion.replay import replayed
from trefoil.fusion.requests.state import State

K = 10


@dataclass(frozen=True)
class Updated:
    """What an update learned from: ``events`` that came since the last fit, by ``users``.

    ``seconds`` of this process (CPU). ``agreement`` with a refit, where it was asked: the
    share of the first ten that both have, over people, and what the refit took.
    """

    state: str
    events: int
    users: int
    items: int
    seconds: float
    agreement: float | None = None
    refit_seconds: float | None = None

    def told(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)

    def __str__(self) -> str:
        said = f"learned from {self.events} events that came, in {self.seconds:.1f} CPU seconds"
        if self.agreement is None or self.refit_seconds is None:
            return said
        return (
            f"{said}; the first {K} agree with a refit ({self.refit_seconds:.1f} s) in "
            f"{100 * self.agreement:.0f} %"
        )


RecommenderT = TypeVar("RecommenderT", bound=Changing)


def at_new_shop(recommender: RecommenderT, items: Items, name: str = "new shop") -> RecommenderT:
    """A recommender for a shop of which nothing is known but its items.

    People there are what they tell: ``recommend(history=[...])``. What goes along reads texts
    and words alone; see ``fusion.training.new_shop``. Raises ConfigError where nothing does.
    """
    from trefoil.fusion.training.new_shop import opened

    given("items", items, Items, "give Items, such as read_dataset(folder).items")
    other = type(recommender)(recommender.settings)
    other.about = {"purpose": "serve", "opened_from": recommender.state.name}
    other.become(opened(recommender.state, items, name))
    return other


def learn_on(
    recommender: Changing, progress: Progress | None = None, *, compare: bool = False
) -> Updated:
    """See ``Recommender.update``."""
    from trefoil.fusion.training.update import updated

    before = recommender.state
    came = before.catalogue.every_part == LIVE
    users = len(np.unique(before.catalogue.every_event.user[came]))
    began = time.process_time()
    after = updated(before, progress)
    seconds = time.process_time() - began
    agreement = refit_seconds = None
    if compare:
        began = time.process_time()
        refit = updated(before, progress, anew=True)
        refit_seconds = time.process_time() - began
        agreement = overlap(after, refit)
    with recommender.changing:
        now = recommender.state
        later = [] if recommender.log is None else recommender.log.rows(before.number)
        state = replayed(after, later, recommender.left_out)  # what came while it learned
        state = replace(state, folder=now.folder, digest=_next(now.digest))
        recommender.become(state)
    recommender.about = {**recommender.about, "updated": before.number}
    counted = int(came.sum()), users, before.added
    return Updated(state.token, *counted, round(seconds, 2), agreement, refit_seconds)


def overlap(one: State, other: State, k: int = K) -> float:
    """The mean share of the first ``k`` items that two states agree in, over people."""
    lists = [first_items(state, k) for state in (one, other)]
    shared = [len(np.intersect1d(a, b)) for a, b in zip(*lists, strict=True)]
    return float(np.mean(shared)) / k if shared else 1.0


def _next(digest: str) -> str:
    """A name for the model until it is saved."""
    name, _, turn = digest.partition("+")
    return f"{name}+{int(turn or 0) + 1}"
