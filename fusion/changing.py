"""What a recommender is told: events and items as they come, durable before they count."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from trefoil.data.errors import UnknownId
from trefoil.data.items import Entities, Items
from trefoil.data.readers.frames import triples_in
from trefoil.fusion.asking import Asking
from trefoil.fusion.live.apply import Taken, with_awaited, with_events
from trefoil.fusion.live.event import Meaning, dated, events_in
from trefoil.fusion.live.log import EVENT, Change, Log, place_of
from trefoil.fusion.past import Event
from trefoil.fusion.requests import arguments
from trefoil.fusion.requests.state import State

if TYPE_CHECKING:
    import pandas as pd

ITEMS, REMOVED, RETURNED = "items", "removed", "returned"


@dataclass(frozen=True)
class Receipt:
    """What became of events that were told; ``state`` is the token of the first state with them.

    ``events`` count from now on and ``users`` are new. ``repeated`` had an event id that was
    told before. ``waiting`` are ids of unknown items: their events count once these are added.
    """

    state: str
    events: int
    users: tuple[str, ...]
    waiting: tuple[str, ...]
    repeated: int


class Changing(Asking):
    """The changes of a ``Recommender``: each is on the disk, then one state replaces another.

    A change that raises has changed nothing.
    """

    _log: Log | None = None

    def add_events(self, events: Any) -> Receipt:
        """Take in what happened; the next answer reads it as history and hides it as seen.

        ``events`` is a polars or pandas frame, a list of mappings with columns user, item,
        time, stars, kind and those of scenarios (or the dataset's own names for them), or a
        list of rows in this order; only user and item are a must. Without a time an event
        happened now. A column id makes repetitions harmless: an id that was taken counts
        once. New users appear; events of unknown items wait until these are added. Raises
        DataError for a row that cannot be used; then none is taken.
        """
        meaning = Meaning(self.catalogue.columns, tuple(self.catalogue.scenarios))
        told = dated(events_in(events, meaning))
        with self._changing:
            journal = self._journal()
            first = {one.id: one for one in told if one.id is not None}
            before = journal.known(first)
            new = [
                one
                for one in told
                if one.id is None or (one.id not in before and first[one.id] is one)
            ]
            taken = Taken(0, (), ())
            if new:
                catalogue, taken = with_events(self.state.catalogue, new)
                number = journal.append(EVENT, new)
                self._state = replace(self.state, catalogue=catalogue, number=number)
            parts = taken.events, taken.users, taken.waiting, len(told) - len(new)
            return Receipt(self.state.token, *parts)

    def add_items(
        self,
        items: "Items | pl.DataFrame | pd.DataFrame",
        triples: "pl.DataFrame | pd.DataFrame | Iterable[Sequence[str]]" = (),
    ) -> "Changing":
        """Take new items in by their texts and facts; nothing is trained again.

        ``items`` has columns id, title, text and the numbers that items had in training,
        such as a year (or is ``Items``); only id is a must. ``triples`` are head, relation,
        tail: a new item's id, a relationship type or the IRI behind one, and the id, IRI or
        name of a node. Facts new to the training stay in the graph, for paths and questions.
        Scores of the other items stay (up to rounding). Raises DataError for an id that is
        taken or empty and for a triple without a place; then nothing has changed.
        """
        facts = triples_in(triples)
        body = {"items": _rows(items), "triples": facts}
        self._change(ITEMS, body, lambda state: _with_items(state, items, facts))
        self.about = {**self.about, "added": self.state.added}
        return self

    def remove_items(self, ids: Iterable[str | int]) -> str:
        """Recommend these items no more; histories keep their meaning. The state's token.

        ``return_items`` undoes it. Raises UnknownId.
        """
        return self._mark(arguments.ids("ids", ids), gone=True)

    def return_items(self, ids: Iterable[str | int]) -> str:
        """Make removed items candidates again. The state's token. Raises UnknownId."""
        return self._mark(arguments.ids("ids", ids), gone=False)

    def close(self) -> None:
        """Let another process write the log of the run."""
        with self._changing:
            if self._log is not None and self._log.folder is not None:
                self._log.close()

    def _mark(self, ids: list[str], *, gone: bool) -> str:
        what = REMOVED if gone else RETURNED
        self._change(what, ids, lambda state: _marked(state, ids, gone=gone))
        return self.state.token

    def _change(self, what: str, body: Any, made: Callable[[State], State]) -> None:
        with self._changing:
            journal = self._journal()
            state = made(self.state)
            self._state = replace(state, number=journal.append(what, body=body))

    def _journal(self) -> Log:
        """The log, to write in. Raises ConfigError where another process writes it."""
        if self._log is None:
            self._log = Log.in_memory(self.state.number)
        if not self._log.writing:
            self._log.claim()
            self._catch_up()
        return self._log

    def _catch_up(self) -> None:
        """Take in what the log holds and the state does not."""
        if self._log is not None:
            self._state = replayed(self.state, self._log.rows(self.state.number))
            if added := self._state.added:
                self.about = {**self.about, "added": added}


def replayed(state: State, changes: Iterable[Change]) -> State:
    """The state after these changes; events that follow each other are taken in at once."""
    events: list[Event] = []
    for change in changes:
        if change.what == EVENT:
            positive = change.event[5]
            told = Event(*change.event)
            events.append(told._replace(positive=None if positive is None else bool(positive)))
        else:
            state, events = _after(state, events), []
            state = _made(state, change)
        state = replace(state, number=change.seq)
    return _after(state, events)


def log_of(run: Path, lineage: str, base: str, number: int) -> Log:
    """The log beside a run."""
    return Log(place_of(run), lineage, base, number)


def _after(state: State, events: Sequence[Event]) -> State:
    return replace(state, catalogue=with_events(state.catalogue, events)[0]) if events else state


def _made(state: State, change: Change) -> State:
    if change.what == ITEMS:
        frame = pl.DataFrame(change.body["items"], infer_schema_length=None)
        return _with_items(state, frame, [tuple(one) for one in change.body["triples"]])
    return _marked(state, change.body, gone=change.what == REMOVED)


def _with_items(state: State, items: Any, triples: list) -> State:
    from trefoil.fusion.training.add_items import with_new_items

    state = with_new_items(state, items, triples)
    return replace(state, catalogue=with_awaited(state.catalogue))


def _marked(state: State, ids: Sequence[str], *, gone: bool) -> State:
    catalogue = state.catalogue
    rows = catalogue.items.vocabulary.rows(ids)
    if (rows < 0).any():
        raise UnknownId(f"unknown item {ids[int(np.argmin(rows))]!r}")
    old = catalogue.removed
    removed = np.zeros(len(catalogue.items), bool) if old is None else old.copy()
    removed[rows] = gone
    return replace(state, catalogue=replace(catalogue, removed=removed if removed.any() else None))


def _rows(items: Any) -> list[dict[str, Any]]:
    """Items as JSON values, a mapping each."""
    if isinstance(items, Entities):
        columns = {"id": items.vocabulary.ids, "title": items.titles, "text": items.texts}
        numbers = {n: [None if v != v else v for v in c.tolist()] for n, c in items.score.items()}
        columns |= numbers
        names = list(columns)
        return [dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    frame = items if isinstance(items, pl.DataFrame) else pl.from_pandas(items)
    frame = frame.with_columns(pl.selectors.temporal().cast(pl.String))
    return frame.with_columns(pl.selectors.float().fill_nan(None)).to_dicts()
