"""Whether what comes still looks like what was learned: numbers, each with a sentence."""

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from trefoil.data.given import given
from trefoil.data.interactions import Interactions
from trefoil.fusion.catalogue import LIVE
from trefoil.fusion.live.languages import languages
from trefoil.fusion.live.seen_answers import Seen
from trefoil.fusion.requests.state import State

Level = Literal["quiet", "watch", "alarm"]
FEWEST = 50  # events or answers below which nothing is said
FEWEST_TEXTS = 10
NEWEST = 2000  # events looked at
DRAWS = 50  # of the popularity that chance alone would show
LETTERS = 20_000  # of texts, by which scripts are counted


@dataclass(frozen=True)
class Finding:
    """One number with what it means; ``name`` is that of a metric."""

    name: str
    value: float
    usual: float | None
    level: Level
    text: str


@dataclass(frozen=True)
class Drift:
    """What was looked at: ``events`` that came since the fit, and ``answers`` that were given."""

    events: int
    answers: int
    findings: tuple[Finding, ...]

    @property
    def level(self) -> Level:
        """The worst of the findings."""
        levels = {one.level for one in self.findings}
        return "alarm" if "alarm" in levels else "watch" if "watch" in levels else "quiet"

    @property
    def sentences(self) -> tuple[str, ...]:
        return tuple(one.text for one in self.findings)

    def numbers(self) -> dict[str, float]:
        """By name, for a service's metrics."""
        return {one.name: one.value for one in self.findings}

    def told(self) -> dict[str, Any]:
        """As JSON values."""
        return {**asdict(self), "level": self.level}


def drift_of(state: State, seen: Seen | None = None) -> Drift:
    """Compare what came since the fit, and the answers ``seen``, with what was learned from."""
    if seen is not None:
        given("seen", seen, Seen, "give the answers as Seen keeps them, or leave it out")
    catalogue = state.catalogue
    every, part = catalogue.every_event, catalogue.every_part
    came = every.take(np.flatnonzero(part == LIVE)[-NEWEST:])
    before = every.take(part != LIVE)
    found: list[Finding | None] = []
    if len(came) >= FEWEST:
        found += [
            _new_people(state, came),
            _cold_items(state, came),
            _popularity(before, came, len(catalogue.items)),
            _stars(state, came),
        ]
    found += [_waiting(state, len(came)), _texts(state), _languages(state)]
    if seen is not None and seen.answers >= FEWEST:
        found += _answers(seen)
    return Drift(len(came), 0 if seen is None else seen.answers, tuple(f for f in found if f))


def _share(name: str, value: float, watch: float, alarm: float, text: str) -> Finding:
    level: Level = "alarm" if value >= alarm else "watch" if value >= watch else "quiet"
    return Finding(name, round(value, 6), None, level, text)


def _new_people(state: State, came: Interactions) -> Finding:
    value = float((came.user >= state.catalogue.knowledge.users).mean())
    text = f"{value:.0%} of what came is by people who were not there when the model learned."
    return _share("new_users_share", value, 0.5, 0.8, text)


def _cold_items(state: State, came: Interactions) -> Finding:
    seen = state.scorer.parts.seen
    value = float((~seen[came.item]).mean())
    text = f"{value:.0%} of what came is about items without an event in training."
    return _share("cold_items_share", value, 0.2, 0.5, text)


def _waiting(state: State, came: int) -> Finding | None:
    waiting = len(state.catalogue.waiting)
    if came + waiting < FEWEST:
        return None
    value = waiting / (came + waiting)
    text = f"{value:.0%} of what came waits for items that the catalogue does not hold."
    return _share("unknown_items_share", value, 0.05, 0.2, text)


def _popularity(before: Interactions, came: Interactions, items: int) -> Finding:
    """Jensen-Shannon divergence of item counts, beside what as many draws would show by chance.

    In bits, 0 to 1. A tenth more than chance is watched, a quarter more an alarm.
    """
    usual = np.bincount(before.item, minlength=items).astype(float)
    now = np.bincount(came.item, minlength=items).astype(float)
    usual /= max(usual.sum(), 1.0)
    rng = np.random.default_rng(0)
    drawn = [divergence(usual, one) for one in rng.multinomial(len(came), usual, DRAWS)]
    chance = float(np.quantile(drawn, 0.95))
    value = divergence(usual, now)
    level: Level = "quiet"
    if value > chance:
        level = "alarm" if value - chance > 0.25 else "watch" if value - chance > 0.1 else "quiet"
    words = {"quiet": "as it was", "watch": "moving", "alarm": "not what the model learned"}
    text = (
        f"What is popular is {words[level]}: divergence {value:.2f} bits, where chance alone "
        f"would show up to {chance:.2f}."
    )
    return Finding("popularity_shift", round(value, 6), round(chance, 6), level, text)


def divergence(one: NDArray[Any], other: NDArray[Any]) -> float:
    """Jensen-Shannon divergence of two tables of counts, in bits: 0 alike, 1 disjoint."""
    one, other = (part / max(part.sum(), 1e-12) for part in (one, other))
    middle = (one + other) / 2

    def part(side: NDArray[Any]) -> float:
        there = side > 0
        return float((side[there] * np.log2(side[there] / middle[there])).sum())

    return max(0.0, (part(one) + part(other)) / 2)


