"""Items described anew, and facts of the graph that come and go; each can be looked at first."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Query
from starlette.responses import Response

from trefoil.fusion.recommender import Recommender
from trefoil.serving.routes.changes import changed
from trefoil.serving.routes.documented import answers
from trefoil.serving.routes.guarded import Asked, Call, router
from trefoil.serving.wire import replies
from trefoil.serving.wire.bodies import ItemChanges, Triples
from trefoil.serving.wire.shapes import DescribedReply

facts = router()
Looked = Annotated[
    bool, Query(alias="preview", description="Change nothing; tell which lists would change.")
]
Change = Callable[..., Any]


@facts.post("/items/change", responses=answers(DescribedReply))
async def change_items(call: Asked, body: ItemChanges, look: Looked = False) -> Response:
    """Another title, text or number for items; what is missing stays as it is."""
    return await _described(call, lambda one: one.change_items, body.items, look)


@facts.post("/triples", responses=answers(DescribedReply))
async def add_triples(call: Asked, body: Triples, look: Looked = False) -> Response:
    """Facts of items: they count in scores, paths and filters from the next answer on."""
    return await _described(call, lambda one: one.add_triples, body.triples, look)


@facts.post("/triples/remove", responses=answers(DescribedReply))
async def remove_triples(call: Asked, body: Triples, look: Looked = False) -> Response:
    """Facts of items that are taken back."""
    return await _described(call, lambda one: one.remove_triples, body.triples, look)


async def _described(
    call: Call, way: Callable[[Recommender], Change], said: Any, look: bool
) -> Response:
    """Change all loaded models, or look at what the one that answers would do."""
    if look:
        model = call.model()
        found = await call.service.slow.run(lambda: way(model.recommender)(said, preview=True))
        told = found.told()
        reply = {"model": model.name, "state": told["state"], "items": told["items"]}
        return replies.reply({**reply, "preview": told["lists"], "without": []})

    def change(one: Recommender) -> dict[str, Any]:
        return {"items": way(one)(said).items}

    return replies.reply({**await changed(call, change), "preview": None})
