"""How much of everything a dataset holds."""

from __future__ import annotations

import numpy as np

from trefoil.data.interactions import UNKNOWN_TIME, Interactions, Ints
from trefoil.data.items import Items
from trefoil.data.pairs import distinct_pairs
from trefoil.data.readers.event_rows import Events

Counts = dict[str, int | float | str]


def counts_of(events: Interactions, found: Events, users: Items, items: Items) -> Counts:
    """Users, items, events and pairs; what is known of them; and the span of time."""
    n, cells = len(events), len(users) * len(items)
    pairs = len(distinct_pairs(events)[0])
    counts: Counts = {
        "users": len(users),
        "items": len(items),
        "events": n,
        "positives": int(events.positive.sum()),
        "pairs": pairs,
        "repeated": n - pairs,
        "duplicates": found.duplicates,
        "conflicting": found.conflicts,
        "density": pairs / cells,
        "users_without_event": _absent(events.user, len(users)),
        "items_without_event": _absent(events.item, len(items)),
        "items_with_title": sum(title is not None for title in items.titles),
        "items_with_text": sum(text is not None for text in items.texts),
    }
    met = np.unique(events.item)
    counts |= {
        "items_with_event": len(met),
        "items_with_event_and_title": sum(items.titles[row] is not None for row in met),
        "items_with_event_and_text": sum(items.texts[row] is not None for row in met),
    }
    if events.wished is not None:
        counts["asked_for"] = int(events.asked.sum())
    if events.stars is not None:
        counts["rated"] = int((~np.isnan(events.stars)).sum())
    if events.at is not None:
        timed = events.at[events.at != UNKNOWN_TIME]
        counts["untimed"] = n - len(timed)
        if len(timed):
            span = np.array([timed.min(), timed.max()], "datetime64[s]")
            counts["first_at"], counts["last_at"] = (f"{moment}Z" for moment in span)
    return counts


def _absent(rows: Ints, size: int) -> int:
    return int((np.bincount(rows, minlength=size) == 0).sum())


def kinds_of(events: Interactions) -> dict[str, int]:
    """Events of each behaviour, the commonest first; none where the data names no behaviour."""
    if events.kind is None:
        return {}
    names, codes = events.kind.names, events.kind.codes
    number = np.bincount(codes[codes >= 0], minlength=len(names))
    order = np.argsort(-number, kind="stable")
    return {names[code]: int(number[code]) for code in order}
