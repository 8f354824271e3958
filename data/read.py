"""From a name or a folder to a ``Dataset``."""

from __future__ import annotations

from pathlib import Path

from data.assemble import assemble
from data.dataset import Dataset, SplitRule
from data.errors import ConfigError
from data.sieve import MAX_BAD_SHARE
from data.sources import SOURCES
from data.suggest import closest


def read_dataset(
    name_or_dir: str | Path,
    *,
    root: str | Path | None = None,
    rule: SplitRule | None = None,
    max_bad_share: float = MAX_BAD_SHARE,
) -> Dataset:
    """A folder with a ``dataset.toml``, or a named source.

    ``root`` is a folder that already holds a named source; without it the
    source is downloaded from its publisher. ``rule`` replaces the split rule.
    More than ``max_bad_share`` of bad rows in a table stops. Raises ConfigError
    and DataError, which name file, line, value and remedy.
    """
    source = SOURCES.get(str(name_or_dir))
    if source is None:
        raise ConfigError(f"no dataset {str(name_or_dir)!r}; {closest(str(name_or_dir), SOURCES)}")
    if root is None:
        raise ConfigError(f"{source.name}: give --data-root")
    folder = source.root(Path(root))
    return assemble(
        source.name,
        source.read(folder),
        source.rule if rule is None else rule,
        licence=source.licence,
        max_bad_share=max_bad_share,
    )