def _stars(state: State, came: Interactions) -> Finding | None:
    """Ratings that came against those expected, of people whom the model knows."""
    if came.stars is None or state.scorer.ratings is None:
        return None
    rated = ~np.isnan(came.stars) & (came.user < state.catalogue.knowledge.users)
    rated &= came.item < state.scorer.parts.learned
    if rated.sum() < FEWEST:
        return None
    events = came.take(rated)
    people, place = np.unique(events.user, return_inverse=True)
    none = state.catalogue.scenario_codes(None, len(people))
    expected = state.scorer.stars(state.catalogue.cases(people, none))
    assert expected is not None
    assert events.stars is not None
    error = expected[place, events.item] - events.stars
    bias, spread = float(error.mean()), float(events.stars.std())
    size = abs(bias) / max(spread, 1e-6)
    level: Level = "alarm" if size > 0.5 else "watch" if size > 0.2 else "quiet"
    text = (
        f"Ratings are expected {abs(bias):.2f} {'above' if bias > 0 else 'below'} those given, "
        f"over {len(error)} that came (their spread is {spread:.2f})."
    )
    return Finding("stars_bias", round(bias / max(spread, 1e-6), 6), 0.0, level, text)


def _texts(state: State) -> Finding | None:
    """Scripts and lengths of the texts of items that came, against those of training."""
    old, new = _old_and_new(state)
    if min(len(old), len(new)) < FEWEST_TEXTS:
        return None
    usual, now = scripts(old), scripts(new)
    value = _apart(usual, now)
    lengths = [float(np.median([len(one) for one in part])) for part in (old, new)]
    ratio = lengths[1] / max(lengths[0], 1.0)
    far = value > 0.3 or not 0.2 < ratio < 5
    level: Level = "alarm" if far else "watch" if value > 0.1 or not 0.4 < ratio < 2.5 else "quiet"
    most = max(now, key=lambda name: now[name]).lower()
    text = (
        f"Texts of {len(new)} items that came are mostly {most} and {ratio:.1f} times as long as "
        f"those that were learned from; their scripts differ by {value:.2f} bits."
    )
    return Finding("text_scripts_shift", round(value, 6), 0.0, level, text)


def _languages(state: State) -> Finding | None:
    """Languages of the texts of items that came, against those of training, where both are told."""
    old, new = _old_and_new(state)
    if min(len(old), len(new)) < FEWEST_TEXTS:  # to read thousands of texts takes seconds
        return None
    usual, now = languages(old[:: max(1, len(old) // NEWEST)]), languages(new[-NEWEST:])
    if min(usual.total(), now.total()) < FEWEST_TEXTS:
        return None
    value = _apart(usual, now)
    level: Level = "alarm" if value > 0.3 else "watch" if value > 0.1 else "quiet"
    (before, many), (most, count) = usual.most_common(1)[0], now.most_common(1)[0]
    text = (
        f"Of texts that came and whose language can be told, {count / now.total():.0%} are "
        f"{most}; of those learned from {many / usual.total():.0%} are {before}."
    )
    return Finding("text_language_shift", round(value, 6), 0.0, level, text)


def _old_and_new(state: State) -> tuple[list[str], list[str]]:
    """Texts of items that were learned from, and of those that came since."""
    learned, texts = state.scorer.parts.learned, state.catalogue.items.texts
    old, new = ([one for one in part if one] for part in (texts[:learned], texts[learned:]))
    return old, new


def _apart(one: Mapping[str, int], other: Mapping[str, int]) -> float:
    """``divergence`` of counts by name."""
    names = sorted({*one, *other})
    first, second = (
        np.array([part.get(name, 0) for name in names], float) for part in (one, other)
    )
    return divergence(first, second)


def scripts(texts: Iterable[str]) -> Mapping[str, int]:
    """Letters by script, as Unicode names it: LATIN, CJK, CYRILLIC."""
    count, left = Counter[str](), LETTERS
    for text in texts:
        letters = [one for one in text[:200] if one.isalpha()]
        count.update(unicodedata.name(one, "OTHER").split(" ")[0] for one in letters)
        left -= len(letters)
        if left <= 0:
            break
    return count


def _answers(seen: Seen) -> list[Finding]:
    said: list[tuple[str, int, float, float, Callable[[float], str]]] = [
        ("unknown_asked_share", seen.unknown, 0.2, 0.5,
         lambda v: f"{v:.0%} of the answers were asked for with an id that is unknown."),
        ("cold_answers_share", seen.cold, 0.4, 0.8,
         lambda v: f"{v:.0%} of the answers rest on no event of the person."),
        ("short_answers_share", seen.short, 0.02, 0.1,
         lambda v: f"{v:.0%} of the lists are shorter than was asked."),
        ("unexplained_share", seen.unexplained, 0.1, 0.3,
         lambda v: f"{v:.0%} of the lists hold an item without a reason, where one was asked."),
    ]  # fmt: skip
    return [
        _share(name, count / seen.answers, watch, alarm, text(count / seen.answers))
        for name, count, watch, alarm, text in said
    ]
