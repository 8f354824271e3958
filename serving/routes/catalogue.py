"""Items: look them up, and take new ones in."""

import logging
from typing import Annotated, Any, Literal

import polars as pl
from fastapi import Path, Query
from starlette.responses import Response

from trefoil.data.errors import ConfigError, DataError
from trefoil.serving.hosting.host import Model
from trefoil.serving.hosting.item_view import found_ids, item_view
from trefoil.serving.routes.documented import answers
from trefoil.serving.routes.guarded import Asked, router
from trefoil.serving.wire import replies
from trefoil.serving.wire.bodies import NewItems
from trefoil.serving.wire.shapes import Shape

log = logging.getLogger(__name__)
catalogue = router()


class Found(Shape):
    """Items or users whose id or title holds a text."""

    found: list[dict[str, Any]]


class ItemView(Shape):
    """All that is known of an item."""

    item: str
    title: str
    facts: list[dict[str, Any]]


class Added(Shape):
    """What was taken in."""

    model: str
    added: list[str]
    without: list[str]


@catalogue.get("/search", responses=answers(Found))
async def search(
    call: Asked,
    q: Annotated[str, Query(max_length=200)] = "",
    kind: Literal["item", "user"] = "item",
    k: Annotated[int, Query(ge=1, le=100)] = 10,
) -> Response:
    """Items by a part of their title or id, or users by the beginning of their id."""
    model = call.model()
    names, known = call.host.names, model.recommender.catalogue
    found = await call.score(lambda: found_ids(names, known, q, kind, k))
    return replies.reply({"found": found})


@catalogue.get("/items/{id}", responses=answers(ItemView))
async def item(call: Asked, id: Annotated[str, Path(max_length=1000)]) -> Response:
    """An item: its title, text, columns, and its facts in the graph."""
    model = call.model()
    return replies.reply(await call.score(lambda: item_view(model.recommender, id)))


@catalogue.post("/items", status_code=201, responses=answers(Added, 201))
async def add_items(call: Asked, body: NewItems) -> Response:
    """Take new items in by their texts and facts; the next list may hold them.

    The other loaded models of the run take them in as well, so that a rollback loses nothing;
    ``without`` names those that could not.
    """
    table = table_of(body.items)

    def work() -> dict[str, Any]:
        with call.host.changing:
            first, *others = call.host.line.models
            first.recommender.add_items(table, body.triples)
            without = [one.name for one in others if not took(one, table, body.triples)]
        ids = table["id"].to_list()  # add_items has refused a table without it
        return {"model": first.name, "added": ids, "without": without}

    return replies.reply(await call.service.slow.run(work), 201)


def took(model: Model, table: pl.DataFrame, triples: list[tuple[str, str, str]]) -> bool:
    """Whether a model took items in; one that has an id already, or is closed, does not."""
    try:
        model.recommender.add_items(table, triples)
    except (ConfigError, DataError) as fault:
        log.warning("%s does not take the new items: %s", model.name, fault)
        return False
    return True


def table_of(rows: list[dict[str, Any]]) -> pl.DataFrame:
    """A table of rows; whole numbers as ids are text. Raises DataError for mixed columns."""
    plain = [{**row, "id": str(row["id"])} if "id" in row else row for row in rows]
    try:
        return pl.DataFrame(plain, infer_schema_length=None)
    except (TypeError, ValueError, OverflowError, pl.exceptions.PolarsError) as fault:
        raise DataError(f"items: values that do not fit one column ({fault})") from None
