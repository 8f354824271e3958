"""What callers hand over is of the kind that is meant, or is refused by name, in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

from trefoil.data.errors import ConfigError

T = TypeVar("T")
SHOWN = 60  # characters of a value that a message repeats


def given(name: str, value: Any, kind: type[T], remedy: str) -> T:
    """The value, where it is of this kind. Raises ConfigError that names it and the remedy."""
    if isinstance(value, kind):
        return value
    raise ConfigError(f"{name} = {shown(value)}: {remedy}")


def path_of(name: str, value: object) -> Path:
    """A path of text or of a path. Raises ConfigError for what no file can be called."""
    if isinstance(value, str | Path) and "\0" not in str(value):
        return Path(value)
    raise ConfigError(f"{name} = {shown(value)}: give a path, as text or as pathlib.Path")


def shown(value: object) -> str:
    """A value as Python writes it; of one that is long, what kind it is."""
    text = repr(value)
    return text if len(text) <= SHOWN and "\n" not in text else f"a {type(value).__name__}"
