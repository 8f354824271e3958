"""What a reader of a dataset should know before trusting it, a sentence each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

from trefoil.data.dataset import SplitRule
from trefoil.data.interactions import UNKNOWN_TIME, Interactions, Ints
from trefoil.data.readers.entities import SEPARATOR, EntityColumns, Listed
from trefoil.data.readers.event_rows import Events
from trefoil.data.readers.events import EventColumns
from trefoil.data.readers.lookalikes import lookalikes
from trefoil.data.readers.meeting import listing_note, separator_note
from trefoil.data.readers.missing import IN_NUMBERS
from trefoil.data.readers.quarantine import Sieve
from trefoil.data.readers.ratings import proposed_threshold, rating_note
from trefoil.data.vocabulary import Vocabulary

NOBODY = {*IN_NUMBERS, "unknown", "undefined", "anonymous", "-1"}  # ids that may mean no id
SHOWN_KINDS = 6


def low_below(names: EventColumns, events: Interactions) -> float | None:
    """The rating below which nobody liked what was rated; None where ratings do not tell."""
    if events.stars is None:
        return None
    if names.positive_from is not None:
        return float(names.positive_from)
    return proposed_threshold(events.stars)


def meaning_notes(
    names: EventColumns, events: Interactions, kinds: dict[str, int]
) -> Iterator[str]:
    """How ratings and behaviours were read where the description leaves it open."""
    if events.stars is not None and names.positive_from is None:
        note = rating_note(events.stars, events.positive)
        if note is not None:
            yield note
    if len(kinds) > 1 and not names.target:
        shown = ", ".join(f"{kind} {count}" for kind, count in list(kinds.items())[:SHOWN_KINDS])
        more = ", ..." if len(kinds) > SHOWN_KINDS else ""
        yield (
            f"{names.behaviour} has {shown}{more}; no kind counts for more than another; "
            "name target where only some are wished for"
        )
    others = [kind for kind in kinds if kind not in (*names.target, *names.interest)]
    if names.target and others:
        yield (
            f"not learned from: events of kind {', '.join(others[:SHOWN_KINDS])}; name in "
            "interest those that show interest, such as views beside purchases"
        )


def event_notes(found: Events, events: Interactions, rule: SplitRule) -> Iterator[str]:
    """Events that say the same again, and those without a time."""
    if found.duplicates:
        yield f"events that occur again and are kept once: {found.duplicates}"
    if found.conflicts:
        yield (
            "events that occur again with another rating, of which the highest is kept: "
            f"{found.conflicts}"
        )
    if found.compact_times:
        yield "times are read as days written YYYYMMDD, with or without a clock time"
    untimed = 0 if events.at is None else int((events.at == UNKNOWN_TIME).sum())
    if untimed:
        held_out = rule.by in ("time", "leave-one-out")
        more = ", which train and are never held out" if held_out else ""
        yield f"events without a time{more}: {untimed}"


def id_notes(what: str, vocabulary: Vocabulary, rows: Ints) -> Iterator[str]:
    """Ids that look like another one, and a commonest id that may mean that none is known."""
    alike, pair = lookalikes(vocabulary)
    if pair is not None:
        one, other = (text[:40] for text in pair)
        yield (
            f"{alike} {what} ids look like another one, such as {one!a} and {other!a}; "
            "they are kept apart"
        )
    number = np.bincount(rows)
    top = int(number.argmax())
    if number[top] > 1 and vocabulary[top].strip().lower() in NOBODY:
        yield (
            f"{vocabulary[top]!r} is the commonest {what} id, with {number[top]} events, and is "
            f"kept; where it means that no {what} is known, name it in missing_ids"
        )


def entity_notes(
    what: str,
    names: EntityColumns | None,
    sieve: Sieve | None,
    listed: Listed | None,
    met: pl.Series,
) -> Iterator[str]:
    """Whether a table of items or users meets the events, and how it was read."""
    if names is None or sieve is None or listed is None:
        return
    source = Path(sieve.table.source).name
    if listed.copies:
        yield f"{source}: {listed.copies} rows say the same as another row and are passed over"
    note = listing_note(what, met, listed.ids.filter(pl.Series(sieve.good)), source)
    if note is not None:
        yield note
    for name in names.category:
        note = separator_note(name, sieve.cells(name, "category"), names.separator or SEPARATOR)
        if note is not None:
            yield note
