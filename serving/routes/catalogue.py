"""Items: find them, and all that is known of one."""

from typing import Annotated, Any, Literal

from fastapi import Path, Query
from starlette.responses import Response

from trefoil.serving.hosting.item_view import found_ids, item_view
from trefoil.serving.routes.documented import answers
from trefoil.serving.routes.guarded import Asked, router
from trefoil.serving.wire import replies
from trefoil.serving.wire.shapes import Shape

catalogue = router()


class Found(Shape):
    """Items or users whose id or title holds a text."""

    found: list[dict[str, Any]]


class ItemView(Shape):
    """All that is known of an item."""

    item: str
    title: str
    facts: list[dict[str, Any]]


@catalogue.get("/search", responses=answers(Found))
async def search(
    call: Asked,
    q: Annotated[str, Query(max_length=200)] = "",
    kind: Literal["item", "user"] = "item",
    k: Annotated[int, Query(ge=1, le=100)] = 10,
) -> Response:
    """Items by a part of their title or id, or a user by id.

    The ids of users are listed, by how they begin, for the scope admin alone: who may read
    can ask about a user, and learns of no other.
    """
    model = call.model()
    names, known = call.host.names, model.recommender.catalogue
    if kind == "user" and not call.key.may("admin"):
        found = [{"id": q, "title": None}] if q in known.users else []
    else:
        found = await call.score(lambda: found_ids(names, known, q, kind, k))
    return replies.reply({"found": found})


@catalogue.get("/items/{id:path}", responses=answers(ItemView))
async def item(call: Asked, id: Annotated[str, Path(max_length=1000)]) -> Response:
    """An item: its title, text, columns, and its facts in the graph."""
    model = call.model()
    return replies.reply(
        await call.score(lambda: item_view(model.recommender, id, call.host.facts))
    )
