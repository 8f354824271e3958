"""Settings from a file and from ``a.b=value``, with messages that name what is wrong."""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from trefoil.data.errors import ConfigError
from trefoil.data.given import given, path_of
from trefoil.data.refusals import explain
from trefoil.fusion.settings.tree import Settings


def load_settings(
    path: str | Path | None = None,
    changes: Sequence[str] = (),
    base: Settings | None = None,
    tell: bool = True,
) -> Settings:
    """Settings from a TOML file (else ``base``) and ``a.b=value`` changes, in that order.

    Names of earlier versions are read; with ``tell`` a warning gives the name of today.
    Raises ConfigError naming the unknown key, with a suggestion, or the value refused.
    """
    tree: dict[str, Any] = {} if base is None else base.model_dump()
    where = "settings" if path is None else str(path)
    try:
        if path is not None:
            tree = Settings.renamed(_read(path_of("settings", path)), tell)
        for change in given("changes", changes, Sequence, "give a list of a.b=value"):
            tree = _merged(tree, Settings.renamed(_change(change), tell), change)
        return Settings.model_validate(tree)
    except ValidationError as error:
        raise ConfigError(f"{where}: {explain(error, Settings, 'setting', '')}") from None
    except ConfigError:
        raise
    except ValueError as error:
        raise ConfigError(f"{where}: {error}") from None


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file; name a TOML file of settings") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from None


def _change(change: str) -> dict[str, Any]:
    """``a.b=value`` as a tree."""
    name, equals, text = given("change", change, str, "write a.b=value").partition("=")
    if not equals:
        raise ConfigError(f"--set {change!r}: write a.b=value")
    value = _value(text.strip())
    for part in reversed(name.strip().split(".")):
        value = {part: value}
    return value


def _merged(tree: Mapping[str, Any], change: Mapping[str, Any], said: str) -> dict[str, Any]:
    """The tree with the one value of ``change`` in its place."""
    ((name, value),) = change.items()
    if isinstance(value, dict):
        branch = tree.get(name, {})
        if not isinstance(branch, Mapping):
            raise ConfigError(f"--set {said!r}: {name!r} has no branches")
        value = _merged(branch, value, said)
    return {**tree, name: value}


def _value(text: str) -> Any:
    """A TOML value, or plain text."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
