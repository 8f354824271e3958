"""Ids that differ only in a way that eyes miss."""

from __future__ import annotations

import polars as pl

from trefoil.data.vocabulary import Vocabulary


def loosened(ids: pl.Series) -> pl.Series:
    """Ids without normal form, invisible characters, blanks around, case, leading zeros and ``.0``.

    Two ids with one loosened form were often one id before some program wrote it anew.
    """
    seen = ids.str.normalize("NFC").str.replace_all(r"\p{Cf}", "").str.strip_chars()
    seen = seen.str.to_lowercase().str.replace(r"^(-?\d+)\.0+$", "$1")
    return seen.str.replace(r"^0+(\d+)$", "$1")


def lookalikes(vocabulary: Vocabulary) -> tuple[int, tuple[str, str] | None]:
    """How many ids have the loosened form of another one, and one such pair.

    The ids themselves stay apart.
    """
    exact = pl.Series("id", vocabulary.ids, dtype=pl.String)
    frame = pl.DataFrame({"id": exact, "seen": loosened(exact)})
    alike = frame.filter(pl.col("seen").is_duplicated())
    if not len(alike):
        return 0, None
    first = alike.filter(pl.col("seen") == alike["seen"].min())["id"]
    return len(alike), (first[0], first[1])
