"""One person's rights: to be told what is known, to be forgotten, to be one person and not two."""

import json
import logging
import secrets
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from trefoil.data.errors import ConfigError, UnknownId
from trefoil.data.files import write_file
from trefoil.data.interactions import UNKNOWN_TIME
from trefoil.data.manifest import load_manifest
from trefoil.data.privacy import FORGOTTEN, ForgottenPeople
from trefoil.encoders.text.answers import forget_answers
from trefoil.fusion.changing import Changed, Changing
from trefoil.fusion.live.log import place_of
from trefoil.fusion.replay import GONE, MERGED, without_person
from trefoil.fusion.requests import arguments
from trefoil.fusion.requests.state import State
from trefoil.fusion.runs.folder import MODEL, new_run
from trefoil.kg.graph import USER

log = logging.getLogger(__name__)

MARK = "forgetting.json"  # beside the log while a person is being forgotten
PARTS = ("training", "validation", "test", "told since")
OUTSIDE = (
    "the files that the events were read from: delete the person there, or fit with "
    "forgotten=LIST, which reads as if they were not there",
    "other processes that loaded the run before: they know the person until they load it again",
    "copies: other runs, backups, exports, and lists written into a database by write_to, "
    "which writing them again replaces",
    "what was learned from many people together (item vectors, weights): it names nobody, and "
    "the next fit or update makes it without this person",
)


Writes = Callable[[Path], None]  # all files of a run, into a folder


