"""Fetch a named source."""

from __future__ import annotations

from pathlib import Path

from data.errors import ConfigError
from data.sources.source import Source


def fetch(source: Source) -> Path:
    raise ConfigError(f"{source.name}: give --data-root")
