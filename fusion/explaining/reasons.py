"""Reasons that are true of the model: paths from the events that carried the item.

First the scores say which events of a history moved an item most; then the graph is asked
what joins these to it. A path from an event that did nothing is no reason, however short.
"""

from dataclasses import dataclass

import numpy as np

from trefoil.data.histories import Cases, Histories
from trefoil.data.interactions import Bools, Ints
from trefoil.fusion.plan.asked import Reals
from trefoil.fusion.requests.state import State
from trefoil.kg.paths.explain import Reason
from trefoil.kg.paths.links import Pairs

CITED = 8  # events that carry an item most, and may begin its reasons
LEAST_SHARE = 0.5  # of what the strongest of them adds


def reasons_for(
    state: State, cases: Cases, items: Ints, most: int, *, dated: bool = False
) -> list[tuple[Reason, ...]]:
    """Up to ``most`` reasons for each item row, for a single case as it was scored.

    They cite events that add at least half of what the strongest event adds to the score of
    the item, the most telling paths first; where none of these is joined to the item, other
    events that were liked, then those that were not. Paths of ``dated`` questions begin at
    an item, for the graph does not say what was known when.
    """
    if not most or not len(items):
        return [()] * len(items)
    key = state.scorer.number, cases.digest, items.tobytes(), most, dated
    return state.held.reasons.get(key, lambda: _found(state, cases, items, most, dated=dated))


def _found(
    state: State, cases: Cases, items: Ints, most: int, *, dated: bool
) -> list[tuple[Reason, ...]]:
    told = state.scorer.contributions(cases, items)
    events = _Events.of(cases.history, told.seen, state.catalogue.low_below)
    asker = -1 if dated else int(cases.user[0])
    out: list[tuple[Reason, ...]] = [()] * len(items)
    left = np.arange(len(items))
    for liked, share in ((True, LEAST_SHARE), (True, None), (False, None)):
        if not len(left) or not (events.liked == liked).any():
            continue
        pairs = events.cited(told.value[left], items[left], liked=liked, share=share)
        found = state.held.paths.cited(pairs, items[left], asker, k=most, liked=liked)
        for at, own in zip(left.tolist(), found, strict=True):
            out[at] = tuple(own)
        left = left[[not own for own in found]]
    return out


@dataclass(frozen=True)
class _Events:
    """Items of a history, each once: how many events ago it was last met, and if it was liked."""

    seen: Ints
    age: Ints
    liked: Bools

    @classmethod
    def of(cls, history: Histories, seen: Ints, low_below: float | None) -> "_Events":
        last = np.zeros(len(seen), np.int64)
        place = np.searchsorted(seen, history.item)
        np.maximum.at(last, place, np.arange(len(place)))
        liked = np.ones(len(seen), bool)
        if low_below is not None and history.stars is not None:
            liked = ~(history.stars[last] < low_below)
        return cls(seen, len(history.item) - 1 - last, liked)

    def cited(self, value: Reals, items: Ints, *, liked: bool, share: float | None) -> Pairs:
        """The events that may be cited for each item, by what they add to it.

        With a ``share`` the few that add at least that share of the most, and paths are
        chosen by it, too; else all.
        """
        open_to = (self.liked == liked) & (self.seen != items[:, None])
        factor = np.ones(value.shape)
        if share is not None:
            added = np.where(open_to, value, 0.0)
            least = share * added.max(1, keepdims=True)
            if added.shape[1] > CITED:
                least = np.maximum(least, -np.partition(-added, CITED - 1, axis=1)[:, [CITED - 1]])
            open_to = (added > 0) & (added >= least)
            factor = added / np.maximum(added.max(1, keepdims=True), 1e-12)
        at, event = np.nonzero(open_to)
        return Pairs(
            at,
            self.seen[event],
            items[at],
            self.age[event],
            factor[at, event],
            value[at, event].astype(np.float64),
        )
