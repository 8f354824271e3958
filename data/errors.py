"""Faults that a user of the library can mend; each message names place, value and remedy."""

from __future__ import annotations


class ConfigError(ValueError):
    """A setting, flag or ``dataset.toml`` entry is wrong."""


class DataError(ValueError):
    """A table of events, items or users cannot be used."""


class GraphDataError(DataError):
    """A graph file cannot be used."""


class SplitError(ValueError):
    """A split is impossible or would leak."""


class UnknownId(KeyError):
    """An id that no vocabulary holds."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class StoreError(RuntimeError):
    """A graph store failed, refused or cannot be reached."""


class TrainingError(ArithmeticError):
    """Training diverged: a loss or a weight is no longer finite."""
