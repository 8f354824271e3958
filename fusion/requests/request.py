"""What a call says, as it was said: one frozen object with the names of Python and of JSON."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal

from trefoil.data.errors import ConfigError
from trefoil.data.suggest import closest

Id = str | int
Seen = Literal["auto", "hide", "show"]


@dataclass(frozen=True, kw_only=True)
class Request:
    """Whom to recommend to, and how; every field is a keyword of ``Recommender.recommend``.

    Nothing is checked here: what has no meaning is refused by name when it is answered.
    """

    user: Id | None = None
    k: int = 10
    history: Iterable[Any] | str | None = None
    text: str | None = None
    likes: Iterable[Id] | None = None
    dislikes: Iterable[Id] | None = None
    about: Mapping[str, Any] | None = None
    scenario: Mapping[str, str] | None = None
    at: object = None
    before: Literal["test"] | None = None
    where: Mapping[str, Any] | None = None
    only: Iterable[Id] | None = None
    without: Iterable[Id] | None = None
    seen: Seen = "auto"
    boost: Iterable[Mapping[str, Any]] | Mapping[str, Any] | None = None
    pin: Mapping[Any, Id] | None = None
    per: Mapping[str, int] | None = None
    least: Iterable[Mapping[str, Any]] | Mapping[str, Any] | None = None
    diversity: float = 0.0
    offset: int = 0
    reasons: int = 1
    shares: bool = False

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> "Request":
        """From JSON or a mapping. Raises ConfigError for a name that is none of these."""
        names = [one.name for one in fields(cls)]
        for name in said:
            if name not in names:
                raise ConfigError(f"a request has no {name!r}; {closest(name, names, limit=30)}")
        return cls(**said)
