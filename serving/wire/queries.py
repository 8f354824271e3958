"""The same questions by an address: query parameters that become bodies."""

import re
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from trefoil.serving.problems import Problem
from trefoil.serving.wire.bodies import MOST_IDS, MOST_K, MOST_REASONS, Recommend, Seen, State

Id = Annotated[str, Field(max_length=1000)]
Ids = Annotated[list[Id], Field(max_length=MOST_IDS)]


class ByAddress(BaseModel):
    """Query parameters: names that are unknown are refused."""

    model_config = ConfigDict(extra="forbid")
    state: State | None = None


class RecommendQuery(ByAddress):
    """``Recommend`` as query parameters; lists are repeated."""

    user: Id | None = None
    k: Annotated[int, Field(ge=0, le=MOST_K)] = 10
    history: Ids = []
    text: Annotated[str, Field(max_length=10_000)] | None = None
    scenario: Annotated[list[Id], Field(max_length=50)] = []
    seen: Seen = "auto"
    only: Ids = []
    without: Ids = []
    likes: Ids = []
    dislikes: Ids = []
    diversity: Annotated[float, Field(ge=0, le=1)] = 0.0
    offset: Annotated[int, Field(ge=0, le=100_000)] = 0
    at: Annotated[str, Field(max_length=40)] | None = None
    reasons: Annotated[int, Field(ge=0, le=MOST_REASONS)] = 1

    def body(self) -> Recommend:
        """As a body. Raises Problem for a scenario without a name."""
        said = {name: getattr(self, name) for name in self.model_fields_set}
        if "scenario" in said:
            said["scenario"] = dict(named(one) for one in self.scenario)
        if "at" in said and self.at is not None and _whole(self.at):
            said["at"] = int(self.at)
        return Recommend(**said)


class SimilarQuery(ByAddress):
    """``Similar`` as query parameters."""

    item: Id
    k: Annotated[int, Field(ge=0, le=MOST_K)] = 10


class ExplainQuery(ByAddress):
    """``Explain`` as query parameters."""

    user: Id
    item: Id
    k: Annotated[int, Field(ge=1, le=MOST_REASONS)] = 3


def named(text: str) -> tuple[str, str]:
    """A name and a value from ``name=value``. Raises Problem 422."""
    name, mark, value = text.partition("=")
    if not mark or not name:
        raise Problem(422, f"scenario: {text[:80]!r}", "give name=value, such as device=phone")
    return name, value


def _whole(text: str) -> bool:
    return re.fullmatch(r"-?[0-9]{1,18}", text) is not None
