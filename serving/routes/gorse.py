"""Gorse's routes on ours: who runs Gorse changes one address. docs/service.md says what differs."""

from typing import Annotated, Any

import numpy as np
from fastapi import Path, Query
from starlette.responses import Response

from trefoil.data.interactions import UNKNOWN_TIME, Ints
from trefoil.fusion.recommender import Recommender
from trefoil.serving.problems import Problem
from trefoil.serving.routes.changes import changed, table_of
from trefoil.serving.routes.guarded import Asked, Call, router
from trefoil.serving.wire import replies
from trefoil.serving.wire.bodies import MOST_IDS, MOST_K
from trefoil.serving.wire.gorse import Feedback, Item, User

gorse = router()
Id = Annotated[str, Path(max_length=1000)]
N = Annotated[int, Query(ge=1, le=MOST_K)]
Offset = Annotated[int, Query(ge=0, le=10_000)]
Reader = Annotated[str | None, Query(alias="user-id", max_length=1000)]
Cursor = Annotated[str, Query(max_length=20, pattern="^[0-9]*$")]
OLDEST, DAY_S = -(2**62), 86_400


@gorse.get("/api/recommend/{user}", include_in_schema=False)
async def recommend(
    call: Asked,
    user: Id,
    n: N = 10,
    offset: Offset = 0,
    category: Annotated[str | None, Query(max_length=1000)] = None,
    write_back: Annotated[str | None, Query(alias="write-back-type", max_length=1000)] = None,
) -> Response:
    """Ids of the best items of a user."""
    if write_back is not None:
        raise Problem(501, "write-back-type: lists are not written back", "send what was shown")
    still = await call.standing(call.model(user))
    only = None if category is None else within(still, category)

    def work() -> list[str]:
        k = min(offset + n, len(still.catalogue.items))
        return [one.item for one in still.recommend(user, k, only=only, reasons=0)][offset:]

    return replies.reply(await call.score(work))


@gorse.get("/api/recommend/{user}/{category}", include_in_schema=False)
async def recommend_within(
    call: Asked, user: Id, category: Id, n: N = 10, offset: Offset = 0
) -> Response:
    """Ids of the best items of a user, within a category."""
    return await recommend(call, user, n, offset, category)


@gorse.post("/api/session/recommend", include_in_schema=False)
async def session(call: Asked, body: list[Feedback], n: N = 10, offset: Offset = 0) -> Response:
    """Items and scores for somebody without an id, by what was met."""
    still = await call.standing(call.model())
    met = [one.ItemId for one in body]
    return await _scored(
        call, lambda k: still.recommend(None, k, history=met, reasons=0), n, offset
    )


@gorse.get("/api/item/{id}/neighbors", include_in_schema=False)
@gorse.get("/api/item/{id}/neighbors/", include_in_schema=False)
async def neighbours(call: Asked, id: Id, n: N = 10, offset: Offset = 0) -> Response:
    """Items that go with one item, and scores."""
    still = await call.standing(call.model())
    return await _scored(call, lambda k: still.similar(id, k), n, offset)


@gorse.get("/api/popular", include_in_schema=False)
async def popular(call: Asked, n: N = 10, offset: Offset = 0, reader: Reader = None) -> Response:
    """Items with the most events, without those that a user has met."""
    still = await call.standing(call.model())

    def work() -> list[dict[str, Any]]:
        catalogue, items = still.catalogue, len(still.catalogue.items)
        parts = (catalogue.events, *catalogue.later)
        counts = np.sum([np.bincount(one.item, minlength=items) for one in parts], axis=0)
        return _best(still, counts, reader, n, offset)

    return replies.reply(await call.score(work))


@gorse.get("/api/latest", include_in_schema=False)
async def latest(call: Asked, n: N = 10, offset: Offset = 0, reader: Reader = None) -> Response:
    """Items in order of the day that they were first met, the newest first."""
    still = await call.standing(call.model())

    def work() -> list[dict[str, Any]]:
        events, items = still.catalogue.every_event, len(still.catalogue.items)
        first = np.full(items, 2**62)
        at = np.arange(len(events)) if events.at is None else events.at
        dated = at != UNKNOWN_TIME
        np.minimum.at(first, events.item[dated], at[dated])
        first[first == 2**62] = OLDEST  # never met, or nobody knows when
        new = still.state.added
        if new:  # came after training: newer than what was there
            first[items - new :] = np.maximum(first[items - new :], first.max() + DAY_S)
        return _best(still, first, reader, n, offset)

    return replies.reply(await call.score(work))


@gorse.post("/api/feedback", include_in_schema=False)
async def feedback(call: Asked, body: list[Feedback]) -> Response:
    """Feedback; what was told before counts once."""
    return await _told(call, body, again=False)


@gorse.put("/api/feedback", include_in_schema=False)
async def feedback_again(call: Asked, body: list[Feedback]) -> Response:
    """Feedback, also where it was told before at another time."""
    return await _told(call, body, again=True)


@gorse.post("/api/item", include_in_schema=False)
async def add_item(call: Asked, body: Item) -> Response:
    """An item."""
    return await add_items(call, [body])


@gorse.post("/api/items", include_in_schema=False)
async def add_items(call: Asked, body: list[Item]) -> Response:
    """New items. Those that are there stay as they are, but for whether they are hidden."""
    if len(body) > MOST_IDS:
        raise Problem(413, f"{len(body)} items", f"send up to {MOST_IDS} at once")

    def change(one: Recommender) -> dict[str, Any]:
        known = one.catalogue.items.vocabulary
        rows = {item.ItemId: item.row() for item in body if item.ItemId not in known}
        if rows:
            one.add_items(table_of(list(rows.values())))
        if hidden := [item.ItemId for item in body if item.IsHidden]:
            one.remove_items(hidden)
        if shown := [item.ItemId for item in body if not item.IsHidden and item.ItemId not in rows]:
            one.return_items(shown)
        return {"RowAffected": len(body)}

    return _affected(await changed(call, change))


