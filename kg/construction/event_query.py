"""Which relationships a query of events follows from a user to an item, as far as it can be read.

A query is read as patterns of nodes and relationships and the columns it returns;
what is said otherwise (subqueries, renamed variables) is left to comparing pairs.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from trefoil.data.dataset import EventQuery
from trefoil.data.errors import StoreError
from trefoil.kg.cypher.tokens import Token, tokens_of


@dataclass(frozen=True)
class Step:
    """From one node to the next: types of the relationship, whether along it, the next label."""

    types: tuple[str, ...]
    forward: bool
    label: str | None


@dataclass(frozen=True)
class Named:
    """Label and property of users and of items, and the steps from a user to an item."""

    user: tuple[str | None, str]
    item: tuple[str | None, str]
    steps: tuple[Step, ...]

    @property
    def keys(self) -> dict[str, str]:
        """The property that holds the ids, by label."""
        return {label: name for label, name in (self.user, self.item) if label is not None}


@dataclass
class _Patterns:
    """Nodes by variable, with a label where one is told, and what joins them."""

    labels: dict[str, str | None] = field(default_factory=dict)
    joins: list[tuple[str, tuple[str, ...], bool, str]] = field(default_factory=list)


def named_in(query: EventQuery) -> Named | None:
    """What the query says of users, items and the way between; None where it is not plain."""
    try:
        given = tokens_of(query.text)
    except StoreError:
        return None
    user, item = _returned(given, query.user), _returned(given, query.item)
    if user is None or item is None:
        return None
    found = _patterns(given)
    steps = _way(found, user[0], item[0])
    if not steps:
        return None
    label = found.labels.get
    return Named((label(user[0]), user[1]), (label(item[0]), item[1]), steps)


def _returned(given: Sequence[Token], column: str) -> tuple[str, str] | None:
    """Variable and property behind a column: ``u.id AS user``, or the column ``u.id`` itself."""
    for at, token in enumerate(given):
        if token.word == "AS" and at + 1 < len(given) and given[at + 1].named == column:
            before = [one for one in given[:at] if one.text not in ("(", ")")]
            if len(before) > 2 and before[-2].text == ".":
                return before[-3].named, before[-1].named
    variable, dot, name = column.partition(".")
    return (variable, name) if dot else None


def _patterns(given: Sequence[Token]) -> _Patterns:
    found, at = _Patterns(), 0
    while at < len(given):
        node = _node(given, at, found)
        if node is None:
            at += 1
            continue
        name, at = node
        while (join := _join(given, at)) is not None:
            types, forward, after = join
            node = _node(given, after, found)
            if node is None:
                break
            other, at = node
            found.joins.append((name, types, forward, other))
            name = other
    return found


def _node(given: Sequence[Token], at: int, found: _Patterns) -> tuple[str, int] | None:
    """A node ``(u:User {id: 1})``: its variable (or one made up), and where it ends."""
    if at >= len(given) or given[at].text != "(":
        return None
    start, at, name, label = at, at + 1, "", None
    if at < len(given) and given[at].kind in ("word", "name"):
        name, at = given[at].named, at + 1
    if at + 1 < len(given) and given[at].text == ":":
        label, at = given[at + 1].named, at + 2
        while at + 1 < len(given) and given[at].text in (":", "&"):
            at += 2
    if at < len(given) and given[at].text == "{":
        at = _closing(given, at, "{", "}")
    if at >= len(given) or given[at].text != ")":
        return None
    name = name or f"({start})"
    found.labels[name] = found.labels.get(name) or label
    return name, at + 1


def _join(given: Sequence[Token], at: int) -> tuple[tuple[str, ...], bool, int] | None:
    """A relationship ``-[r:RATED]->``: its types, whether it points on, and where it ends."""
    if at >= len(given) or given[at].text not in ("-", "<-"):
        return None
    back, at, types = given[at].text == "<-", at + 1, []
    if at < len(given) and given[at].text == "[":
        end = _closing(given, at, "[", "]")
        inner = given[at + 1 : end - 1]
        colon = next((k for k, one in enumerate(inner) if one.text == ":"), None)
        if colon is not None:
            for one in inner[colon + 1 :]:
                if one.kind in ("word", "name"):
                    types.append(one.named)
                elif one.text not in ("|", ":"):
                    break
        at = end
    if at >= len(given) or given[at].text not in ("-", "->"):
        return None
    return tuple(types), not back, at + 1


def _closing(given: Sequence[Token], at: int, opening: str, closing: str) -> int:
    depth = 0
    for place in range(at, len(given)):
        depth += (given[place].text == opening) - (given[place].text == closing)
        if not depth:
            return place + 1
    return len(given)


def _way(found: _Patterns, user: str, item: str) -> tuple[Step, ...]:
    """The shortest way over the patterns from one variable to another; empty if there is none."""
    ways: dict[str, tuple[Step, ...]] = {user: ()}
    left = deque([user])
    while left and item not in ways:
        here = left.popleft()
        for one, types, forward, other in found.joins:
            for begin, end, along in ((one, other, forward), (other, one, not forward)):
                if begin == here and end not in ways:
                    ways[end] = (*ways[here], Step(types, along, found.labels.get(end)))
                    left.append(end)
    return ways.get(item, ())
