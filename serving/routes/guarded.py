"""Routes that know their scope: nobody's body is read before the key was looked at."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from trefoil.serving.access.keys import Key
from trefoil.serving.access.scopes import scope_of
from trefoil.serving.gateway import ID, ROUTE
from trefoil.serving.hosting.host import Host, Model
from trefoil.serving.service import Service

T = TypeVar("T")


class GuardedRoute(APIRoute):
    """A route that admits whoever has its scope, by the table of ``access.scopes``."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        inner, path = super().get_route_handler(), self.path
        scope = scope_of(self.methods or (), path)

        async def guarded(request: Request) -> Response:
            request.scope[ROUTE] = path
            service: Service = request.app.state.service
            run = request.path_params.get("run")
            request.state.key = service.admit(scope, token_of(request), run)
            return await inner(request)

        return guarded


def router() -> APIRouter:
    """A router whose routes are all guarded."""
    return APIRouter(route_class=GuardedRoute)


def token_of(request: Request) -> str | None:
    """The key of a request: ``Authorization: Bearer``, or ``X-API-Key``."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer" and token:
        return token.strip()
    return request.headers.get("x-api-key")


@dataclass(frozen=True)
class Call:
    """One request: the service, the run that it names, its id and its key."""

    service: Service
    host: Host
    id: str
    key: Key

    def model(self, user: object = None) -> Model:
        """The model that answers a user; taken once, kept to the end of the request."""
        return self.host.model_for(None if user is None else str(user))

    async def score(self, work: Callable[[], T]) -> T:
        """What ``work`` returns, from a scoring thread."""
        self.service.metrics.waiting.set(self.service.workers.busy + 1)
        return await self.service.workers.run(work)


def call_of(request: Request) -> Call:
    """The call behind a request. Raises Problem 404 for an unknown run."""
    service: Service = request.app.state.service
    host = service.host(request.path_params.get("run"))
    return Call(service, host, request.scope[ID], request.state.key)


Asked = Annotated[Call, Depends(call_of)]
