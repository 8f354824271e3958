"""Request bodies: the keys are the keywords of the Python call of the same name."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    StrictFloat,
    StrictInt,
    StrictStr,
)
from pydantic_core import CoreSchema, core_schema
from typing_extensions import TypedDict

MOST_K, MOST_REASONS, MOST_IDS, MOST_SHELVES = 1000, 10, 10_000, 50


@dataclass(frozen=True)
class Shall:
    """What a value of one of several kinds shall be, said once where it is of none."""

    be: str

    def __get_pydantic_core_schema__(self, kinds: Any, make: GetCoreSchemaHandler) -> CoreSchema:
        message = f"should be {self.be}"
        return core_schema.custom_error_schema(make(kinds), "kind", custom_error_message=message)


Text = Annotated[StrictStr, Field(max_length=1000)]
Whole = Annotated[StrictInt, Field(ge=-(2**63), lt=2**63)]
Id = Annotated[Text | Whole, Shall("an id: text of up to 1000 characters, or a whole number")]
Ids = Annotated[list[Id], Field(max_length=MOST_IDS)]
Told = Annotated[  # an id or a title in a table, whose reader says which numbers are ids
    Text | Whole | StrictFloat | None, Shall("text of up to 1000 characters, or a number")
]
Seen = Literal["auto", "hide", "show"]
State = Annotated[StrictStr, Field(max_length=100, pattern=r"^\d{1,18}-[\w.-]{0,64}$")]
Moment = Annotated[
    Annotated[StrictStr, Field(max_length=40)] | Whole | float,
    Shall("a moment: Unix seconds or ISO 8601"),
]
Met = Annotated[
    Id | tuple[Id, float | None] | tuple[Id, float | None, Moment | None],
    Shall("an item's id, or a list of id, rating and time"),
]
Setting = Annotated[Text | Whole | bool, Shall("text of up to 1000 characters, or a whole number")]
Value = Annotated[
    Text | Whole | float | bool, Shall("text of up to 1000 characters, or a finite number")
]


class Body(BaseModel):
    """A body: names that are unknown are refused."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    def said(self) -> dict[str, Any]:
        """What the call said, as keywords of the Python call."""
        return {name: getattr(self, name) for name in self.model_fields_set if name != "state"}


class Asking(Body):
    """A question, which may have to be answered from a state that has a change."""

    state: State | None = Field(
        None, description="The state of a change's reply: answer from it, or from a later one."
    )


class Recommend(Asking):
    """Whom to recommend to, and how; see ``Recommender.recommend``."""

    user: Id | None = Field(None, description="A user by id; without one, for somebody new.")
    k: int = Field(10, ge=0, le=MOST_K, description="How many items.")
    history: Annotated[list[Met], Field(max_length=MOST_IDS)] | None = Field(
        None,
        description="Items met since the last event that is known, the oldest first: ids, or id, "
        "rating and time.",
    )
    likes: Ids | None = Field(None, description="Items liked, said now.")
    dislikes: Ids | None = Field(None, description="Items not liked, said now.")
    about: dict[Text, Value] | None = Field(
        None, description="Attributes of the user, such as an occupation."
    )
    text: Annotated[StrictStr, Field(max_length=10_000)] | None = Field(
        None, description="What is wanted, in words."
    )
    scenario: dict[Text, Setting] | None = Field(
        None, description="Values of the data's scenario columns, such as device."
    )
    seen: Seen = Field("auto", description="Whether items met before are candidates.")
    only: Ids | None = Field(None, description="Items to choose from.")
    without: Ids | None = Field(None, description="Items to leave out.")
    where: dict[Text, Any] | None = Field(
        None,
        description="What items must be: columns, ranges, relations, a path of the graph; see "
        "docs/recommending.md.",
    )
    boost: Annotated[list[dict[Text, Any]], Field(max_length=50)] | None = Field(
        None, description="Rules: where, and by how many standard deviations of the scores."
    )
    pin: dict[Annotated[str, Field(pattern=r"^[1-9]\d{0,3}$")], Id] | None = Field(
        None, description="Items by the place that they are given, from 1 on."
    )
    per: dict[Text, Annotated[StrictInt, Field(ge=1, le=MOST_K)]] | None = Field(
        None, description="How many of one kind there may be, by column or relation."
    )
    least: Annotated[list[dict[Text, Any]], Field(max_length=20)] | None = Field(
        None, description="Shares of the places: where or popularity, and share."
    )
    diversity: float = Field(0.0, ge=0, le=1, description="0 by score alone, 1 the most diverse.")
    offset: int = Field(0, ge=0, le=100_000, description="How many of the first are passed over.")
    shares: bool = Field(False, description="Tell what each base model adds to each score.")
    at: Moment | None = Field(
        None, description="A moment, as Unix seconds or ISO 8601: what was known before it."
    )
    before: Literal["test"] | None = Field(None, description="Answer as the exam was asked.")
    reasons: int = Field(1, ge=0, le=MOST_REASONS, description="Reasons with each item.")


