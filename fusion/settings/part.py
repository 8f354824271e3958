"""What every branch of the settings tree has: checks, and names of earlier versions."""

import logging
from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, model_validator

log = logging.getLogger(__name__)


class Part(BaseModel):
    """One branch of the tree; unknown names are refused, names of version 0.1.0 are read."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
    earlier: ClassVar[dict[str, str]] = {}  # names of version 0.1.0, to those of today

    @model_validator(mode="before")
    @classmethod
    def _renamed(cls, tree: Any) -> Any:
        return cls.renamed(tree) if isinstance(tree, dict) else tree

    @classmethod
    def renamed(cls, tree: Mapping[str, Any], tell: bool = True, place: str = "") -> dict[str, Any]:
        """The tree under the names of today; a warning tells each that is old.

        Raises ValueError where both names of a setting are given.
        """
        today: dict[str, Any] = {}
        for name, value in tree.items():
            new = cls.earlier.get(name, name)
            if new != name and new in tree:
                raise ValueError(f"{place}{name} is called {new} now; give one of them")
            if new != name and tell:
                log.warning("the setting %s%s is called %s%s now", place, name, place, new)
            kind = cls.model_fields[new].annotation if new in cls.model_fields else None
            if isinstance(value, Mapping) and isinstance(kind, type) and issubclass(kind, Part):
                value = kind.renamed(value, tell, f"{place}{new}.")
            today[new] = value
        return today
