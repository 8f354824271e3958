"""What replies look like, for /openapi.json; tests hold replies against these."""

from typing import Any

from pydantic import BaseModel, ConfigDict


class Shape(BaseModel):
    """A reply."""

    model_config = ConfigDict(extra="allow")


class ProblemReply(Shape):
    """A request that got no answer: what was wrong, and what to do (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    remedy: str
    request: str


class PathNodeReply(Shape):
    """A node of a path; the id of another person is empty."""

    label: str
    id: str
    name: str


class PathEdgeReply(Shape):
    """An edge of a path, from the node before or towards it."""

    type: str
    forward: bool


class ReasonReply(Shape):
    """Why: in words, as a path, as a statement."""

    text: str
    weight: float
    nodes: list[PathNodeReply]
    edges: list[PathEdgeReply]
    cypher: str
    parameters: dict[str, Any]


class ItemReply(Shape):
    """One item of a list."""

    item: str
    title: str
    score: float | None
    stars: float | None
    pinned: bool
    shares: dict[str, float] | None
    reasons: list[ReasonReply]


class BasisReply(Shape):
    """What a list rests on."""

    purpose: str
    user_known: bool
    events: int
    told: int
    unknown: list[str]


class DroppedReply(Shape):
    """Why a list is as short as it is: how many items each rule kept out; ``text`` says it."""

    removed: int
    without: int
    only: int
    where: int
    seen: int
    per: int
    short: int
    unknown: list[str]
    text: str


class AnswerReply(Shape):
    """A list, the best first, and which model and state gave it."""

    id: str
    model: str
    state: str
    based_on: BasisReply
    dropped: DroppedReply
    items: list[ItemReply]


class PageReply(Shape):
    """A page of shelves: one list for each body, by one model and state."""

    model: str
    state: str
    shelves: list[AnswerReply]


class ReasonsReply(Shape):
    """The best reasons for a pair."""

    model: str
    state: str
    user: str
    item: str
    reasons: list[ReasonReply]


class PairsReply(Shape):
    """A score for each pair; null where an item is unknown."""

    model: str
    state: str
    pairs: list[dict[str, Any]]


class UsersReply(Shape):
    """Whom an item suits, the best first."""

    model: str
    state: str
    users: list[dict[str, Any]]


class NodesReply(Shape):
    """Nodes whose items suit a user, the best first."""

    model: str
    state: str
    nodes: list[dict[str, Any]]


class GapReply(Shape):
    """What a base model or an event adds to the item, and to the last one listed."""

    name: str
    here: float | None
    there: float | None


class WhyNotReply(Shape):
    """Where an item stands, what keeps it out, and what favours the last one listed."""

    model: str
    state: str
    text: str
    item: str
    title: str
    listed: bool
    kept_out: str | None
    place: int
    score: float | None
    last: str
    models: list[GapReply]
    events: list[GapReply]
    reasons: list[ReasonReply]


class PlacedReply(Shape):
    """An item of a list."""

    item: str
    title: str
    score: float | None


class MoveReply(Shape):
    """Where an item stood and would stand, from 1 on; null where it is no candidate."""

    item: str
    title: str
    before: int | None
    after: int | None


class WhatIfReply(Shape):
    """A list as it is and as it would be."""

    model: str
    state: str
    text: str
    before: list[PlacedReply]
    after: list[PlacedReply]
    moves: list[MoveReply]
    not_met: list[str]


class ChangeReply(Shape):
    """A change: the state that has it, and loaded models that could not follow."""

    model: str
    state: str
    without: list[str]


class EventsReply(ChangeReply):
    """Events that count now, new users, ids of items still unknown, and repeated events."""

    events: int
    users: list[str]
    waiting: list[str]
    repeated: int


class DescribedReply(ChangeReply):
    """Items described anew; ``preview`` tells of lists that would change."""

    items: list[str]
    preview: dict[str, Any] | None


class ItemsReply(ChangeReply):
    """Items that came or went."""


class TableReply(Shape):
    """Rows of a statement; ``cut`` says that there were more."""

    columns: list[str]
    rows: list[list[Any]]
    cut: bool
    seconds: float


class ModelsReply(Shape):
    """The models of a run, and which part of the users each answers."""

    run: str
    model: str
    canary: str | None
    share: float
    before: str | None
    swaps: int


class JobReply(Shape):
    """A job and how it stands."""

    id: str
    run: str
    kind: str
    out: str
    state: str
    said: str
    made: str
    began: str | None
    ended: str | None
