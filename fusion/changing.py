"""What a recommender is told: events and items as they come, durable before they count."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from trefoil.data.items import Entities, Items
from trefoil.data.privacy import FORGOTTEN, ForgottenPeople
from trefoil.data.readers.frames import triples_in
from trefoil.fusion.asking import Asking
from trefoil.fusion.live.apply import Taken, with_events
from trefoil.fusion.live.event import Meaning, dated, events_in
from trefoil.fusion.live.log import EVENT, Log, place_of
from trefoil.fusion.preview import Preview, preview_of
from trefoil.fusion.replay import (
    CHANGED,
    FACTS,
    ITEMS,
    NO_FACTS,
    REMOVED,
    RETURNED,
    Made,
    made,
    replayed,
    with_items,
)
from trefoil.fusion.requests import arguments
from trefoil.fusion.requests.state import State

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Receipt:
    """What became of events that were told; ``state`` is the token of the first state with them.

    ``events`` count from now on and ``users`` are new. ``repeated`` had an event id that was
    told before. ``waiting`` are ids of unknown items: their events count once these are added.
    ``left_out`` are of people who were forgotten.
    """

    state: str
    events: int
    users: tuple[str, ...]
    waiting: tuple[str, ...]
    repeated: int
    left_out: int = 0


@dataclass(frozen=True)
class Changed:
    """What a change did, or would do: ``items`` are described anew.

    ``state`` is the token of the first state with it; of a preview, that of the state as it
    is. ``lists`` are told by a preview.
    """

    state: str
    items: tuple[str, ...]
    lists: Preview | None = None

    def told(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


class Changing(Asking):
    """The changes of a ``Recommender``: each is on the disk, then one state replaces another.

    A change that raises has changed nothing.
    """

    _log: Log | None = None
    _forgotten: ForgottenPeople | None = None

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
            journal, given = self._journal(), len(told)
            gone = {one for one in {one.user for one in told} if one in self._left_out()}
            told = [one for one in told if one.user not in gone]
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
            return Receipt(self.state.token, *parts, left_out=given - len(told))

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
        self._change(ITEMS, body, lambda state: Made(with_items(state, items, facts), ()))
        self.about = {**self.about, "added": self.state.added}
        return self

    def change_items(
        self,
        items: "pl.DataFrame | pd.DataFrame | Iterable[Mapping[str, Any]]",
        *,
        preview: bool = False,
    ) -> Changed:
        """Give items another title, text or number; what is missing or None stays.

        ``items`` has a column id and those to change: title, text, numbers such as a year.
        Base models that read descriptions read the new ones at once; what was learned from
        the old ones stays until ``update``. ``preview`` changes nothing and tells which lists
        would change. Raises UnknownId and DataError; then nothing has changed.
        """
        return self._tell(CHANGED, _told_rows(items), preview)

    def add_triples(
        self,
        triples: "pl.DataFrame | pd.DataFrame | Iterable[Sequence[str]]",
        *,
        preview: bool = False,
    ) -> Changed:
        """Tell facts of items: head (an item's id), relation, tail as in ``add_items``.

        A fact that the training knew of other items counts in scores at once; any other in
        paths and questions. A fact that is there already changes nothing. ``preview`` as in
        ``change_items``. Raises GraphDataError for a triple without a place.
        """
        return self._tell(FACTS, triples_in(triples), preview)

    def remove_triples(
        self,
        triples: "pl.DataFrame | pd.DataFrame | Iterable[Sequence[str]]",
        *,
        preview: bool = False,
    ) -> Changed:
        """Take facts of items back; see ``add_triples``. Raises GraphDataError for one unknown."""
        return self._tell(NO_FACTS, triples_in(triples), preview)

    def remove_items(self, ids: Iterable[str | int]) -> str:
        """Recommend these items no more; histories keep their meaning. The state's token.

        ``return_items`` undoes it. Raises UnknownId.
        """
        return self._mark(arguments.ids("ids", ids), gone=True)

    def return_items(self, ids: Iterable[str | int]) -> str:
        """Make removed items candidates again. The state's token. Raises UnknownId."""
        return self._mark(arguments.ids("ids", ids), gone=False)

    def warm(self) -> None:
        """Load what changes of items and facts need, so that the first one does not wait.

        That is the whole model with torch, the graph with its paths, and the text encoder.
        """
        state = self.state
        _ = state.held.paths, state.scorer
        if (texts := state.model.texts) is not None:
            texts.encoder.encode(["warm"], store=False)

    def knows(self, user: str) -> bool:
        """Whether anything is known of a person: an event, or one that waits for its item."""
        catalogue = self.catalogue
        return user in catalogue.users or any(one.user == user for one in catalogue.waiting)

    def follow(self, other: "Changing") -> int:
        """Take in what ``other`` was told since this one learned: how many changes that were.

        Both must come from one run: this one is ``other`` after ``update``, saved and loaded.
        Otherwise nothing is taken.
        """
        mine, theirs = self._log, other._log
        if mine is None or theirs is None or mine.lineage != theirs.lineage:
            return 0
        with self._changing:
            journal = self._journal()
            later = list(theirs.rows(self.state.number))
            for change in later:
                if change.what == EVENT:
                    journal.append(EVENT, [change.event])
                else:
                    journal.append(change.what, body=change.body)
            self._state = replayed(self.state, later)
            return len(later)

    def close(self) -> None:
        """Let another process write the log of the run."""
        with self._changing:
            if self._log is not None and self._log.folder is not None:
                self._log.close()

    def _mark(self, ids: list[str], *, gone: bool) -> str:
        what = REMOVED if gone else RETURNED
        self._change(what, ids, lambda state: made(state, what, ids))
        return self.state.token

    def _tell(self, what: str, body: Any, preview: bool) -> Changed:
        """A change by its name and JSON values, made or only looked at."""
        if preview:
            before = self.state
            after = made(before, what, body)
            return Changed(before.token, after.items, preview_of(before, after.state))
        done = self._change(what, body, lambda state: made(state, what, body))
        return Changed(done.state.token, done.items)

    def _change(self, what: str, body: Any, change: Callable[[State], Made]) -> Made:
        with self._changing:
            journal = self._journal()
            done = change(self.state)
            self._state = replace(done.state, number=journal.append(what, body=body))
            return replace(done, state=self._state)

    def _left_out(self) -> ForgottenPeople:
        """The people who were forgotten, by the list beside the log."""
        if self._forgotten is None:
            folder = None if self._log is None else self._log.folder
            nobody = ForgottenPeople.nobody()
            self._forgotten = nobody if folder is None else ForgottenPeople.read(folder / FORGOTTEN)
        return self._forgotten

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


def log_of(run: Path, lineage: str, base: str, number: int) -> Log:
    """The log beside a run."""
    return Log(place_of(run), lineage, base, number)


def _told_rows(items: Any) -> list[dict[str, Any]]:
    """Rows of a table of items, of any form, as JSON values."""
    table = type(items).__module__.partition(".")[0] == "pandas"
    if not table and not isinstance(items, pl.DataFrame | Entities):
        rows = [items] if isinstance(items, Mapping) else list(items)
        items = pl.DataFrame(rows, infer_schema_length=None)
    rows = _rows(items)
    return [
        {**row, "id": arguments.one_id("id", row["id"])} if row.get("id") else row for row in rows
    ]


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
