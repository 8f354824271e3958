"""One table from one file or frame: columns as text or as typed, and the line of every row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
from pyarrow import parquet

from trefoil.data.compression import PACKED, read_bytes, unpacked_suffix
from trefoil.data.errors import DataError
from trefoil.data.interactions import Ints
from trefoil.data.readers.delimited import parse_delimited
from trefoil.data.readers.jsonlines import parse_json_lines
from trefoil.data.report import Quarantined
from trefoil.data.suggest import closest

FORMATS = (".csv", ".tsv", ".parquet", ".jsonl")
FOREIGN = (".xlsx", ".xls", ".json", ".feather", ".zip", ".npy")  # no lines, or not of cells


@dataclass(frozen=True)
class FileForm:
    """How a file writes its rows, where its suffix does not say.

    Without ``header`` the first line is a row, and the columns are called as in
    ``columns``, or else 1, 2 and so on. With a ``delimiter`` any suffix is read as
    lines; one of several characters leaves quotes as they are.
    """

    delimiter: str | None = None
    encoding: str | None = None
    header: bool = True
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """Rows as read. Text formats give text columns, exactly as written; frames keep their types.

    ``line`` is the line in the file (the row, counted from 1, in parquet and in
    frames). ``bad`` holds lines that are no rows at all.
    """

    source: str
    frame: pl.DataFrame
    line: Ints
    bad: tuple[Quarantined, ...] = ()

    def __len__(self) -> int:
        return len(self.frame)

    def column(self, name: str, meaning: str) -> pl.Series:
        """One column. Raises DataError that names the file and the nearest column."""
        if name not in self.frame.columns:
            names = self.frame.columns
            hint = "; name header = false if the first line is a row" if _row_like(names) else ""
            raise DataError(
                f"{self.source}: no column {name!r}, which is to hold the {meaning}; "
                f"{closest(name, names)}{hint}"
            )
        return self.frame[name]

    def rows(self, at: Ints) -> list[dict[str, Any]]:
        """Some rows as plain values, for the quarantine."""
        return [
            {
                name: value if isinstance(value, (str, int, float, bool, list)) else str(value)
                for name, value in row.items()
                if value is not None
            }
            for row in self.frame[at].iter_rows(named=True)
        ]

    @classmethod
    def of(cls, frame: pl.DataFrame, source: str) -> Table:
        """A table of a frame in memory; rows count from 1."""
        return cls(source, frame, np.arange(1, len(frame) + 1))


def read_table(path: Path, form: FileForm | None = None) -> Table:
    """A csv, tsv, parquet or jsonl file, plain or packed, or lines in another form.

    Raises DataError where the file is missing, damaged, or of another format.
    """
    form = form or FileForm()
    suffix = format_of(path, form)
    content = read_bytes(path)
    if suffix == ".parquet":
        return Table.of(_parquet(content, path), str(path))
    if form.encoding is not None:
        content = _as_utf8(content, form.encoding, path)
    if suffix == ".jsonl":
        return Table(str(path), *parse_json_lines(content, str(path)))
    delimiter = delimiter_of(path, form)
    frame, line, bad = parse_delimited(
        content,
        str(path),
        delimiter,
        names=form.columns or None,
        header=form.header,
        quoting=len(delimiter) == 1,
    )
    return Table(str(path), frame, line, bad)


def delimiter_of(path: Path, form: FileForm) -> str:
    """What stands between the cells of a file of lines."""
    return form.delimiter or ("\t" if unpacked_suffix(path) == ".tsv" else ",")


def _as_utf8(content: bytes, encoding: str, path: Path) -> bytes:
    try:
        return content.decode(encoding).encode()
    except (LookupError, UnicodeEncodeError):
        raise no_such_encoding(path, encoding) from None
    except UnicodeError as fault:
        raise not_written_as(path, encoding, fault) from None


def no_such_encoding(path: Path, encoding: str) -> DataError:
    return DataError(
        f"{path}: encoding {encoding!r} is unknown; name one such as 'utf-16' or 'latin-1'"
    )


def not_written_as(path: Path, encoding: str, fault: UnicodeError) -> DataError:
    return DataError(f"{path}: not written as {encoding} ({fault}); name another encoding")


def _row_like(names: Sequence[str]) -> bool:
    """Whether names of columns are rather the values of a first row: two or more are numbers."""
    return sum(name.strip().replace(".", "", 1).lstrip("-").isdigit() for name in names) > 1


def delimited_table(
    content: bytes, source: str, delimiter: str, names: Sequence[str] | None = None
) -> Table:
    """A table of lines without quotes and with any delimiter, as some publishers write them."""
    frame, line, bad = parse_delimited(content, source, delimiter, names=names, quoting=False)
    return Table(source, frame, line, bad)


def json_table(content: bytes, source: str) -> Table:
    """A table of JSON lines, whatever their file is called."""
    frame, line, bad = parse_json_lines(content, source)
    return Table(source, frame, line, bad)


def format_of(path: Path, form: FileForm) -> str:
    """The suffix that says how a file is read. Raises DataError for one of another kind."""
    suffix = unpacked_suffix(path)
    if suffix in FORMATS or (form.delimiter and suffix not in FOREIGN):
        return suffix
    raise DataError(
        f"{path}: unknown kind of file; use one of {', '.join(FORMATS)}, plain or "
        f"{', '.join(PACKED)}, or name the delimiter of its lines"
    )


def _parquet(content: bytes, path: Path) -> pl.DataFrame:
    """Through pyarrow: the reader of polars panics on damaged bytes."""
    try:
        table = parquet.read_table(pa.BufferReader(content))
        table.validate(full=True)  # text that is no UTF-8 would make polars panic later
        str(table.schema)  # names that are no UTF-8 would, too
        frame = pl.from_arrow(table)
    except (Exception, pl.exceptions.PanicException) as fault:  # damage has many classes
        raise no_parquet(path, fault) from None
    assert isinstance(frame, pl.DataFrame)
    return frame


def no_parquet(path: Path, fault: BaseException) -> DataError:
    """What to say of a parquet file that a reader objects to."""
    said = (str(fault).splitlines() or [type(fault).__name__])[0]
    return DataError(f"{path}: no readable parquet file ({said}); write it again")
