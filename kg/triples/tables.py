"""Tables of head, relation, tail to triples: csv, tsv and parquet, benchmark files as they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from trefoil.data.compression import open_bytes, unpacked_suffix
from trefoil.data.errors import DataError, GraphDataError
from trefoil.data.interactions import Ints
from trefoil.data.readers.tables import read_table as read_rows
from trefoil.data.report import Quarantined
from trefoil.data.vocabulary import Vocabulary
from trefoil.kg.naming import relationship
from trefoil.kg.triples.triples import Triples, distinct

SUFFIXES = (".csv", ".tsv", ".parquet", ".txt", ".dat", ".kg")
Rows = tuple[pl.DataFrame, Ints, tuple[Quarantined, ...]]  # rows, their lines, and what is none
_COLUMNS = ("head", "relation", "tail")


def triples_of(
    table: pl.DataFrame,
    *,
    names: Mapping[str, str] | None = None,
    types: Mapping[str, str] | None = None,
    allow: tuple[str, ...] = (),
    deny: tuple[str, ...] = (),
    quarantined: tuple[Quarantined, ...] = (),
) -> Triples:
    """Triples of a frame with columns head, relation, tail; any other column is an error.

    ``names`` and ``types`` give the name and the class of an entity. Statements
    are made distinct; ``allow`` and ``deny`` name relations, as written or as
    relationship types.
    """
    if sorted(table.columns) != sorted(_COLUMNS):
        raise GraphDataError(
            f"a table of triples has columns {', '.join(_COLUMNS)}, not {', '.join(table.columns)}"
        )
    table = table.select(pl.col(_COLUMNS).cast(pl.String))
    if any(table[c].null_count() or (table[c] == "").any() for c in _COLUMNS):
        row = table.with_row_index().filter(
            pl.any_horizontal(pl.col(c).is_null() | (pl.col(c) == "") for c in _COLUMNS)
        )[0, "index"]
        raise GraphDataError(f"table of triples, row {row + 1}: an empty cell; remove the row")
    tally = Counter({"statements": len(table)})
    kinds = table["relation"].unique().to_list()
    for listed, inside in ((allow, True), (deny, False)):
        if listed:
            keep = [k for k in kinds if (k in listed or relationship(k) in listed) == inside]
            before = len(table)
            table = table.filter(pl.col("relation").is_in(keep))
            tally["of a relation left out"] += before - len(table)
    ends = pl.concat([table["head"], table["tail"]]).unique().sort()
    entities, head, tail = _coded(ends, table["head"], table["tail"])
    relations, relation = _coded(table["relation"].unique().sort(), table["relation"])
    rows = distinct(head, relation, tail)
    tally["duplicates"] += len(table) - len(rows)
    given = {one: kind for one, kind in (types or {}).items() if one in entities}
    classes = Vocabulary(sorted(set(given.values())))
    members = sorted(zip(entities.rows(given), classes.rows(given.values()), strict=True))
    first, kind, last = np.ascontiguousarray(rows.T)
    return Triples(
        first,
        kind,
        last,
        entities,
        relations,
        np.array(members, np.int64).reshape(-1, 2),
        classes,
        names={one: name for one, name in (names or {}).items() if one in entities},
        counts={reason: n for reason, n in tally.items() if n},
        quarantined=quarantined,
    )


def _coded(texts: pl.Series, *columns: pl.Series) -> tuple[Any, ...]:
    """Sorted texts as a vocabulary, and each column as rows of it."""
    codes = [texts.search_sorted(column).to_numpy().astype(np.int64) for column in columns]
    return Vocabulary(texts.to_list()), *codes


def read_table(
    path: Path | str,
    *,
    names: Path | str | None = None,
    types: Path | str | None = None,
    allow: tuple[str, ...] = (),
    deny: tuple[str, ...] = (),
) -> Triples:
    """A file of triples: csv, tsv or parquet with a header head, relation, tail in any order,
    or three columns without a header, divided by tab, comma or space, as benchmarks come.

    ``names`` and ``types`` are files of two columns, entity and its name or class.
    Raises GraphDataError with file and line.
    """
    frame, bad = read_columns(Path(path), _COLUMNS)
    mappings = [
        None if file is None else dict(read_columns(Path(file), ("entity", kind))[0].iter_rows())
        for file, kind in ((names, "name"), (types, "type"))
    ]
    return triples_of(
        frame, names=mappings[0], types=mappings[1], allow=allow, deny=deny, quarantined=bad
    )


def read_columns(
    path: Path, columns: tuple[str, ...]
) -> tuple[pl.DataFrame, tuple[Quarantined, ...]]:
    """The named text columns of a file, found by its header, or by place where it has none."""
    if unpacked_suffix(path) == ".parquet":
        frame, line, bad = _table(path)
    else:
        with open_bytes(path, GraphDataError) as stream:
            first = stream.readline(1 << 16).decode("utf-8-sig", "replace").rstrip("\r\n")
        cells = _split(first)
        plain = tuple(cell.partition(":")[0].removesuffix("_id") for cell in cells)
        if set(columns) <= set(cells) and unpacked_suffix(path) in (".csv", ".tsv"):
            frame, line, bad = _table(path)
        elif set(columns) <= set(plain):  # head_id:token, as RecBole has it
            frame, line, bad = _bare(path, plain, _separator(first), lines_before=1)
        else:
            frame, line, bad = _bare(path, columns, _separator(first))
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise GraphDataError(
            f"{path}: no column {missing[0]!r} among {', '.join(frame.columns)}; "
            f"name the columns {', '.join(columns)}"
        )
    frame = frame.select(pl.col(columns).cast(pl.String))
    hole = frame.select(
        pl.any_horizontal(pl.col(c).is_null() | (pl.col(c) == "") for c in columns)
    ).to_series()
    holes = [
        Quarantined(str(path), int(line[row]), "an empty cell", frame.row(row, named=True))
        for row in hole.arg_true().to_list()
    ]
    out = (*bad, *holes)
    if len(out) > 0.01 * (len(frame) + len(bad)):
        raise GraphDataError(
            f"{path}: {len(out)} of {len(frame) + len(bad)} rows are broken; the first is line "
            f"{out[0].line} ({out[0].reason}): {out[0].row}"
        )
    return frame.filter(~hole), tuple(sorted(out, key=lambda one: one.line))


def _split(line: str) -> list[str]:
    return [cell.strip().strip('"') for cell in line.split(_separator(line))]


def _separator(line: str) -> str:
    return next((mark for mark in "\t, " if mark in line), ",")


def _table(path: Path) -> Rows:
    try:
        table = read_rows(path)
    except DataError as fault:
        raise GraphDataError(str(fault)) from None
    return table.frame, table.line, table.bad


def _bare(path: Path, columns: tuple[str, ...], mark: str, lines_before: int = 0) -> Rows:
    """Lines of cells without quoting: how benchmark files come."""
    with open_bytes(path, GraphDataError) as stream:
        content = stream.read()
    rows, lines, bad = [], [], []
    for number, raw in enumerate(content.split(b"\n"), 1):
        if number <= lines_before or not raw.strip():
            continue
        try:
            cells = raw.decode("utf-8-sig").rstrip("\r").split(mark)
        except UnicodeDecodeError:
            bad.append(Quarantined(str(path), number, "not UTF-8", repr(raw[:200])))
            continue
        if len(cells) != len(columns):
            reason = f"{len(cells)} cells, not {len(columns)}"
            bad.append(Quarantined(str(path), number, reason, mark.join(cells)[:200]))
            continue
        rows.append(cells)
        lines.append(number)
    frame = pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row")
    return frame, np.array(lines, np.int64), tuple(bad)
