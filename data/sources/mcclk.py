"""The arrays of MCCLK (SIGIR 2022): labelled pairs and triples under entity numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from trefoil.data.compression import read_bytes
from trefoil.data.dataset import GraphSource
from trefoil.data.errors import DataError
from trefoil.data.readers.tables import Table

PUBLISHER = "https://raw.githubusercontent.com/CCIIPLab/MCCLK/4b0d2843b73adbe816a7a5bb1788b4f4bcd777f4/data/"


def labelled_pairs(path: Path) -> Table:
    """Columns user, item, label (1 for a positive, 0 for an untouched item drawn once)."""
    rows = read_array(path, 3)
    return Table.of(pl.DataFrame({n: rows[:, i] for i, n in enumerate(LABELLED)}), str(path))


def positives(pairs: Table) -> Table:
    """Only the pairs that happened."""
    kept = (pairs.frame["label"] == 1).to_numpy()
    return Table(pairs.source, pairs.frame.filter(kept), pairs.line[kept])


LABELLED = ("user", "item", "label")


def triples(path: Path, named: Path) -> GraphSource:
    """The graph; an item's entity number is its id.

    ``named`` is KGCN's text file with the same rows and readable relations;
    where it is missing, relations are called after their numbers.
    """
    rows = read_array(path, 3)
    relation = "relation " + pl.Series(rows[:, 1]).cast(pl.String)
    if named.exists():
        lines = [line.split("\t") for line in read_bytes(named).decode().splitlines()]
        ends = np.array([[line[0], line[-1]] for line in lines], np.int64)
        if not np.array_equal(ends, rows[:, [0, 2]]):
            raise DataError(f"{named}: its rows are not those of {path}; fetch both again")
        relation = pl.Series([line[1] for line in lines])
    head, tail = (pl.Series(rows[:, i]).cast(pl.String) for i in (0, 2))
    table = pl.DataFrame({"head": head, "relation": relation, "tail": tail})
    return GraphSource(table=table.unique(maintain_order=True), iri="{id}")


def read_array(path: Path, width: int) -> np.ndarray:
    """Whole numbers [n, width] of an npy file, nothing unpickled. Raises DataError."""
    try:
        rows = np.load(path, allow_pickle=False)
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except (OSError, ValueError, EOFError) as fault:
        raise DataError(f"{path}: no readable array ({fault}); fetch it again") from None
    if rows.ndim != 2 or rows.shape[1] != width or rows.dtype.kind not in "iu":
        raise DataError(f"{path}: {rows.dtype} {rows.shape}, not whole numbers of {width} columns")
    return rows