class Similar(Asking):
    """What goes with one item."""

    item: Id
    k: int = Field(10, ge=0, le=MOST_K)


class Explain(Asking):
    """Why an item suits a user."""

    user: Id
    item: Id
    k: int = Field(3, ge=1, le=MOST_REASONS)


class RankGiven(Asking):
    """Items to put in order for a user."""

    user: Id | None = Field(None, description="A user by id; without one, for somebody new.")
    items: Annotated[list[Id], Field(min_length=1, max_length=MOST_IDS)]
    reasons: int = Field(0, ge=0, le=MOST_REASONS, description="Reasons with each item.")


class Pairs(Asking):
    """Pairs of a user and an item."""

    pairs: Annotated[list[tuple[Id, Id]], Field(min_length=1, max_length=1000)]


class UsersFor(Asking):
    """Whom an item suits."""

    item: Id
    k: int = Field(10, ge=0, le=MOST_K)
    among: Ids | None = Field(None, description="Users to choose from.")
    seen: Seen = Field("auto", description="Whether who met the item is left out.")


class Nodes(Asking):
    """Nodes of the graph that suit a user."""

    user: Id | None = Field(None, description="A user by id; without one, for somebody new.")
    label: Text = Field(description="A label of the graph, such as Person.")
    k: int = Field(10, ge=0, le=MOST_K)


class WhyNot(Asking):
    """Why an item is not among the first items of a user."""

    user: Id | None = Field(None, description="A user by id; without one, for somebody new.")
    item: Id
    k: int = Field(10, ge=1, le=MOST_K, description="How long the list is.")


class WhatIf(Asking):
    """A user's list with another history."""

    user: Id | None = Field(None, description="A user by id; without one, for somebody new.")
    without: Ids = Field(default_factory=list, description="Items, as if they had not been met.")
    with_: Ids = Field(
        default_factory=list, alias="with", description="Items, as if they had been met last."
    )
    without_facts: Annotated[list[tuple[Text, Text, Text]], Field(max_length=100)] = Field(
        default_factory=list,
        description="Facts, as if they did not hold: an item's id, relation, tail.",
    )
    k: int = Field(10, ge=1, le=MOST_K, description="How long the lists are.")


class Cypher(Body):
    """One statement that reads the graph."""

    cypher: Annotated[StrictStr, Field(max_length=20_000)]
    parameters: dict[Text, Any] = Field(default_factory=dict)
    limit: int = Field(100, ge=1, le=10_000, description="At most so many rows.")
    timeout_s: float = Field(5.0, gt=0, le=30, description="Seconds for the statement.")


class ItemRow(TypedDict, total=False):
    """An item, with the columns that items have."""

    __pydantic_config__ = ConfigDict(extra="allow")  # pyright: ignore
    id: Told
    title: Told
    text: Annotated[StrictStr, Field(max_length=1_000_000)] | None


class EventRow(TypedDict, total=False):
    """An event, with the columns that events have."""

    __pydantic_config__ = ConfigDict(extra="allow")  # pyright: ignore
    id: Told
    user: Told
    item: Told


class NewItems(Body):
    """Items to take in by their texts and facts, at once."""

    items: Annotated[list[ItemRow], Field(min_length=1, max_length=1000)] = Field(
        description="Each with id, title, text and the numbers that items had in training."
    )
    triples: Annotated[list[tuple[Text, Text, Text]], Field(max_length=10_000)] = Field(
        default_factory=list, description="Facts: head, relation, tail."
    )


class NewEvents(Body):
    """What happened: who met what."""

    events: Annotated[list[EventRow], Field(min_length=1, max_length=MOST_IDS)] = Field(
        description="Each with user and item, and where known id, time, stars, kind and the "
        "columns of scenarios."
    )


class ItemChanges(Body):
    """Items to describe anew."""

    items: Annotated[list[ItemRow], Field(min_length=1, max_length=1000)] = Field(
        description="Each with id and what changes: title, text, numbers; the rest stays."
    )


class Triples(Body):
    """Facts of items."""

    triples: Annotated[list[tuple[Text, Text, Text]], Field(min_length=1, max_length=10_000)] = (
        Field(description="Head, relation, tail.")
    )


class Merge(Body):
    """Whose events a user's shall be."""

    into: Annotated[
        Annotated[Text, Field(min_length=1)] | Whole, Shall("an id that is not empty")
    ] = Field(description="The user who is known from now on.")


class ItemIds(Body):
    """Items by id."""

    ids: Annotated[list[Id], Field(min_length=1, max_length=MOST_IDS)]


class Swap(Body):
    """What the models of a run shall do; see docs/service.md."""

    action: Literal["swap", "canary", "end_canary", "rollback"] = "swap"
    run: Annotated[StrictStr, Field(max_length=200)] | None = Field(
        None, description="The folder of the model, beside the one that answers now."
    )
    share: float = Field(0.1, ge=0, le=1, description="Of users, for a canary.")
