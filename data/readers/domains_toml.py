"""A ``dataset.toml`` that names several domains, each a dataset folder of its own."""

from __future__ import annotations

import tomllib
from collections import Counter
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from trefoil.data.dataset import SplitRule
from trefoil.data.errors import ConfigError
from trefoil.data.readers.description import FILE, Part, SplitPart
from trefoil.data.refusals import explain, place_of


class DomainPart(Part):
    path: str  # of a folder with a dataset.toml, beside this one or below
    name: str | None = None  # that of the folder, unless told


class SeveralDomains(Part):
    """What ``dataset.toml`` may say where it names domains."""

    name: str | None = None
    licence: str | None = None
    users: Literal["shared", "apart"] = "shared"  # whether one id is one person everywhere
    domains: Annotated[tuple[DomainPart, ...], Field(min_length=1)]
    split: SplitPart | None = None

    def folders(self, folder: Path) -> dict[str, Path]:
        """The folder of each domain by name, in order of names. Raises ConfigError."""
        places = [
            (one.name or (folder / one.path).resolve().name, one.path) for one in self.domains
        ]
        twice = [name for name, count in Counter(name for name, _ in places).items() if count > 1]
        if twice:
            raise ConfigError(
                f"{folder / FILE}: two domains are called {twice[0]!r}; name one of them otherwise"
            )
        return {name: folder / path for name, path in sorted(places)}

    @property
    def rule(self) -> SplitRule | None:
        """How events are divided, where it is told."""
        part = self.split
        return part and SplitRule(
            part.by, part.valid, part.test, part.repeats, negatives=part.negatives
        )


def read_domains(folder: Path) -> SeveralDomains | None:
    """The domains that ``dataset.toml`` names; None where it names none, or cannot be read.

    Raises ConfigError for an unknown key, and for tables of its own beside domains.
    """
    path = folder / FILE
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return None  # told by who reads it as one dataset
    if "domains" not in content:
        return None
    own = {"interactions", "items", "users", "graph"} & content.keys()
    own = {name for name in own if isinstance(content[name], dict)}
    if own:
        raise ConfigError(
            f"{path}: [{min(own)}] beside [[domains]]: events and items are those of the domains; "
            "move it into the dataset.toml of one of them"
        )
    try:
        return SeveralDomains.model_validate(content)
    except ValidationError as fault:
        key = ".".join(place_of(fault)) or "domains"
        raise ConfigError(f"{path}: {explain(fault, SeveralDomains, 'key', key)}") from None
