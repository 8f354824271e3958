"""What the service is told: events, items that come and go. All loaded models of a run hear it."""

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import polars as pl
from starlette.responses import Response

from trefoil.data.errors import ConfigError, DataError, UnknownId
from trefoil.fusion.following import abreast
from trefoil.fusion.recommender import Recommender
from trefoil.serving.routes.documented import answers
from trefoil.serving.routes.guarded import Asked, Call, router
from trefoil.serving.wire import replies
from trefoil.serving.wire.bodies import ItemIds, NewEvents, NewItems
from trefoil.serving.wire.shapes import EventsReply, ItemsReply

log = logging.getLogger(__name__)
changes = router()
Change = Callable[[Recommender], Any]


@changes.post("/events", status_code=201, responses=answers(EventsReply, 201))
async def add_events(call: Asked, body: NewEvents) -> Response:
    """What happened. It is on the disk when the reply comes, and the next list reads it.

    An event with an `id` counts once, however often it is sent. A request with the reply's
    `state` is answered from that state or a later one.
    """

    def told(found: Any) -> dict[str, Any]:
        return {
            "events": found.events,
            "users": found.users,
            "waiting": found.waiting,
            "repeated": found.repeated,
        }

    return replies.reply(await changed(call, lambda one: told(one.add_events(body.events))), 201)


@changes.post("/items", status_code=201, responses=answers(ItemsReply, 201))
async def add_items(call: Asked, body: NewItems) -> Response:
    """New items by their texts and facts; the next list may hold them."""
    table = table_of(body.items)

    def change(one: Recommender) -> dict[str, Any]:
        one.add_items(table, body.triples)
        return {"added": table["id"].to_list()}  # add_items has refused a table without it

    return replies.reply(await changed(call, change), 201)


@changes.post("/items/remove", responses=answers(ItemsReply))
async def remove_items(call: Asked, body: ItemIds) -> Response:
    """Items that shall be recommended no more; histories keep them."""

    def change(one: Recommender) -> dict[str, Any]:
        one.remove_items(body.ids)
        return {"removed": body.ids}

    return replies.reply(await changed(call, change))


@changes.post("/items/return", responses=answers(ItemsReply))
async def return_items(call: Asked, body: ItemIds) -> Response:
    """Removed items that are candidates again."""

    def change(one: Recommender) -> dict[str, Any]:
        one.return_items(body.ids)
        return {"returned": body.ids}

    return replies.reply(await changed(call, change))


async def changed(
    call: Call, change: Change, concerns: Callable[[Recommender], bool] = lambda _: True
) -> dict[str, Any]:
    """Change the model that answers, then the others that are loaded.

    A rollback or a canary so loses nothing; ``without`` names models that could not follow.
    Models that the change does not concern are left alone, unless it concerns none.
    """

    def work() -> dict[str, Any]:
        with call.host.changing:
            models = call.host.line.models
            first, *others = [one for one in models if concerns(one.recommender)] or models
            told = change(first.recommender)
            state = first.recommender.state.token
            without = [one.name for one in others if not _took(one.name, one.recommender, change)]
            for one in models:
                with suppress(ConfigError, DataError):  # its log is closed: it takes no change
                    abreast(one.recommender, first.recommender)
        return {"model": first.name, "state": state, **told, "without": without}

    return await call.service.changes.run(work)


def _took(name: str, recommender: Recommender, change: Change) -> bool:
    """Whether a model followed; one that has an id already, or is closed, does not."""
    try:
        change(recommender)
    except (ConfigError, DataError, UnknownId) as fault:
        log.warning("%s does not follow a change: %s", name, fault)
        return False
    return True


def table_of(rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """A table of rows; whole numbers as ids are text. Raises DataError for mixed columns."""
    plain = [{**row, "id": str(row["id"])} if "id" in row else row for row in rows]
    try:
        return pl.DataFrame(plain, infer_schema_length=None)
    except (TypeError, ValueError, OverflowError, pl.exceptions.PolarsError) as fault:
        raise DataError(f"items: values that do not fit one column ({fault})") from None