@gorse.get("/api/item/{id}", include_in_schema=False)
async def item(call: Asked, id: Id) -> Response:
    """An item. Its comment is the text that we read."""
    still = await call.standing(call.model())
    return replies.reply(item_json(still, still.catalogue.items.vocabulary.row(id)))


@gorse.delete("/api/item/{id}", include_in_schema=False)
async def remove_item(call: Asked, id: Id) -> Response:
    """An item that shall be recommended no more; its events are kept."""

    def change(one: Recommender) -> dict[str, Any]:
        one.remove_items([id])
        return {"RowAffected": 1}

    return _affected(await changed(call, change))


@gorse.get("/api/items", include_in_schema=False)
async def items(call: Asked, n: N = 10, cursor: Cursor = "") -> Response:
    """Items in order, with a cursor for the next ones."""
    still = await call.standing(call.model())
    begin = int(cursor or 0)
    rows = range(begin, min(begin + n, len(still.catalogue.items)))
    more = str(rows.stop) if rows.stop < len(still.catalogue.items) else ""
    return replies.reply({"Cursor": more, "Items": [item_json(still, row) for row in rows]})


@gorse.post("/api/user", include_in_schema=False)
async def add_user(call: Asked, body: User) -> Response:  # noqa: ARG001
    """Nothing is to be done: a user is there from the first event on."""
    return replies.reply({"RowAffected": 1})


@gorse.post("/api/users", include_in_schema=False)
async def add_users(call: Asked, body: list[User]) -> Response:  # noqa: ARG001
    """Nothing is to be done: users are there from their first events on."""
    return replies.reply({"RowAffected": len(body)})


@gorse.get("/api/user/{id}", include_in_schema=False)
async def user(call: Asked, id: Id) -> Response:
    """A user that is known."""
    if id not in call.model(id).recommender.catalogue.users:
        raise Problem(404, f"unknown user {id!r}", kind="unknown-id")
    return replies.reply(user_json(id))


@gorse.get("/api/users", include_in_schema=False)
async def users(call: Asked, n: N = 10, cursor: Cursor = "") -> Response:
    """Users in order, with a cursor for the next ones."""
    known, begin = call.model().recommender.catalogue.users.ids, int(cursor or 0)
    found = known[begin : begin + n]
    more = str(begin + n) if begin + n < len(known) else ""
    return replies.reply({"Cursor": more, "Users": [user_json(id) for id in found]})


def item_json(recommender: Recommender, row: int) -> dict[str, Any]:
    """An item as Gorse tells it."""
    catalogue = recommender.catalogue
    gone = catalogue.removed is not None and bool(catalogue.removed[row])
    return {
        "ItemId": catalogue.items.vocabulary[row],
        "IsHidden": gone,
        "Categories": [],
        "Timestamp": "0001-01-01T00:00:00Z",
        "Labels": {"title": catalogue.items.title(row)},
        "Comment": catalogue.items.texts[row] or "",
    }


def user_json(id: str) -> dict[str, Any]:
    """A user as Gorse tells it."""
    return {"UserId": id, "Labels": None, "Subscribe": None, "Comment": ""}


def within(recommender: Recommender, category: str) -> list[str]:
    """Items of which any column of categories holds this one. Raises Problem 404 where none is."""
    catalogue, found = recommender.catalogue.items, np.zeros(0, np.int64)
    for labels in catalogue.category.values():
        if category in labels.names:
            at = np.flatnonzero(labels.codes == list(labels.names).index(category))
            found = np.union1d(found, np.searchsorted(labels.start, at, side="right") - 1)
    if not len(found):
        raise Problem(404, f"no item has the category {category!r}", kind="category")
    return [catalogue.vocabulary[row] for row in found.tolist()]


def _best(
    recommender: Recommender, value: Ints, reader: str | None, n: int, offset: int
) -> list[dict[str, Any]]:
    """Items by value, the greatest first, without those removed or met by a reader."""
    catalogue = recommender.catalogue
    shown = np.ones(len(catalogue.items), bool)
    if catalogue.removed is not None:
        shown &= ~catalogue.removed
    if reader is not None and reader in catalogue.users:
        row = np.array([catalogue.users.row(reader)])
        shown[catalogue.now.hidden(row, {}, "hide").item] = False
    rows = np.flatnonzero(shown)
    order = rows[np.argsort(-value[rows], kind="stable")][offset : offset + n]
    ids = catalogue.items.vocabulary
    return [{"Id": ids[row], "Score": float(value[row])} for row in order.tolist()]


async def _scored(call: Call, asking: Any, n: int, offset: int) -> Response:
    found = await call.score(lambda: asking(n + offset))
    return replies.reply([{"Id": one.item, "Score": one.score} for one in found[offset:]])


async def _told(call: Call, told: list[Feedback], *, again: bool) -> Response:
    if len(told) > MOST_IDS:
        raise Problem(413, f"{len(told)} feedbacks", f"send up to {MOST_IDS} at once")

    def change(one: Recommender) -> dict[str, Any]:
        kinds = bool(one.catalogue.columns.get("behaviour"))
        events = [feedback.event(kinds=kinds, again=again) for feedback in told]
        return {"RowAffected": one.add_events(events).events if events else 0}

    return _affected(await changed(call, change))


def _affected(told: dict[str, Any]) -> Response:
    """As Gorse tells that a change was made; the state goes into a header."""
    return replies.reply(
        {"RowAffected": told["RowAffected"]}, headers={"X-Trefoil-State": told["state"]}
    )
