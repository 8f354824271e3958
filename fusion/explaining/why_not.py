"""Why an item is not in a list: what keeps it out, or what those in the list have more of."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from trefoil.fusion.explaining.reasons import reasons_for
from trefoil.fusion.explaining.standing import Life, stands
from trefoil.fusion.requests.state import State
from trefoil.kg.paths.explain import Reason

KeptOut = Literal["seen", "removed"]
SHOWN = 3  # base models and events that are told


@dataclass(frozen=True)
class Gap:
    """What something adds to the score of the item, and to that of the last one listed."""

    name: str
    here: float
    there: float

    @property
    def missing(self) -> float:
        return self.there - self.here


@dataclass(frozen=True)
class WhyNot:
    """Why an item is not among the first ``k`` of a person.

    ``kept_out`` says that it was met before ("seen") or is "removed"; ``place`` is where it
    stands, or would stand if nothing kept it out, and ``listed`` that it is in the list.
    ``last`` is the last item of the list. ``models`` are the base models and ``events`` the
    items of the history that favour it most over this item; the ``reasons`` of ``last`` are
    what it has. Base models are told before the first places are dealt anew by the reranker.
    """

    item: str
    title: str
    listed: bool
    kept_out: KeptOut | None
    place: int
    score: float
    last: str
    last_title: str
    last_score: float
    models: tuple[Gap, ...]
    events: tuple[Gap, ...]
    reasons: tuple[Reason, ...]

    def __str__(self) -> str:
        if self.listed:
            return f"{self.title} is in the list, at place {self.place}"
        if self.kept_out:
            why = "was met before" if self.kept_out == "seen" else "was removed from the catalogue"
            return f"{self.title} {why}; it would stand at place {self.place}"
        parts = [
            f"{self.title} stands at place {self.place}, {self.last_score - self.score:.2f} "
            f"behind {self.last_title}, the last one listed"
        ]
        if self.models:
            parts.append("held back by " + ", ".join(one.name for one in self.models))
        if self.events:
            parts.append("less is said for it by " + ", ".join(one.name for one in self.events))
        return "; ".join(parts)


def why_not(state: State, user: int, item: int, k: int) -> WhyNot:
    """In rows; user -1 is someone never seen."""
    catalogue, life = state.catalogue, Life.of(state, user)
    kept_out: KeptOut | None = None
    if catalogue.removed is not None and catalogue.removed[item]:
        kept_out = "removed"
    elif item in life.hidden:
        kept_out = "seen"
    standing = stands(state, life, opened=item)
    place = int(standing.place[item])
    listed = kept_out is None and place <= k
    others = standing.order[standing.order != item][: k if place > k or kept_out else k - 1]
    last = int(others[-1]) if len(others) else item
    models, events = _gaps(state, life, item, last)
    vocabulary, title = catalogue.items.vocabulary, catalogue.items.title
    return WhyNot(
        *(vocabulary[item], title(item), listed, kept_out, place, float(standing.score[item])),
        *(vocabulary[last], title(last), float(standing.score[last])),
        models,
        events,
        reasons_for(state, life.cases, np.array([last]), SHOWN)[0],
    )


def _gaps(
    state: State, life: Life, item: int, last: int
) -> tuple[tuple[Gap, ...], tuple[Gap, ...]]:
    """Base models and events that add more to the last item listed, the most first."""
    pair = np.array([item, last])
    shares = state.scorer.shares(life.cases, pair)
    models = [Gap(name, *(float(one) for one in told[0])) for name, told in shares.items()]
    told, title = state.scorer.contributions(life.cases, pair), state.catalogue.items.title
    gap = told.value[1] - told.value[0]
    best = np.argsort(-gap, kind="stable")[:SHOWN].tolist()
    events = [
        Gap(title(int(told.seen[at])), *(float(one) for one in told.value[:, at])) for at in best
    ]
    return _largest(models), _largest(events)


def _largest(gaps: list[Gap]) -> tuple[Gap, ...]:
    """Those that favour the other item, the most first; NaN favours nobody."""
    found = [one for one in gaps if one.missing > 0]
    return tuple(sorted(found, key=lambda one: -one.missing)[:SHOWN])
