"""From a name or a folder to a ``Dataset``."""

from __future__ import annotations

from pathlib import Path

from data.assemble import assemble
from data.dataset import Dataset, SplitRule
from data.errors import ConfigError
from data.folder import read_folder
from data.sieve import MAX_BAD_SHARE
from data.sources import SOURCES
from data.sources.download import fetch
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
    path = Path(name_or_dir)
    source = SOURCES.get(name_or_dir) if isinstance(name_or_dir, str) else None
    if source is None:
        if not path.is_dir():
            raise ConfigError(
                f"{str(name_or_dir)!r} is neither a folder nor a named dataset; "
                f"{closest(str(name_or_dir), SOURCES, limit=99)}"
            )
        told, tables, own = read_folder(path)
        name, licence = told.name or path.resolve().name, told.licence
    else:
        folder = path
        if not source.embedded:
            folder = source.root(fetch(source) if root is None else Path(root))
        name, tables, own, licence = source.name, source.read(folder), source.rule, source.licence
    chosen = own if rule is None else rule
    return assemble(name, tables, chosen, licence=licence, max_bad_share=max_bad_share)
