"""What a recommender is told: events and items as they come, durable before they count."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from trefoil.data.items import Items
from trefoil.data.privacy import FORGOTTEN, ForgottenPeople
from trefoil.data.readers.frames import triples_in
from trefoil.fusion.asking import Asking
from trefoil.fusion.live.apply import Taken, with_events
from trefoil.fusion.live.event import Meaning, dated, events_in
from trefoil.fusion.live.log import EVENT, Log, place_of
from trefoil.fusion.live.told_items import categories_of, changed_rows, rows_of
from trefoil.fusion.past import Event
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

    A change that raises has changed nothing. Modules that make changes of other kinds hold
    ``changing``, write the ``journal`` and then ``become`` the state after.
    """

    log: Log | None = None  # where changes are written; None before the first
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
        with self.changing:
            journal, given = self.journal(), len(told)
            gone = {one for one in {one.user for one in told} if one in self.left_out}
            told = [one for one in told if one.user not in gone]
            first: dict[str, Event] = {}
            for one in told:
                if one.id is not None:
                    first.setdefault(one.id, one)
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
                self.become(replace(self.state, catalogue=catalogue, number=number))
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
        body: dict[str, Any] = {"items": rows_of(items), "triples": facts}
        if categories := categories_of(items):
            body["categories"] = categories
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
        return self.tell(CHANGED, changed_rows(items), preview=preview)

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
        return self.tell(FACTS, triples_in(triples), preview=preview)

    def remove_triples(
        self,
        triples: "pl.DataFrame | pd.DataFrame | Iterable[Sequence[str]]",
        *,
        preview: bool = False,
    ) -> Changed:
        """Take facts of items back; see ``add_triples``. Raises GraphDataError for one unknown."""
        return self.tell(NO_FACTS, triples_in(triples), preview=preview)

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

    def close(self) -> None:
        """Let another process write the log of the run."""
        with self.changing:
            if self.log is not None and self.log.folder is not None:
                self.log.close()

    def _mark(self, ids: list[str], *, gone: bool) -> str:
        what = REMOVED if gone else RETURNED
        self._change(what, ids, lambda state: made(state, what, ids))
        return self.state.token

    def tell(self, what: str, body: Any, *, preview: bool = False) -> Changed:
        """A change by its name and JSON values, made or only looked at."""
        if preview:
            before = self.state
            after = made(before, what, body)
            return Changed(before.token, after.items, preview_of(before, after.state))
        done = self._change(what, body, lambda state: made(state, what, body))
        return Changed(done.state.token, done.items)

    def _change(self, what: str, body: Any, change: Callable[[State], Made]) -> Made:
        with self.changing:
            journal = self.journal()
            done = change(self.state)
            self.become(replace(done.state, number=journal.append(what, body=body)))
            return replace(done, state=self.state)

    def state_without(self, state: State, triples: Any) -> State | None:
        """The state as it would be without these facts; None where there are none."""
        facts = triples_in(triples)
        return made(state, NO_FACTS, facts).state if facts else None

    @property
    def left_out(self) -> ForgottenPeople:
        """The people who were forgotten, by the list beside the run; it holds without the log."""
        if self._forgotten is None:
            run = self.state.folder
            self._forgotten = (
                ForgottenPeople.nobody()
                if run is None
                else ForgottenPeople.read(place_of(run) / FORGOTTEN)
            )
        return self._forgotten

    @left_out.setter
    def left_out(self, people: ForgottenPeople) -> None:
        self._forgotten = people

    def journal(self) -> Log:
        """The log, to write in; call it within ``changing``.

        Raises ConfigError where another process writes it.
        """
        if self.log is None:
            self.log = Log.in_memory(self.state.number)
        if not self.log.writing:
            self.log.claim()
            try:
                self._catch_up()
            except BaseException:
                self.log.close()  # who does not know what is in it must not write it
                raise
        return self.log

    def _catch_up(self) -> None:
        """Take in what the log holds and the state does not."""
        if self.log is not None:
            self._forgotten = None  # another process may have written the list since
            self.become(replayed(self.state, self.log.rows(self.state.number), self.left_out))
            if added := self.state.added:
                self.about = {**self.about, "added": added}


def log_of(run: Path, lineage: str, base: str, number: int) -> Log:
    """The log beside a run."""
    return Log(place_of(run), lineage, base, number)
