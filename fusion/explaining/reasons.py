"""Reasons that are true of the model: paths from the events that carried the item.

First the scores say which events of a history moved an item most; then the graph is asked
what joins these to it. A path from an event that did nothing is no reason, however short.
"""

from dataclasses import dataclass

import numpy as np

from trefoil.data.histories import Cases, Histories
from trefoil.data.interactions import Bools, Ints
from trefoil.fusion.explaining.beforehand import known_reasons
from trefoil.fusion.plan.asked import Reals
from trefoil.fusion.requests.state import State
from trefoil.kg.paths.explain import Reason
from trefoil.kg.paths.links import Pairs
from trefoil.kg.paths.nearest import Cited

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
    asker = -1 if dated else int(cases.user[0])
    known = known_reasons(state, cases, items) if most == 1 and not dated else {}
    left = np.array([at for at in range(len(items)) if at not in known], np.int64)
    found = [one for one in known.values() if one is not None]

    def made() -> list[tuple[Reason, ...]]:
        told = [*found, *chosen(state, cases, items, left, most, dated=dated)]
        return [tuple(own) for own in state.held.paths.reasons(told, items, asker)]

    if not len(left):  # what the run holds is not kept twice: many objects slow the collector
        return made()
    key = state.scorer.number, cases.digest, items.tobytes(), most, dated
    return state.held.reasons.get(key, made)


def chosen(
    state: State, cases: Cases, items: Ints, left: Ints, most: int, *, dated: bool = False
) -> list[Cited]:
    """The paths that are reasons for those of the item rows that are ``left`` (places)."""
    if not len(left):
        return []
    told = state.scorer.contributions(cases, items[left])
    events = _Events.of(cases.history, told.seen, state.catalogue.low_below)
    asker = -1 if dated else int(cases.user[0])
    value, out = dict(zip(left.tolist(), told.value, strict=True)), []
    for liked, share in ((True, LEAST_SHARE), (True, None), (False, None)):
        if not len(left) or not (events.liked == liked).any():
            continue
        own = np.stack([value[at] for at in left.tolist()])
        pairs = events.cited(own, items[left], liked=liked, share=share)
        pairs = pairs._replace(at=left[pairs.at])
        found = state.held.paths.cited(pairs, asker, k=most, liked=liked)
        out += found
        there = {one.row[0] for one in found}
        left = left[[at not in there for at in left.tolist()]]
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
