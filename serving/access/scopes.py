"""Which scope opens which route. A route that is not in this table cannot be made."""

from collections.abc import Iterable, Mapping
from typing import Literal

from trefoil.data.errors import ConfigError

Scope = Literal["open", "read", "events", "admin", "cypher"]

# "open" routes hold nothing of anybody: the page without data, and whether the service lives
ROUTES: Mapping[tuple[str, str], Scope] = {
    ("GET", "/"): "open",
    ("GET", "/docs"): "open",
    ("GET", "/assets/{name:path}"): "open",
    ("GET", "/live"): "open",
    ("GET", "/ready"): "open",
    ("GET", "/openapi.json"): "read",
    ("GET", "/metrics"): "read",
    ("GET", "/runs"): "read",
    ("GET", "/recommend"): "read",
    ("POST", "/recommend"): "read",
    ("GET", "/similar"): "read",
    ("POST", "/similar"): "read",
    ("POST", "/explain"): "read",
    ("GET", "/explain"): "read",
    ("POST", "/rank"): "read",
    ("POST", "/score"): "read",
    ("POST", "/nodes"): "read",
    ("POST", "/users-for"): "admin",  # it lists users
    ("POST", "/why-not"): "read",
    ("POST", "/what-if"): "read",
    ("GET", "/answers/{id}"): "read",
    ("GET", "/search"): "read",
    ("GET", "/items/{id:path}"): "read",  # ids may hold slashes
    ("POST", "/events"): "events",
    ("POST", "/items"): "admin",
    ("POST", "/items/remove"): "admin",
    ("POST", "/items/return"): "admin",
    ("POST", "/items/change"): "admin",
    ("POST", "/triples"): "admin",
    ("POST", "/triples/remove"): "admin",
    ("GET", "/users/{id:path}"): "admin",
    ("DELETE", "/users/{id:path}"): "admin",
    ("POST", "/users/{id:path}/merge"): "admin",
    ("POST", "/cypher"): "cypher",
    ("GET", "/schema"): "cypher",
    ("GET", "/models/current"): "read",
    ("POST", "/models/current"): "admin",
    ("GET", "/card"): "read",
    ("GET", "/jobs"): "admin",
    ("POST", "/jobs"): "admin",
    ("GET", "/jobs/{id}"): "admin",
    ("DELETE", "/jobs/{id}"): "admin",
    ("GET", "/health"): "read",
    # as Gorse's clients ask
    ("GET", "/api/recommend/{user}"): "read",
    ("GET", "/api/recommend/{user}/{category}"): "read",
    ("POST", "/api/session/recommend"): "read",
    ("GET", "/api/item/{id}/neighbors"): "read",
    ("GET", "/api/item/{id}/neighbors/"): "read",
    ("GET", "/api/popular"): "read",
    ("GET", "/api/latest"): "read",
    ("POST", "/api/feedback"): "events",
    ("PUT", "/api/feedback"): "events",
    ("POST", "/api/item"): "admin",
    ("POST", "/api/items"): "admin",
    ("GET", "/api/item/{id}"): "read",
    ("GET", "/api/items"): "read",
    ("DELETE", "/api/item/{id}"): "admin",
    ("POST", "/api/user"): "events",
    ("POST", "/api/users"): "events",
    ("GET", "/api/user/{id}"): "admin",
    ("GET", "/api/users"): "admin",
}

# what a key for some runs opens, whichever is the first one: it holds nothing of a run
OF_NO_RUN = ("/runs",)


def scope_of(methods: Iterable[str], path: str) -> Scope:
    """The scope of a route. Raises ConfigError where the table has none: default deny."""
    found: set[Scope | None] = {ROUTES.get((method, path)) for method in methods}
    scope = found.pop() if len(found) == 1 else None
    if scope is None:
        raise ConfigError(f"{sorted(methods)} {path}: no scope; add it to ROUTES")
    return scope
