"""What a scoring plan is made of: arrays and numbers that a run can hold."""

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from trefoil.fusion.plan.forms import Form
from trefoil.fusion.plan.known import KnownQueries, KnownReasons, Shortlist
from trefoil.fusion.plan.ratings import Ratings
from trefoil.fusion.plan.reranking import Reranking


@dataclass(frozen=True)
class AddedItems:
    """How items that came after training are weighed; see ``ColdStartItems``."""

    weights: tuple[float, ...]
    like_cold: bool


@dataclass(frozen=True)
class Parts:
    """Base models as forms with their weights, and what is done with the blend.

    ``seen`` marks the items with training events; those from ``learned`` on came after
    training. ``cold_users`` names the models that answer for people without events, with
    their weights, where others do not. ``within`` are the weights in place of ``warm`` for
    who asks in a domain, by its place.
    """

    names: tuple[str, ...]
    forms: tuple[Form, ...]
    warm: tuple[float, ...]
    cold: tuple[float, ...]
    offset: float
    seen: NDArray[np.bool_]
    learned: int
    scenarios: bool
    cold_users: tuple[tuple[str, float], ...] = ()
    others: tuple[tuple[str, Form], ...] = ()  # forms that cold users need, without a weight
    added: AddedItems | None = None
    reranking: Reranking | None = None
    ratings: Ratings | None = None
    domain: NDArray[np.int64] | None = None  # of each item
    known: KnownQueries | None = None
    reasons: KnownReasons | None = None
    shortlist: Shortlist | None = None
    within: tuple[tuple[float, ...], ...] = ()

    @property
    def items(self) -> int:
        return len(self.seen)

    @property
    def beforehand(self) -> dict[str, int | float]:
        """Of how many people queries and reasons are known beforehand, and megabytes of each."""
        queries, reasons = self.known, self.reasons
        found: dict[str, int | float] = {}
        if queries is not None:
            found |= {"people": len(queries.digest), "queries_mb": _megabytes(queries)}
        if reasons is not None:
            found |= {"reasons_of": len(reasons.digest), "reasons_mb": _megabytes(reasons)}
        return found

    def form(self, name: str) -> Form:
        """The form of a base model by its name."""
        return {**dict(self.others), **dict(zip(self.names, self.forms, strict=True))}[name]

    def heard(self) -> "Parts":
        """Without base models that nothing is made of."""
        needed = [name for name, _ in self.cold_users]
        kept = [
            place
            for place, name in enumerate(self.names)
            if self.reranking is not None
            or any(warm[place] for warm in (self.warm, *self.within))
            or self.cold[place]
            or (self.added is not None and self.added.weights[place])
        ]
        others = dict(self.others) | {
            name: form
            for place, (name, form) in enumerate(zip(self.names, self.forms, strict=True))
            if place not in kept and name in needed
        }
        added = self.added and AddedItems(
            tuple(self.added.weights[place] for place in kept), self.added.like_cold
        )
        return replace(
            self,
            names=tuple(self.names[place] for place in kept),
            forms=tuple(self.forms[place] for place in kept),
            warm=tuple(self.warm[place] for place in kept),
            cold=tuple(self.cold[place] for place in kept),
            within=tuple(tuple(warm[place] for place in kept) for warm in self.within),
            others=tuple(others.items()),
            added=added,
        )


def _megabytes(one: KnownQueries | KnownReasons) -> float:
    arrays = (getattr(one, each.name) for each in fields(one))
    return round(sum(a.nbytes for a in arrays if isinstance(a, np.ndarray)) / 1e6, 1)
