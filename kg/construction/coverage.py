"""How many items have an entity: none is an error with its reason, few are a warning."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from trefoil.data.dataset import GraphSource
from trefoil.data.errors import GraphDataError
from trefoil.data.interactions import Bools, Ints
from trefoil.data.vocabulary import Vocabulary
from trefoil.kg.graph import ITEM, Key, KnowledgeGraph, Origin

ID = "id"
FEW = 0.5  # of the items with an entity


def coverage(graph: KnowledgeGraph) -> float:
    """The share of items with an entity; NaN where there are no items."""
    counts = graph.report.counts
    items = int(counts.get("items", 0))
    return int(counts.get("items with an entity", 0)) / items if items else float("nan")


def judged(
    graph: KnowledgeGraph,
    items: Vocabulary,
    wanted: Sequence[str | None],
    found: Bools,
    source: GraphSource,
) -> Iterator[str]:
    """A warning, with its reason, where few items have an entity, or none has.

    ``wanted`` is the entity looked for, ``found`` whether it is there, for each item.
    """
    if not len(items) or found.mean() >= FEW:
        return
    how = "by the link table" if source.link is not None else f"by iri = {source.iri!r}"
    missing = [at for at in np.flatnonzero(~found).tolist() if wanted[at]]
    looked = f"looked for {wanted[missing[0]]!r} {how}" if missing else "the others have no link"
    if found.any():
        share = f"{found.sum()} of {len(items)} items ({found.mean():.0%})"
        yield f"the graph speaks of only {share}; {looked}: name link or iri if that is wrong"
        return
    has = _alike(graph, items[missing[0] if missing else 0])
    shown = f"the graph has such as {has!r}" if has else "the graph has no nodes"
    hint = "; ".join(_holders(graph, items)) or "name link, a table of item_id and entity, or iri"
    yield (
        f"no node of the graph is one of the {len(items)} items ({looked}, {shown}): [graph] {hint}"
    )


def refuse_unlinked(graph: KnowledgeGraph) -> None:
    """Raises GraphDataError, with the reason, for a linked graph that speaks of no item."""
    if coverage(graph) == 0:
        raise GraphDataError(f"{graph.report.warnings[-1]}; or leave [graph] away")


def _alike(graph: KnowledgeGraph, item: str) -> str | None:
    """A node of the graph: one that ends like the item if there is one, else the first."""
    shown = None
    for nodes in graph.nodes.values():
        ids = nodes.vocabulary.ids
        if ids and "iri" in nodes.properties.columns:
            ids = tuple(iri or one for iri, one in zip(nodes.properties["iri"], ids, strict=True))
        alike = next((one for one in ids if one.endswith(item)), None)
        if alike is not None:
            return alike
        shown = shown or next(iter(ids), None)
    return shown


def _holders(graph: KnowledgeGraph, items: Vocabulary) -> Iterator[str]:
    """Properties of a database that hold ids of most items: what to name as the key."""
    if graph.origin is None:
        return
    for label, nodes in graph.nodes.items():
        for column in nodes.properties.get_columns():
            if column.dtype != pl.String and not column.dtype.is_integer():
                continue
            rows = items.rows(column.cast(pl.String).fill_null("").to_list())
            share = len(np.unique(rows[rows >= 0])) / len(items)
            if share >= FEW:
                name = f"{label}.{column.name}"
                yield f'{name} holds {share:.0%} of them: keys = {{{label} = "{column.name}"}}'


def with_items(
    graph: KnowledgeGraph, items: Vocabulary, wanted: Sequence[str | None], label: Ints
) -> Origin | None:
    """The origin with the key of items: that of the type that most of them are nodes of."""
    origin, found = graph.origin, label[label >= 0]
    if origin is None or not len(found):
        return origin
    home = list(graph.nodes)[int(np.bincount(found).argmax())]
    plain = all(one is None or one == item for one, item in zip(wanted, items, strict=True))
    key = origin.keys.get(home, Key(home, None))
    if not plain and key.property == ID:  # the one property that is no column
        key = Key(home, None)
    return replace(origin, keys={**origin.keys, ITEM: key})
