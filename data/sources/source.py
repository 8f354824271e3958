"""A named source: what it is called, under which terms, and how its folder is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from data.assemble import Tables
from data.dataset import SplitRule
from data.errors import DataError


@dataclass(frozen=True)
class Source:
    """``read`` turns a folder into tables; ``folder`` is its usual name, ``marks`` a file in it."""

    name: str
    licence: str
    folder: str
    marks: tuple[str, ...]
    read: Callable[[Path], Tables]
    rule: SplitRule

    def root(self, given: Path) -> Path:
        """The folder with the files: ``given``, or its subfolder of the usual name."""
        for root in (given, given / self.folder):
            if any((root / mark).exists() for mark in self.marks):
                return root
        raise DataError(
            f"{given}: not a folder of {self.name}; it should hold {' or '.join(self.marks)}"
        )
