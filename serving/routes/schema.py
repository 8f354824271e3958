"""/openapi.json, with examples that this very service can answer."""

import copy
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.requests import Request
from starlette.responses import Response

from trefoil.serving.access.keys import Key
from trefoil.serving.routes.guarded import router
from trefoil.serving.service import Service
from trefoil.serving.wire import replies
from trefoil.serving.wire.shapes import ProblemReply

BEARER = {"key": {"type": "http", "scheme": "bearer"}}


def schema_routes() -> APIRouter:
    """The route of the schema."""
    own = router()

    @own.get("/openapi.json", include_in_schema=False)
    async def openapi(request: Request) -> Response:
        return replies.reply(schema_of(request.app, request.state.key))

    return own


def schema_of(app: FastAPI, key: Key) -> dict[str, Any]:
    """The schema, with examples in ids of the first run as it is now."""
    schema = copy.deepcopy(app.openapi())
    parts = schema.setdefault("components", {})
    parts.setdefault("schemas", {})[ProblemReply.__name__] = ProblemReply.model_json_schema()
    parts["securitySchemes"] = BEARER
    schema["security"] = [{"key": []}]
    for (path, method), example in examples(app.state.service, key).items():
        told = schema["paths"][path][method]
        if "requestBody" in told:
            told["requestBody"]["content"]["application/json"]["example"] = example
            continue
        for one in told.get("parameters", ()):
            if one["name"] in example:
                one["example"] = example[one["name"]]
    return schema


def examples(service: Service, key: Key) -> dict[tuple[str, str], Any]:
    """An example of each route by path and method; a user is named to who may list users."""
    catalogue = service.host(None).current.recommender.catalogue
    users, items = catalogue.users.ids, catalogue.items.vocabulary.ids
    met, user = [0], "user-17"
    if len(catalogue.events) and key.may("admin"):
        user = users[int(catalogue.events.user[0])]
        met = catalogue.events.item[:2].tolist()
    item, other = items[met[0]], items[met[-1]]
    return {
        ("/v1/recommend", "post"): {"user": user, "k": 3, "reasons": 1},
        ("/v1/recommend", "get"): {"history": [item], "k": 3},
        ("/v1/similar", "post"): {"item": item, "k": 3},
        ("/v1/similar", "get"): {"item": item, "k": 3},
        ("/v1/explain", "post"): {"user": user, "item": other},
        ("/v1/explain", "get"): {"user": user, "item": other},
        ("/v1/rank", "post"): {"user": user, "items": [item, other]},
        ("/v1/score", "post"): {"pairs": [[user, item]]},
        ("/v1/users-for", "post"): {"item": item, "k": 3},
        ("/v1/why-not", "post"): {"user": user, "item": other},
        ("/v1/what-if", "post"): {"user": user, "without": [item], "k": 3},
        ("/v1/search", "get"): {"q": "a", "k": 3},
        ("/v1/items/{id}", "get"): {"id": item},
        ("/v1/events", "post"): {"events": [{"id": "e-1", "user": user, "item": item}]},
        ("/v1/items", "post"): {"items": [{"id": "new-1", "title": "New", "text": "a new one"}]},
        ("/v1/items/remove", "post"): {"ids": [other]},
        ("/v1/items/return", "post"): {"ids": [other]},
        ("/v1/users/{id}", "get"): {"id": user},
        ("/v1/cypher", "post"): {
            "cypher": "MATCH (i:Item {id: $id}) RETURN i.name AS name",
            "parameters": {"id": item},
        },
        ("/v1/models/current", "post"): {"action": "rollback"},
    }
