"""Rows set aside, with file, line and reason: nothing is dropped without a trace."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from data.errors import DataError
from data.interactions import Bools, Ints
from data.report import DataReport, Quarantined
from data.tables import Table

MAX_BAD_SHARE = 0.01


class Sieve:
    """Which rows of one table are good. A row is set aside once, for the first reason found."""

    def __init__(self, table: Table, max_bad_share: float = MAX_BAD_SHARE) -> None:
        self.table = table
        self.max_bad_share = max_bad_share
        self.good: Bools = np.ones(len(table), bool)
        self._refused: list[tuple[Ints, str]] = []
        self._cells: list[tuple[Ints, str]] = []
        self.judge()

    def refuse(self, bad: Bools, reason: str) -> None:
        """Set rows aside."""
        rows = np.flatnonzero(bad & self.good)
        if len(rows):
            self.good[rows] = False
            self._refused.append((rows, reason))

    def note(self, bad: Bools, reason: str) -> None:
        """Record rows of which one value is unusable; they stay, without that value."""
        rows = np.flatnonzero(bad & self.good)
        if len(rows):
            self._cells.append((rows, reason))

    def quarantined(self) -> tuple[Quarantined, ...]:
        """All rows set aside, in order of line. Raises DataError where they are too many."""
        self.judge()
        found = list(self.table.bad)
        for rows, reason in (*self._refused, *self._cells):
            lines = self.table.line[rows].tolist()
            found += [
                Quarantined(self.table.source, line, reason, self.table.row(row))
                for row, line in zip(rows.tolist(), lines, strict=True)
            ]
        return tuple(sorted(found, key=lambda one: (one.line, one.reason)))

    def judge(self) -> None:
        """Raises DataError where more rows are bad than allowed."""
        touched = [rows for rows, _ in (*self._refused, *self._cells)]
        bad = len(self.table.bad)
        if touched:
            bad += len(np.unique(np.concatenate(touched)))
        total = len(self.table) + len(self.table.bad)
        if bad <= self.max_bad_share * total:
            return
        line, reason, shown = self._first()
        raise DataError(
            f"{self.table.source}: {bad} of {total} rows are unusable, more than the share of "
            f"{self.max_bad_share:.3g} allowed; the first is line {line} ({reason}): {shown}; "
            "mend them, or allow more with max_bad_share"
        )

    def _first(self) -> tuple[int, str, str]:
        firsts = [(one.line, one.reason, str(one.row)) for one in self.table.bad[:1]]
        for rows, reason in (*self._refused, *self._cells):
            row = int(rows[0])
            firsts.append((int(self.table.line[row]), reason, str(self.table.row(row))))
        line, reason, shown = min(firsts)
        return line, reason, shown if len(shown) <= 200 else shown[:200] + " ..."


def write_quarantine(report: DataReport, path: Path) -> int:
    """One JSON object a line: file, line, reason and the row as read. Returns how many."""
    beside = path.with_name(path.name + ".part")
    with beside.open("w", encoding="utf-8") as file:
        for one in report.quarantined:
            row = one.row if isinstance(one.row, str) else dict(one.row)
            entry = {"file": one.file, "line": one.line, "reason": one.reason, "row": row}
            file.write(json.dumps(entry, ensure_ascii=False) + "\n")
    beside.replace(path)
    return len(report.quarantined)
