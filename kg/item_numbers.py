"""What the graph says of each item in numbers: years, prices, lengths, as columns."""

from __future__ import annotations

import numpy as np
import polars as pl

from trefoil.data.interactions import Floats
from trefoil.kg.construction.literals import score_column
from trefoil.kg.graph import ITEM, KnowledgeGraph

MOST = 8  # columns taken, of which most items have a value
RARE = 0.05  # share of the items that must have a number
_FEW = 50  # whole numbers, all different, of more items than this are identifiers
_NUMERIC = (pl.Date, pl.Datetime, pl.Duration)


def item_numbers(graph: KnowledgeGraph) -> dict[str, Floats]:
    """Number columns of the items by property, NaN where an item has none; at most ``MOST``.

    Numbers stay, dates become years, durations seconds; of several values the mean
    counts. Left out: what fewer than a twentieth of the items have, columns of one
    value, and whole numbers that all differ, for those are identifiers.
    """
    found = {}
    for name, kind in graph.nodes[ITEM].properties.schema.items():
        inner = kind.inner if isinstance(kind, pl.List) else kind
        if not (inner.is_numeric() or inner in _NUMERIC):
            continue
        column = score_column(graph, ITEM, name)
        values = column[~np.isnan(column)]
        distinct = len(np.unique(values))
        if len(values) < max(2, RARE * len(column)) or distinct < 2:
            continue
        if inner.is_integer() and distinct == len(values) > _FEW:
            continue
        found[name] = column
    known = sorted(found, key=lambda name: (-np.isfinite(found[name]).sum(), name))
    return {name: found[name] for name in known[:MOST]}
