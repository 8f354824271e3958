"""What was read, what was set aside, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from trefoil.data.order import FileOrder


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

    Whoever gave a rating below ``low_below`` did not like what was rated: it is
    ``positive_from`` of the dataset, or else the value that ``data.readers.ratings``
    proposes; None where no rating can be called low. ``kinds`` counts the
    events of each behaviour. ``file_order`` says how the event table was sorted: the
    events themselves do not keep that order.
    """

    counts: Mapping[str, int | float | str] = field(default_factory=dict)
    quarantined: tuple[Quarantined, ...] = ()
    warnings: tuple[str, ...] = ()
    low_below: float | None = None
    kinds: Mapping[str, int] = field(default_factory=dict)
    file_order: FileOrder | None = None

    @property
    def reasons(self) -> dict[str, int]:
        return dict(Counter(row.reason for row in self.quarantined))

    def table(self) -> pl.DataFrame:
        """Columns what, value, note: a row for each count, reason to set aside, and note."""
        rows: list[tuple[str, str | None, str | None]] = [
            (name, _shown(value), None) for name, value in self.counts.items()
        ]
        rows += [("events of a behaviour", str(n), kind) for kind, n in self.kinds.items()]
        if self.low_below is not None:
            rows.append(("ratings are low below", _shown(self.low_below), None))
        rows += [("set aside", str(n), reason) for reason, n in self.reasons.items()]
        rows += [("note", None, warning) for warning in self.warnings]
        schema = [(name, pl.String) for name in ("what", "value", "note")]
        return pl.DataFrame(rows, schema=schema, orient="row")

    def __str__(self) -> str:
        """One line a fact."""
        return "\n".join(
            f"{what}: {' x '.join(part for part in (value, note) if part is not None)}"
            for what, value, note in self.table().iter_rows()
        )

    def _repr_html_(self) -> str:
        with pl.Config(tbl_rows=-1, fmt_str_lengths=1000, tbl_hide_dataframe_shape=True):
            return self.table()._repr_html_()


def _shown(value: float | str) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
