"""How a call deals its list: what is lifted, what has a fixed place, and how much is alike."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from trefoil.data.errors import ConfigError
from trefoil.data.interactions import Bools, Floats, Ints
from trefoil.data.suggest import closest
from trefoil.evaluation.by_group import PARTS
from trefoil.fusion.requests import arguments
from trefoil.fusion.requests.groups import Groups
from trefoil.fusion.requests.request import Request
from trefoil.fusion.requests.state import State
from trefoil.kg.graph import ITEM, USER

BY_POPULARITY = {"popularity", "share"}
LARGEST = 100.0  # of a boost, in spreads
LAST_PLACE = 1_000_000_000  # that an item may be pinned to


@dataclass(frozen=True)
class Cap:
    """At most so many items of one group."""

    groups: Groups
    most: int


@dataclass(frozen=True)
class Floor:
    """At least a share of the places from the first to any for some items [items]."""

    items: Bools
    share: float


@dataclass(frozen=True)
class Rules:
    """``lift`` [items] is added to the scores, in standard deviations of a person's scores.

    Item ``pinned[j]`` stands at place ``places[j]``, counted from 0, ascending. ``diversity``
    is 0 for none and 1 for most. ``unknown`` is what the rules name that nothing has.
    """

    lift: Floats | None = None
    places: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    pinned: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    caps: tuple[Cap, ...] = ()
    floors: tuple[Floor, ...] = ()
    diversity: float = 0.0
    unknown: tuple[str, ...] = ()

    @property
    def choose(self) -> bool:
        """Whether an item's place depends on those before it."""
        return bool(self.caps or self.floors or self.diversity)


NONE = Rules()


def rules_of(state: State, request: Request, left_out: Ints, unknown: tuple[str, ...]) -> Rules:
    """The rules of a call; ``unknown`` goes before what they name that nothing has.

    ``left_out`` [rows] are no candidates, pinned or not. Raises ConfigError.
    """
    said = request.boost, request.pin, request.per, request.least
    if said == (None,) * len(said) and request.diversity == 0:
        return Rules(unknown=unknown) if unknown else NONE
    missing = list(unknown)
    places, pinned = _pins(state, request.pin, left_out, missing)
    diversity = _share("diversity", request.diversity)
    if diversity and not state.scorer.vectors_width:
        missing.append("diversity: this run holds no vectors of items")
        diversity = 0.0
    return Rules(
        _lift(state, request.boost, missing),
        places,
        pinned,
        _caps(state, request.per, missing),
        _floors(state, request.least, missing),
        diversity,
        tuple(dict.fromkeys(missing)),
    )


def _lift(state: State, boost: Any, missing: list[str]) -> Floats | None:
    """What each item gains by all boosts."""
    if boost is None:
        return None
    listed = _entries("boost", boost, "{'where': ..., 'by': 0.3}")
    lift = np.zeros(len(state.catalogue.items), np.float32)
    for one in listed:
        if not isinstance(one, Mapping) or set(one) != {"where", "by"}:
            raise ConfigError(f"boost = {one!r}: give where and by, such as 'by': 0.3")
        found = state.fitting(one["where"])
        missing += [f"boost {name}" for name in found.unknown]
        lift[found.mask] += np.float32(_number("boost by", one["by"], -LARGEST, LARGEST))
    return lift


def _pins(state: State, pin: Any, left_out: Ints, missing: list[str]) -> tuple[Ints, Ints]:
    """Places from 0 on, ascending, and the items there; those that may not be shown are told."""
    if pin is None:
        return NONE.places, NONE.pinned
    if not isinstance(pin, Mapping):
        raise ConfigError(f"pin = {pin!r}: give places and items, such as {{1: 'i44'}}")
    items, removed = state.catalogue.items.vocabulary, state.catalogue.removed
    gone = (
        set(left_out.tolist())
        if removed is None
        else {*left_out.tolist(), *np.flatnonzero(removed).tolist()}
    )
    found: dict[int, int] = {}
    for said, one in pin.items():
        whole = int(said) if isinstance(said, str) and said.isdecimal() else said
        place, id = arguments.whole("pin: a place", whole, 1), arguments.one_id("pin", one)
        if place > LAST_PLACE or place - 1 in found:
            why = "has an item already" if place - 1 in found else f"is beyond {LAST_PLACE:,}"
            raise ConfigError(f"pin = {pin!r}: place {place} {why}")
        row = int(items.rows([id])[0])
        if row < 0 or row in gone or row in found.values():
            why = "" if row < 0 else ": left out or removed" if row in gone else ": pinned twice"
            missing.append(f"pin {place}={id}{why}")
        else:
            found[place - 1] = row
    places = sorted(found)
    return np.array(places, np.int64), np.array([found[one] for one in places], np.int64)


def _caps(state: State, per: Any, missing: list[str]) -> tuple[Cap, ...]:
    if per is None:
        return ()
    if not isinstance(per, Mapping):
        raise ConfigError(
            f"per = {per!r}: give a column or relation and a number: {{'DIRECTOR': 2}}"
        )
    items, caps = state.catalogue.items, []
    for name, most in per.items():
        most = arguments.whole(f"per {name}", most, 1)
        groups = state.groups(str(name))
        if groups is None:
            graph = state.held.graph
            names = [
                *items.category,
                *items.score,
                *(one[1] for one in graph.edges if ITEM in one and USER not in one),
            ]
            missing.append(f"per {name}: {closest(str(name), dict.fromkeys(names), limit=9)}")
        else:
            caps.append(Cap(groups, most))
    return tuple(caps)


def _floors(state: State, least: Any, missing: list[str]) -> tuple[Floor, ...]:
    """The groups that have a share of the places, by what items are or how popular they are."""
    if least is None:
        return ()
    floors = []
    for one in _entries("least", least, "{'where': ..., 'share': 0.3}"):
        if not isinstance(one, Mapping) or set(one) not in ({"where", "share"}, BY_POPULARITY):
            told = "give share, and where or popularity, such as 'popularity': 'rare'"
            raise ConfigError(f"least = {one!r}: {told}")
        share = _share("least share", one["share"])
        if "where" in one:
            found = state.fitting(one["where"])
            missing += [f"least {name}" for name in found.unknown]
            floors.append(Floor(found.mask, share))
        else:
            part = arguments.one_of("least popularity", one["popularity"], PARTS)
            floors.append(Floor(state.popularity(part), share))
    return tuple(floors)


def _entries(name: str, said: Any, example: str) -> Iterable[Any]:
    """A list of rules, of which one may stand alone. Raises ConfigError."""
    listed = [said] if isinstance(said, Mapping) else said
    if isinstance(listed, str) or not isinstance(listed, Iterable):
        raise ConfigError(f"{name} = {said!r}: give a list of {example}")
    return listed


def _share(name: str, value: object) -> float:
    return _number(name, value, 0.0, 1.0)


def _number(name: str, value: object, least: float, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        raise ConfigError(f"{name} = {value!r}: give a number from {least:g} to {most:g}")
    if not least <= float(value) <= most:
        raise ConfigError(f"{name} = {value!r}: give a number from {least:g} to {most:g}")
    return float(value)