@dataclass(frozen=True)
class Forgotten:
    """That a person was forgotten; it names nobody.

    ``person`` is the digest on the list of the ``lists``; ``events`` and ``waiting`` is how
    many were deleted, ``rewritten`` what was written anew, ``outside`` what is beyond reach.
    """

    receipt: str
    person: str
    at: str
    events: int
    waiting: int
    state: str
    rewritten: tuple[str, ...]
    lists: tuple[str, ...]
    outside: tuple[str, ...] = OUTSIDE

    def told(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def forget(
    recommender: Changing,
    write: Writes,
    user: str | int,
    data: str | Path | None,
    *,
    heard: bool = False,
) -> Forgotten:
    """See ``Recommender.forget``; ``write`` writes all files of the run into a folder.

    ``heard`` says that the log tells of it already.
    """
    one = arguments.one_id("user", user)
    if data is not None and not Path(data).is_dir():
        raise ConfigError(f"data = {str(data)!r}: give the folder of the dataset")
    with recommender.changing:
        journal = recommender.journal()
        people = {one, *_merged_into(journal.changes_of(MERGED), one)}
        before = recommender.state
        there = before.catalogue
        waiting = sum(event.user in people for event in there.waiting)
        if one not in there.users and not waiting and one not in recommender.left_out:
            raise UnknownId(f"unknown user {one!r}; give one with an event")
        _ = before.model  # a run that cannot be written anew refuses here, before anything is lost
        folder = None if journal.folder is None else before.folder
        if folder is not None:
            told = {"user": one, "data": None if data is None else str(Path(data).absolute())}
            write_file(place_of(folder) / MARK, json.dumps(told))
        events = _count(before, people)
        lists = _listed(recommender, people, folder, data)
        state = before
        for person in people:
            state = without_person(state, person)
        number = before.number if heard else journal.append(GONE)
        recommender.become(replace(state, number=number))
        if folder is not None:
            _write(recommender, write, folder)
        journal.forget(people, (MERGED,))
        forget_answers()
        if folder is not None:
            (place_of(folder) / MARK).unlink()
        return Forgotten(
            secrets.token_hex(8),
            recommender.left_out.digest(one),
            datetime.now(UTC).isoformat(timespec="seconds"),
            events,
            waiting,
            recommender.state.token,
            ("memory",) if folder is None else ("memory", folder.name, place_of(folder).name),
            tuple(str(path) for path in lists),
        )


def half_forgotten(folder: Path) -> tuple[str, str | None] | None:
    """Who was being forgotten when a process was stopped, if anybody, and the folder of data."""
    mark = place_of(folder) / MARK
    if not mark.exists():
        return None
    log.warning("%s: forgetting a person was stopped on the way, and goes on", folder)
    told = json.loads(mark.read_text("utf-8"))
    return str(told["user"]), told.get("data")


def export(recommender: Changing, user: str | int) -> dict[str, Any]:
    """All that is known of a person, as JSON values. Raises UnknownId."""
    state, one = recommender.state, arguments.one_id("user", user)
    catalogue = state.catalogue
    waiting = [event._asdict() for event in catalogue.waiting if event.user == one]
    if one not in catalogue.users and not waiting:
        raise UnknownId(f"unknown user {one!r}; give one with an event")
    return {
        "user": one,
        "events": _events(state, one),
        "waiting": waiting,
        "told": [] if recommender.log is None else recommender.log.lines_of(one),
        "attributes": _attributes(state, one),
        "learned": _learned(state, one),
        "recommended": [
            {"item": entry.item, "title": entry.title, "score": entry.score}
            for entry in recommender.recommend(one, reasons=0)
        ],
    }


def merge(recommender: Changing, user: str | int, into: str | int) -> Changed:
    """Make two ids one person: all events of ``user`` are those of ``into``, and ``user`` is gone.

    For people who are known by their history, that is as if there had been one id from
    the start. An ``into`` that is unknown is a new name. Raises UnknownId for ``user``.
    """
    one, other = arguments.one_id("user", user), arguments.one_id("into", into)
    if one == other:
        raise ConfigError(f"merge: {one!r} twice; give two ids")
    if one not in recommender.catalogue.users:
        raise UnknownId(f"unknown user {one!r}; give one with an event")
    if other in recommender.left_out:
        raise ConfigError(
            f"merge: {other!r} was forgotten; delete their digest from the list to take them in "
            "again, or give another id"
        )
    return recommender.tell(MERGED, [one, other])


def _merged_into(changes: list[Any], one: str) -> set[str]:
    """The ids that became this one, and those that became them."""
    found, more = set[str](), {one}
    while more:
        more = {source for source, target in changes if target in {one, *found}} - found - {one}
        found |= more
    return found


def _count(state: State, people: set[str]) -> int:
    users = state.catalogue.users.rows(people)
    return int(np.isin(state.catalogue.every_event.user, users[users >= 0]).sum())


def _listed(
    recommender: Changing, people: set[str], folder: Path | None, data: str | Path | None
) -> list[Path]:
    """The lists that name the people from now on."""
    people_left_out = recommender.left_out
    for person in sorted(people):
        people_left_out = people_left_out.with_user(person)
    recommender.left_out = people_left_out
    places = [] if folder is None else [place_of(folder) / FORGOTTEN]
    if folder is not None:
        people_left_out.write(places[0])
    if data is not None:
        beside = Path(data) / FORGOTTEN
        told = ForgottenPeople.read(beside)
        for person in sorted(people):
            told = told.with_user(person)
        told.write(beside)
        places.append(beside)
    return places


def _write(recommender: Changing, write: Writes, folder: Path) -> None:
    """The run anew, in its place; the state in memory has its digest from then on."""
    with new_run(folder) as beside:
        write(beside)
    manifest = load_manifest(folder)
    digest = manifest["files"].get(MODEL, "")
    recommender.become(replace(recommender.state, folder=folder, digest=digest[:12]))
    if recommender.log is not None:
        recommender.log.base = digest
        recommender.log.number = recommender.state.number


def _events(state: State, user: str) -> list[dict[str, Any]]:
    catalogue = state.catalogue
    if user not in catalogue.users:
        return []
    every = catalogue.every_event
    rows = np.flatnonzero(every.user == catalogue.users.row(user))
    events, part = every.take(rows), catalogue.every_part[rows]
    named = {"kind": events.kind} if events.kind is not None else {}
    named |= dict(events.scenario)
    found = []
    for at in range(len(events)):
        item = int(events.item[at])
        told: dict[str, Any] = {
            "item": catalogue.items.vocabulary[item],
            "title": catalogue.items.title(item),
            "counts": bool(events.positive[at]),
            "part": PARTS[int(part[at])],
        }
        if events.at is not None and events.at[at] != UNKNOWN_TIME:
            told["at"] = datetime.fromtimestamp(int(events.at[at]), UTC).isoformat()
        if events.stars is not None and not np.isnan(events.stars[at]):
            told["stars"] = float(events.stars[at])
        for name, column in named.items():
            code = int(column.codes[at])
            told |= {name: column.names[code]} if code >= 0 else {}
        found.append(told)
    return found


def _attributes(state: State, user: str) -> Mapping[str, Any]:
    nodes = state.held.graph.nodes.get(USER)
    if nodes is None or user not in nodes.vocabulary or not nodes.properties.width:
        return {}
    told = nodes.properties.row(nodes.vocabulary.row(user), named=True)
    return json.loads(json.dumps({k: v for k, v in told.items() if v is not None}, default=str))


def _learned(state: State, user: str) -> dict[str, list[float]]:
    """Numbers that models hold for this person alone."""
    catalogue = state.catalogue
    if user not in catalogue.users:
        return {}
    row = catalogue.users.row(user)
    if row >= catalogue.knowledge.users:
        return {}
    found = {}
    for number, network in enumerate(state.model.networks):
        if network.user_id is not None:
            found[f"network {number}"] = network.user_id.weight[row].tolist()
    for name, model in state.model.listed.items():
        for what in ("pull", "attributes"):
            table = getattr(model, what, None)
            if table is not None:
                found[f"{name} {what}"] = table[row].data.tolist()
    return found
