"""A catalogue with events that came: who is new, what counts, and what waits for its item."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from trefoil.data.interactions import UNKNOWN_TIME, Bools, Categorical, Floats, Interactions, Ints
from trefoil.fusion.catalogue import Catalogue
from trefoil.fusion.past import Event


@dataclass(frozen=True)
class Taken:
    """What became of events: how many count, ids of users and of items that were unknown."""

    events: int
    users: tuple[str, ...]
    waiting: tuple[str, ...]


def with_events(catalogue: Catalogue, events: Sequence[Event]) -> tuple[Catalogue, Taken]:
    """The catalogue in which these happened after all that is known.

    Events of items that are not in the catalogue wait in it until these are added.
    """
    rows = catalogue.items.vocabulary.rows(one.item for one in events)
    known = [one for one, row in zip(events, rows.tolist(), strict=True) if row >= 0]
    waiting = [one for one, row in zip(events, rows.tolist(), strict=True) if row < 0]
    users = tuple(dict.fromkeys(one.user for one in known if one.user not in catalogue.users))
    if known:
        vocabulary = catalogue.users.followed_by(users) if users else catalogue.users
        user = vocabulary.rows(one.user for one in known)
        came = interactions_of(catalogue, known, user, rows[rows >= 0])
        catalogue = catalogue.with_events(came, vocabulary)
    if waiting:
        catalogue = replace(catalogue, waiting=(*catalogue.waiting, *waiting))
    return catalogue, Taken(len(known), users, tuple(dict.fromkeys(one.item for one in waiting)))


def with_awaited(catalogue: Catalogue) -> Catalogue:
    """The catalogue in which events count whose items have come; the others go on waiting."""
    if not any(one.item in catalogue.items.vocabulary for one in catalogue.waiting):
        return catalogue
    return with_events(replace(catalogue, waiting=()), catalogue.waiting)[0]


def interactions_of(
    catalogue: Catalogue, events: Sequence[Event], user: Ints, item: Ints
) -> Interactions:
    """These events with the columns of the catalogue; what it has no column for is left out."""
    known = catalogue.events
    stars = None if known.stars is None else _stars(events)
    at = None
    if known.at is not None:
        at = np.array([UNKNOWN_TIME if one.at is None else one.at for one in events], np.int64)
    kind = None if known.kind is None else _codes([one.kind for one in events], known.kind.names)
    contexts = [one.contexts() for one in events] if known.scenario else []
    scenario = {
        name: _codes([one.get(name) for one in contexts], column.names)
        for name, column in known.scenario.items()
    }
    positive = _positive(catalogue, events)
    return Interactions(user, item, positive, stars, at, kind, scenario)


def _stars(events: Sequence[Event]) -> Floats:
    return np.array([np.nan if one.stars is None else one.stars for one in events], np.float32)


def _positive(catalogue: Catalogue, events: Sequence[Event]) -> Bools:
    """Which events count for ranking, by the rules of the dataset."""
    columns = catalogue.columns
    flags = np.array([one.positive is not False for one in events], bool)
    least, target = columns.get("positive_from"), columns.get("target") or ()
    if least is not None:
        flags &= ~(_stars(events) < np.float32(least))
    if target:
        flags &= np.array([one.kind in target for one in events], bool)
    return flags


def _codes(values: Sequence[str | None], names: tuple[str, ...]) -> Categorical:
    """Codes of values; new ones come behind the names that are known."""
    longer = dict.fromkeys((*names, *(one for one in values if one)))
    code_of = {name: code for code, name in enumerate(longer)}
    codes = np.array([code_of.get(one or "", -1) for one in values], np.int64)
    return Categorical(codes, tuple(longer))
