"""Bodies of Gorse's REST interface (version 0.4), as its clients write them."""

import hashlib
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StrictStr

from trefoil.data.errors import DataError

Id = Annotated[StrictStr, Field(min_length=1, max_length=1000)]
Time = Annotated[StrictStr, Field(max_length=40)]
NO_TASTE = ("read",)  # types of feedback that mark an item as met, not as liked


class Named(BaseModel):
    """A body of Gorse; names that we do not know are passed over, as Gorse does."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)


class Feedback(Named):
    """Who met what, how and when."""

    FeedbackType: Id
    UserId: Id
    ItemId: Id
    Timestamp: Time = ""

    def event(self, *, kinds: bool, again: bool) -> dict[str, Any]:
        """As an event; ``again`` for feedback that is written over what was there."""
        key = "\0".join((self.FeedbackType, self.UserId, self.ItemId, *([self.Timestamp] * again)))
        told: dict[str, Any] = {
            "id": "gorse:" + hashlib.sha256(key.encode()).hexdigest()[:32],
            "user": self.UserId,
            "item": self.ItemId,
            "time": moment(self.Timestamp),
        }
        if kinds:
            told["kind"] = self.FeedbackType
        else:
            told["positive"] = self.FeedbackType not in NO_TASTE
        return told


class Item(Named):
    """An item; its comment is its text, and where it has none its labels are."""

    ItemId: Id
    IsHidden: bool = False
    Categories: list[StrictStr] | None = None
    Timestamp: Time = ""
    Labels: Any = None
    Comment: Annotated[StrictStr, Field(max_length=100_000)] = ""

    def row(self) -> dict[str, Any]:
        """As an item of ours."""
        words = [*(self.Categories or []), *texts(self.Labels)]
        return {"id": self.ItemId, "text": " ".join(filter(None, (self.Comment, *words)))}


class User(Named):
    """A user; of it the id counts."""

    UserId: Id


def texts(value: Any) -> list[str]:
    """Texts in labels, which Gorse takes in any shape."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for one in value.values() for text in texts(one)]
    return [text for one in value for text in texts(one)] if isinstance(value, list) else []


def moment(text: str) -> int | None:
    """Unix seconds of a time; None where there is none. Raises DataError."""
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text.replace(" UTC", "+00:00"))
        return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        raise DataError(f"Timestamp {text[:60]!r}: no time; give ISO 8601") from None
