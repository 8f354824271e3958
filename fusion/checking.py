"""What any recommender must keep to: checks that anyone can run on an implementation."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from trefoil.data.errors import ConfigError, DataError
from trefoil.fusion.requests import arguments

NOBODY = "a user that nobody knows \u2603"
NOTHING = "an item that nobody knows \u2603"


@dataclass(frozen=True)
class Given:
    """An implementation, and ids that it knows."""

    rec: Any
    users: list[str]
    items: list[str]

    def ids(self, user: str | None = None, **said: Any) -> list[str]:
        """The items of an answer."""
        return [one.item for one in self.rec.recommend(user, **said)]


def check_recommender(recommender: Any, users: Sequence[str], items: Sequence[str]) -> list[str]:
    """Hold an implementation of ``recommend`` and ``recommend_many`` to what callers rely on.

    ``users`` and ``items`` are at least two ids each that it knows. Returns the names of the
    checks that were passed, in words; raises DataError that names the first that was not.
    """
    users, items = arguments.ids("users", users), arguments.ids("items", items)
    if len(users) < 2 or len(items) < 2:
        raise ConfigError("check_recommender: give at least two users and two items")
    passed = []
    for check in CHECKS:
        words = (check.__doc__ or check.__name__).strip().rstrip(".")
        try:
            kept = check(Given(recommender, list(users), list(items)))
        except Exception as fault:  # whatever an implementation raises is its fault
            raise DataError(f"check_recommender: {words}: raised {fault!r}") from fault
        if not kept:
            raise DataError(f"check_recommender: {words}: not so")
        passed.append(words)
    return passed


def _length(given: Given) -> bool:
    """A list has at most k items, none twice, and k = 0 is an empty list."""
    found = given.ids(given.users[0], k=5)
    return (
        0 < len(found) <= 5
        and len(set(found)) == len(found)
        and not given.rec.recommend(given.users[0], k=0)
    )


def _order(given: Given) -> bool:
    """Scores are finite and fall from first to last."""
    scores = [float(one.score) for one in given.rec.recommend(given.users[0], k=50)]
    finite = all(abs(one) < float("inf") for one in scores)
    return finite and scores == sorted(scores, reverse=True)


def _prefix(given: Given) -> bool:
    """A shorter list is the beginning of a longer one."""
    return given.ids(given.users[0], k=3) == given.ids(given.users[0], k=10)[:3]


def _same(given: Given) -> bool:
    """The same question has the same answer, whatever was asked between."""
    first = given.ids(given.users[0], k=10)
    given.rec.recommend(given.users[1], k=3, history=[given.items[0]])
    return first == given.ids(given.users[0], k=10)


def _stranger(given: Given) -> bool:
    """A user that nobody knows gets the list of somebody without an id."""
    return given.ids(NOBODY, k=5) == given.ids(k=5) != []


def _unknown(given: Given) -> bool:
    """An unknown item of a history changes nothing."""
    return given.ids(given.users[0], k=5, history=[NOTHING]) == given.ids(given.users[0], k=5)


def _limits(given: Given) -> bool:
    """``only`` and ``without`` are kept to."""
    only = given.ids(given.users[0], k=10, only=given.items[:2], seen="show")
    without = given.ids(given.users[0], k=10_000, without=given.items[:2], seen="show")
    return set(only) == set(given.items[:2]) and not set(without) & set(given.items[:2])


def _seen(given: Given) -> bool:
    """What is told as history is no candidate where seen="hide"."""
    return given.items[0] not in given.ids(k=10_000, history=[given.items[0]], seen="hide")


def _many(given: Given) -> bool:
    """A table answers as one by one, in the order of the users."""
    table = given.rec.recommend_many([given.users[0], NOBODY, given.users[1]], k=3)
    pairs = list(zip(table["user"], table["item"], strict=True))
    users = given.users[0], NOBODY, given.users[1]
    told = [(user, item) for user in users for item in given.ids(user, k=3)]
    return pairs == told


CHECKS: tuple[Callable[[Given], bool], ...] = (
    _length, _order, _prefix, _same, _stranger, _unknown, _limits, _seen, _many,
)  # fmt: skip
