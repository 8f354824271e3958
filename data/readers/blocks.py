"""Tables read a block of rows at a time, so that a file may be larger than memory."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
import polars as pl
import pyarrow as pa
from pyarrow import parquet

from trefoil.data.compression import open_bytes, open_seekable
from trefoil.data.readers.delimited import Delimited
from trefoil.data.readers.jsonlines import parse_json_blocks, parse_json_lines
from trefoil.data.readers.tables import (
    FileForm,
    Table,
    delimiter_of,
    format_of,
    no_parquet,
    no_such_encoding,
    not_written_as,
)

ROWS, BYTES = 1 << 20, 16 << 20  # of a block: rows of parquet, bytes of lines
BUFFER = 1 << 20  # bytes of a column of parquet that are read at once


@dataclass(frozen=True)
class Blocks:
    """A table as blocks of its rows, in their order; each time it is iterated it is read anew.

    ``source`` is the file, as messages name it. All blocks have the same columns.
    """

    source: str
    read: Callable[[], Iterator[Table]]

    def __iter__(self) -> Iterator[Table]:
        return self.read()

    def changed(self, change: Callable[[Table], Table]) -> Blocks:
        """The same with a change made to each block."""
        return Blocks(self.source, lambda: map(change, self))

    @classmethod
    def of(cls, table: Table | Blocks) -> Blocks:
        """A table in memory as a single block; blocks stay as they are."""
        return table if isinstance(table, Blocks) else cls(table.source, lambda: iter((table,)))


def read_blocks(
    path: Path, form: FileForm | None = None, *, rows: int = ROWS, size: int = BYTES
) -> Blocks:
    """A file as ``read_table`` reads it, in blocks of ``rows`` rows or ``size`` bytes of lines.

    Together the blocks hold the same rows, lines and faults as the table. Raises DataError as
    ``read_table`` does: where the file is of another kind at once, else when the block is
    read.
    """
    form = form or FileForm()
    suffix = format_of(path, form)
    if suffix == ".parquet":
        return Blocks(str(path), lambda: _parquet(path, rows))
    return Blocks(
        str(path), lambda: (_json if suffix == ".jsonl" else _delimited)(path, form, size)
    )


def _parquet(path: Path, rows: int) -> Iterator[Table]:
    done = 0
    with open_seekable(path) as stream:
        frames = _frames(stream, rows)
        while True:
            try:
                frame = next(frames, None)
            except (Exception, pl.exceptions.PanicException) as fault:  # damage has many classes
                raise no_parquet(path, fault) from None
            if frame is None:
                return
            yield Table(str(path), frame, np.arange(done + 1, done + len(frame) + 1))
            done += len(frame)


def _frames(stream: IO[bytes], rows: int) -> Iterator[pl.DataFrame]:
    """Frames of so many rows; a single one without rows where the file has none."""
    # with a buffer a column is read page by page, not at once for all rows of its group
    file = parquet.ParquetFile(stream, buffer_size=BUFFER, pre_buffer=False)
    str(file.schema_arrow)  # names that are no UTF-8 would make polars panic later
    if not file.metadata.num_rows:
        yield _frame(file.schema_arrow.empty_table())
    for batch in file.iter_batches(rows):
        yield _frame(pa.Table.from_batches([batch]))


def _frame(table: pa.Table) -> pl.DataFrame:
    table.validate(full=True)  # text that is no UTF-8 would make polars panic later
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)
    return frame


def _delimited(path: Path, form: FileForm, size: int) -> Iterator[Table]:
    delimiter = delimiter_of(path, form)
    reader = Delimited(
        str(path), delimiter, form.columns or None, form.header, quoting=len(delimiter) == 1
    )
    for block, last in _lines(path, form.encoding, size):
        if (lines := reader.take(block, last=last)) is not None:
            yield Table(str(path), *lines)


def _json(path: Path, form: FileForm, size: int) -> Iterator[Table]:
    first, last = next(_lines(path, form.encoding, size))
    if last:
        found = iter((parse_json_lines(first, str(path)),))
    else:
        del first
        found = parse_json_blocks(
            lambda: (one for one, _ in _lines(path, form.encoding, size)), str(path)
        )
    for lines in found:
        yield Table(str(path), *lines)


def _lines(path: Path, encoding: str | None, size: int) -> Iterator[tuple[bytes, bool]]:
    """Blocks of whole lines, the last line feed of each left out, and which is the last block."""
    with open_bytes(path) as stream:
        waiting = b""  # a block of whole lines, and what began after it
        for piece in _utf8(stream, encoding, path, size):
            if b"\n" in piece and b"\n" in waiting:
                block, _, waiting = waiting.rpartition(b"\n")
                yield block, False
            waiting += piece
    yield waiting, True


def _utf8(stream: IO[bytes], encoding: str | None, path: Path, size: int) -> Iterator[bytes]:
    """What a stream holds, piece by piece, written as UTF-8."""
    if encoding is None:
        yield from iter(lambda: stream.read(size), b"")
        return
    try:
        decoder = codecs.getincrementaldecoder(encoding)()
    except LookupError:
        raise no_such_encoding(path, encoding) from None
    while True:
        piece = stream.read(size)
        try:
            yield decoder.decode(piece, not piece).encode()
        except UnicodeEncodeError:
            raise no_such_encoding(path, encoding) from None
        except UnicodeError as fault:
            raise not_written_as(path, encoding, fault) from None
        if not piece:
            return
