"""The files of CoLaKG: users with their items under internal numbers, and the ids behind them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from trefoil.data.compression import read_bytes
from trefoil.data.errors import DataError
from trefoil.data.readers.tables import Table


def given_split(folder: Path) -> Table:
    """Columns user, item and split (train or test), under the ids of the publisher."""
    users, items = read_map(folder / "user_map.txt"), read_map(folder / "item_map.txt")
    parts = []
    for part in ("train", "test"):
        path = folder / f"{part}.txt"
        if not path.exists():
            path = folder / f"{part}.txt.gz"
        user, item = _pairs(path)
        parts.append(
            pl.DataFrame({"user": users[user], "item": items[item]}).with_columns(
                split=pl.lit(part)
            )
        )
    return Table.of(pl.concat(parts), str(folder))


def read_map(path: Path) -> np.ndarray:
    """The id behind each internal number."""
    pairs = [line.split() for line in read_bytes(path).decode().splitlines() if line]
    ids = np.full(len(pairs), "", dtype=object)
    for text, number in pairs:
        ids[int(number)] = text
    return ids


def _pairs(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """User and item numbers of lines that name a user and then the items."""
    user, item = [], []
    for number, line in enumerate(read_bytes(path).splitlines(), 1):
        try:
            row = np.array(line.split(), np.int64)
        except ValueError:
            raise DataError(f"{path}, line {number}: not numbers: {line[:60]!r}") from None
        if len(row):
            user.append(np.full(len(row) - 1, row[0]))
            item.append(row[1:])
    return np.concatenate(user), np.concatenate(item)
