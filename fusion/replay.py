"""Changes of a log, made again: what each kind does to a state."""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from trefoil.data.errors import UnknownId
from trefoil.fusion.live.apply import with_awaited, with_events
from trefoil.fusion.live.log import EVENT, Change
from trefoil.fusion.live.told_items import items_told
from trefoil.fusion.past import Event
from trefoil.fusion.requests.state import State

ITEMS, CHANGED, REMOVED, RETURNED = "items", "changed", "removed", "returned"
FACTS, NO_FACTS = "facts", "facts gone"
MERGED, GONE = "merged", "gone"  # people


@dataclass(frozen=True)
class Made:
    """A state after a change, and the ids of the items that it changed."""

    state: State
    items: tuple[str, ...]


def replayed(state: State, changes: Iterable[Change], forgotten: Container[str] = ()) -> State:
    """The state after these changes; events that follow each other are taken in at once.

    Where one of them is that a person was forgotten, whoever is ``forgotten`` is gone after.
    """
    events: list[Event] = []
    somebody_went = False
    for change in changes:
        somebody_went |= change.what == GONE
        if change.what == EVENT:
            positive = change.event[5]
            told = Event(*change.event)
            events.append(told._replace(positive=None if positive is None else bool(positive)))
        else:
            state, events = _after(state, events), []
            state = made(state, change.what, change.body).state
        state = replace(state, number=change.seq)
    state = _after(state, events)
    if somebody_went:
        for person in sorted(one for one in people_of(state) if one in forgotten):
            state = without_person(state, person)
    return state


def people_of(state: State) -> set[str]:
    """Ids of everybody who is known, and of those whose events wait for an item."""
    return {*state.catalogue.users.ids, *(one.user for one in state.catalogue.waiting)}


def made(state: State, what: str, body: Any) -> Made:
    """The state after a change that is no event, told as JSON values."""
    if what == ITEMS:
        items = items_told(body["items"], body.get("categories", {}))
        ids = tuple(str(one["id"]) for one in body["items"])
        return Made(with_items(state, items, _triples(body["triples"])), ids)
    if what in (REMOVED, RETURNED):
        return Made(_marked(state, body, gone=what == REMOVED), tuple(body))
    if what == MERGED:
        return Made(_merged(state, *body), ())
    if what == GONE:  # it names nobody; see ``replayed``
        return Made(state, ())
    return _redescribed(state, what, body)


def with_items(state: State, items: Any, triples: Sequence[tuple[str, str, str]]) -> State:
    """The state with more items, for which events may have waited."""
    from trefoil.fusion.training.add_items import with_new_items

    state = with_new_items(state, items, triples)
    return replace(state, catalogue=with_awaited(state.catalogue))


def _redescribed(state: State, what: str, body: Sequence[Any]) -> Made:
    from trefoil.fusion.training.change_items import (
        with_facts,
        with_other_words,
        without_facts,
    )

    if what == CHANGED:
        rows: Sequence[Mapping[str, Any]] = body
        state, changed = with_other_words(state, rows)
    else:
        how = with_facts if what == FACTS else without_facts
        state, changed = how(state, _triples(body))
    vocabulary = state.catalogue.items.vocabulary
    return Made(state, tuple(vocabulary[row] for row in changed.tolist()))


def without_person(state: State, user: str) -> State:
    """The state in which nobody has this id."""
    from trefoil.fusion.training.known_users import state_without

    waiting = tuple(one for one in state.catalogue.waiting if one.user != user)
    state = replace(state, catalogue=replace(state.catalogue, waiting=waiting))
    return state_without(state, user) if user in state.catalogue.users else state


def _merged(state: State, user: str, into: str) -> State:
    from trefoil.fusion.training.known_users import state_renamed, state_without

    if user not in state.catalogue.users:  # an earlier merge, or forgotten since
        return state
    if into not in state.catalogue.users:
        return state_renamed(state, user, into)
    return state_without(state, user, into)


def _triples(rows: Iterable[Sequence[str]]) -> list[tuple[str, str, str]]:
    return [(head, relation, tail) for head, relation, tail in rows]


def _after(state: State, events: Sequence[Event]) -> State:
    return replace(state, catalogue=with_events(state.catalogue, events)[0]) if events else state


def _marked(state: State, ids: Sequence[str], *, gone: bool) -> State:
    catalogue = state.catalogue
    rows = catalogue.items.vocabulary.rows(ids)
    if (rows < 0).any():
        raise UnknownId(f"unknown item {ids[int(np.argmin(rows))]!r}; give one of the catalogue")
    old = catalogue.removed
    removed = np.zeros(len(catalogue.items), bool) if old is None else old.copy()
    removed[rows] = gone
    return replace(state, catalogue=replace(catalogue, removed=removed if removed.any() else None))
