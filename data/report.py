"""What was read, what was set aside, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from data.order import FileOrder


@dataclass(frozen=True)
class Quarantined:
    """One row that was set aside: nothing is dropped without a trace."""

    file: str
    line: int
    reason: str
    row: Mapping[str, Any] | str


@dataclass(frozen=True)
class DataReport:
    """Counts of a dataset as read; ``quarantined`` holds every row set aside.

    ``file_order`` says how the event table was sorted: the events themselves
    do not keep that order.
    """

    counts: Mapping[str, int | float | str] = field(default_factory=dict)
    quarantined: tuple[Quarantined, ...] = ()
    warnings: tuple[str, ...] = ()
    file_order: FileOrder | None = None

    @property
    def reasons(self) -> dict[str, int]:
        return dict(Counter(row.reason for row in self.quarantined))
