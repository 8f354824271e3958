"""Rows set aside, with file, line and reason: nothing is dropped without a trace."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from trefoil.data.errors import DataError
from trefoil.data.files import write_file
from trefoil.data.interactions import Bools, Ints
from trefoil.data.readers import columns as read
from trefoil.data.readers.missing import IN_CELLS, IN_NUMBERS, WRITTEN, emptied
from trefoil.data.readers.tables import Table
from trefoil.data.report import DataReport, Quarantined

Found = tuple[Ints, str, str | None]  # rows, what is wrong with them, the column to look at

MAX_BAD_SHARE = 0.01
MOST_NOBODY = 0.5  # share of rows without an id above which the column is doubted
ALLOW = "--max-bad-share (max_bad_share in dataset.toml and in Python)"


class Sieve:
    """Which rows of one table are good. A row is set aside once, for the first reason found.

    Three things are told apart. A row that cannot be used is *refused*, and too
    many of them stop. A row that belongs to nobody is *left out*. A value that
    cannot be used is *noted*, and its row stays without it.
    """

    def __init__(
        self,
        table: Table,
        max_bad_share: float = MAX_BAD_SHARE,
        missing_ids: Sequence[str] = WRITTEN,
    ) -> None:
        self.table = table
        self.rows = len(table)  # that were read, also where the table holds some of them
        self.max_bad_share = max_bad_share
        self.missing_ids = missing_ids
        self.good: Bools = np.ones(len(table), bool)
        self._refused: list[Found] = []
        self._left: list[Found] = []
        self._cells: list[Found] = []
        self._missing: dict[str, dict[str, int]] = {}

    @classmethod
    def together(cls, parts: Sequence[Sieve]) -> Sieve:
        """What the sieves of a table's blocks found; of the rows it holds those set aside."""
        if len(parts) == 1:
            return parts[0]
        first, kept, before = parts[0], [one._only_set_aside() for one in parts], 0
        tables = [one.table for one in kept]
        table = Table(
            first.table.source,
            pl.concat([one.frame for one in tables], how="vertical_relaxed"),
            np.concatenate([one.line for one in tables]),
            tuple(row for one in tables for row in one.bad),
        )
        whole = cls(table, first.max_bad_share, first.missing_ids)
        whole.rows = sum(one.rows for one in parts)
        for one in kept:
            for there, found in zip(whole._all(), one._all(), strict=True):
                _add(there, [(rows + before, why, name) for rows, why, name in found])
            for name, words in one._missing.items():
                counts = whole._missing.setdefault(name, {})
                for word, count in words.items():
                    counts[word] = counts.get(word, 0) + count
            before += len(one.table)
        for name, words in whole._missing.items():
            whole._missing[name] = dict(sorted(words.items(), key=lambda one: (-one[1], one[0])))
        return whole

    def _all(self) -> tuple[list[Found], ...]:
        return self._refused, self._left, self._cells

    def _only_set_aside(self) -> Sieve:
        """The same with a table of those rows alone that something is said of."""
        found = [rows for each in self._all() for rows, _, _ in each]
        rows = np.unique(np.concatenate([np.zeros(0, np.int64), *found]))
        table = self.table
        table = Table(table.source, table.frame[rows], table.line[rows], table.bad)
        small = Sieve(table, self.max_bad_share, self.missing_ids)
        small.rows, small._missing = self.rows, self._missing
        for there, each in zip(small._all(), self._all(), strict=True):
            there += [(np.searchsorted(rows, at), reason, name) for at, reason, name in each]
        return small

    def ids(self, name: str, meaning: str) -> pl.Series:
        """Ids of a column; rows without one are left out, and so are words for nothing."""
        column = self.table.column(name, f"{meaning} id")
        first = int(self.table.line[0]) if len(self.table) else 1
        ids, found = emptied(read.ids(column, self.table.source, first), self.missing_ids)
        self._note_words(name, found)
        ids = ids.fill_null("")
        self._set_aside(self._left, (ids == "").to_numpy(), f"empty {meaning} id", name)
        return ids

    def cells(self, name: str, meaning: str, *, numeric: bool = False) -> pl.Series:
        """A column in which words for a missing value are empty; how often is noted."""
        column = self.table.column(name, meaning)
        if isinstance(column.dtype, (pl.List, pl.Array)):
            column = read.plain(column)
        words = IN_NUMBERS if numeric else IN_CELLS
        column, found = emptied(column, words, any_case=numeric)
        self._note_words(name, found)
        return column

    def refuse(self, bad: Bools, reason: str, column: str | None = None) -> None:
        """Set rows aside that cannot be used; ``column`` is the one to look at."""
        self._set_aside(self._refused, bad, reason, column)

    def pass_over(self, copies: Bools) -> None:
        """Leave out rows that say what another row says; nothing is lost, so none is kept."""
        self.good &= ~copies

    def note(self, bad: Bools, reason: str, column: str) -> None:
        """Record rows of which one value is unusable; they stay, without that value."""
        rows = np.flatnonzero(bad & self.good)
        if len(rows):
            self._cells.append((rows, reason, column))

    def notes(self) -> tuple[str, ...]:
        """Which words were read as missing values, in which columns, and who was left out."""
        source = Path(self.table.source).name
        said = []
        for name, found in self._missing.items():
            shown = ", ".join(f"{word!r} {count}" for word, count in list(found.items())[:4])
            said.append(
                f"{source}: {sum(found.values())} cells in column {name!r} say nothing "
                f"({shown}) and are read as missing values"
            )
        for rows, reason, name in self._left:
            said.append(f"{source}: {len(rows)} rows are left out: {reason} in column {name!r}")
        return tuple(said)

    def quarantined(self) -> tuple[Quarantined, ...]:
        """All rows set aside, in order of line. Raises DataError where they are too many."""
        self.judge()
        found = list(self.table.bad)
        for rows, reason, _ in (*self._refused, *self._left, *self._cells):
            lines = self.table.line[rows].tolist()
            found += [
                Quarantined(self.table.source, line, reason, row)
                for row, line in zip(self.table.rows(rows), lines, strict=True)
            ]
        return tuple(sorted(found, key=lambda one: (one.line, one.reason)))

    def judge(self) -> None:
        """Raises DataError where more rows cannot be used than allowed, or most have no id."""
        for rows, reason, name in self._left:
            if len(rows) > MOST_NOBODY * self.rows:
                raise DataError(
                    f"{self.table.source}: {len(rows)} of {self.rows} rows have an {reason} "
                    f"in column {name!r}, first on line {int(self.table.line[rows[0]])}; "
                    "name another column, or give a table of which most rows have an id"
                )
        bad = len(self.table.bad) + sum(len(rows) for rows, _, _ in self._refused)
        total = self.rows + len(self.table.bad)
        if bad <= self.max_bad_share * total:
            return
        reason, count, others, line, shown = self._commonest()
        more = f", or allow more with {ALLOW}" if self.max_bad_share else ""
        raise DataError(
            f"{self.table.source}: {bad} of {total} rows are unusable, more than the share of "
            f"{self.max_bad_share:.3g} allowed; the commonest reason is {reason!r} ({count} rows), "
            f"first on line {line}: {shown};{others} mend them{more}"
        )

    def _note_words(self, name: str, found: dict[str, int]) -> None:
        if found:
            self._missing[name] = found

    def _set_aside(self, where: list[Found], bad: Bools, reason: str, column: str | None) -> None:
        rows = np.flatnonzero(bad & self.good)
        if len(rows):
            self.good[rows] = False
            where.append((rows, reason, column))

    def _commonest(self) -> tuple[str, int, str, int, str]:
        """The commonest reason, its count, what else there is, its first line and row."""
        count: dict[str, int] = {}
        first: dict[str, tuple[int, str]] = {}
        for one in self.table.bad:
            count[one.reason] = count.get(one.reason, 0) + 1
            first.setdefault(one.reason, (one.line, str(one.row)))
        for rows, reason, column in self._refused:
            count[reason] = count.get(reason, 0) + len(rows)
            shown = str(_led_by(column, self.table.rows(rows[:1])[0]))
            first.setdefault(reason, (int(self.table.line[rows[0]]), shown))
        ordered = sorted(count, key=lambda reason: (-count[reason], first[reason][0]))
        top, rest = ordered[0], ordered[1:4]
        others = " also ".join(["", ", ".join(f"{reason!r} ({count[reason]})" for reason in rest)])
        line, shown = first[top]
        shown = shown if len(shown) <= 200 else shown[:200] + " ..."
        return top, count[top], f"{others};" if rest else "", line, shown


def _add(there: list[Found], found: list[Found]) -> None:
    """Rows of a later block join those that were set aside for the same reason."""
    for rows, reason, name in found:
        at = next((i for i, one in enumerate(there) if one[1:] == (reason, name)), None)
        if at is None:
            there.append((rows, reason, name))
        else:
            there[at] = (np.concatenate([there[at][0], rows]), reason, name)


def _led_by(column: str | None, row: Mapping[str, Any]) -> dict[str, Any]:
    """A row with the column to look at in front, so that a cut leaves it."""
    return {name: row[name] for name in sorted(row, key=lambda name: name != column)}


def write_quarantine(report: DataReport, path: Path) -> int:
    """One JSON object a line: file, line, reason and the row as read. Returns how many."""
    lines = []
    for one in report.quarantined:
        row = one.row if isinstance(one.row, str) else dict(one.row)
        entry = {"file": one.file, "line": one.line, "reason": one.reason, "row": row}
        lines.append(json.dumps(entry, ensure_ascii=False) + "\n")
    write_file(path, "".join(lines))
    return len(report.quarantined)
