"""A named source: what it is called, under which terms, where it comes from, how it is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from trefoil.data.dataset import SplitRule
from trefoil.data.errors import DataError
from trefoil.data.readers.assemble import Tables


@dataclass(frozen=True)
class Remote:
    """One file at its publisher.

    ``checksum`` is ``"sha256:..."`` or ``"md5:..."``; where the publisher renews
    the file and its checksum together, ``checksum_at`` says where that one is.
    A zip archive gives the ``members``, any other file is kept as ``save_as``.
    """

    url: str
    checksum: str | None = None
    checksum_at: str | None = None
    save_as: str | None = None
    members: tuple[str, ...] = ()


@dataclass(frozen=True)
class Source:
    """``read`` turns a folder into tables.

    ``folder`` is its usual name and ``marks`` are files by which it is known;
    an embedded source has neither. Without ``remotes`` the folder has to be
    given: the publisher has no fixed file with a known checksum.
    """

    name: str
    licence: str
    read: Callable[[Path], Tables]
    rule: SplitRule
    folder: str = ""
    marks: tuple[str, ...] = ()
    remotes: tuple[Remote, ...] = ()
    home: str = ""

    @property
    def embedded(self) -> bool:
        return not self.marks

    def root(self, given: Path) -> Path:
        """The folder with the files: ``given``, or its subfolder of the usual name."""
        for root in (given, given / self.folder):
            if any((root / mark).exists() for mark in self.marks):
                return root
        raise DataError(
            f"{given}: not a folder of {self.name}; it should hold {' or '.join(self.marks)}"
        )
