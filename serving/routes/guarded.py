"""Routes that know their scope: nobody's body is read before the key was looked at."""

import asyncio
import inspect
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, TypeVar, get_args, get_origin

from fastapi import APIRouter, Depends
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from trefoil.fusion.recommender import Recommender
from trefoil.serving.access.keys import Key
from trefoil.serving.access.scopes import OF_NO_RUN, scope_of
from trefoil.serving.gateway import ID, ROUTE
from trefoil.serving.hosting.host import Host, Model
from trefoil.serving.problems import Problem
from trefoil.serving.service import Service

T = TypeVar("T")
LOOKED_AT = 100  # bytes of a body by which a list is known
STATE_WAIT_S = 2.0  # how long a request waits for the state that it names


class GuardedRoute(APIRoute):
    """A route that admits whoever has its scope, by the table of ``access.scopes``."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        inner = straight(self.endpoint) or super().get_route_handler()
        path, scope = self.path, scope_of(self.methods or (), self.path)

        async def guarded(request: Request) -> Response:
            request.scope[ROUTE] = path
            service: Service = request.app.state.service
            run = request.path_params.get("run")
            open_to_all = run is None and path in OF_NO_RUN
            token = token_of(request)
            request.state.key = service.admit(scope, token, run, any_run=open_to_all)
            return await inner(request)

        return guarded


Handler = Callable[[Request], Coroutine[Any, Any, Response]]


def straight(endpoint: Callable[..., Any]) -> Handler | None:
    """A handler for an endpoint of a call and a body alone; None for any other.

    FastAPI documents the route, but its way from a request to arguments costs as much as
    a short list, so these are parsed here: bytes to a checked body in one step.
    """
    asked = inspect.signature(endpoint).parameters
    if list(asked) == ["call"]:

        async def bare(request: Request) -> Response:
            return await endpoint(call_of(request))

        return bare
    if list(asked) != ["call", "body"]:
        return None
    one, many = shapes(asked["body"].annotation)

    async def handler(request: Request) -> Response:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json" and not kind.endswith("+json"):
            raise Problem(415, f"the body is {kind[:80] or 'of no type'}")
        call = call_of(request)
        told = await request.body()
        shape = many if told[:LOOKED_AT].lstrip().startswith(b"[") else one
        try:
            body = shape.validate_json(told)
        except ValidationError as fault:
            wrong = fault.errors(include_url=False)
            raise RequestValidationError(
                [{**e, "loc": ("body", *e["loc"])} for e in wrong]
            ) from None
        return await endpoint(call, body)

    return handler


def shapes(body: Any) -> tuple[TypeAdapter[Any], TypeAdapter[Any]]:
    """What a body is read as, and what it is where it is a list: a fault then names its field.

    Of a body that may be either, all that could have been meant would be named.
    """
    kinds = get_args(body) if get_origin(body) is UnionType else (body,)
    lists = [kind for kind in kinds if get_origin(kind) is list]
    if len(kinds) == 2 and len(lists) == 1:
        (other,) = (kind for kind in kinds if kind is not lists[0])
        return TypeAdapter(other), TypeAdapter(lists[0])
    whole: TypeAdapter[Any] = TypeAdapter(body)
    return whole, whole


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

    async def standing(self, model: Model, state: str | None = None) -> Recommender:
        """The recommender as it is now: a change after this does not reach it.

        With the token of a ``state``, as it is in that state or a later one. Raises Problem
        409 where that state does not come, and where no loaded model has had it.
        """
        until = time.monotonic() + STATE_WAIT_S
        while True:
            still = _as_it_is(model.recommender)
            if state is None or still.state.has(state):
                return still
            self.service.leave()
            digest = state.partition("-")[2]
            loaded = self.host.line.models
            if digest != still.state.digest:
                if any(one.recommender.state.digest == digest for one in loaded):
                    return still  # a change is made in all of them before its reply
                until = 0.0
            if time.monotonic() >= until:
                raise Problem(409, f"state {state!r} is none of {model.name}", kind="state")
            await asyncio.sleep(0.01)

    async def score(self, work: Callable[[], T], *, quick: bool = False) -> T:
        """What ``work`` returns, from a scoring thread; what is ``quick`` is done here and now.

        To hand a list of a small catalogue to a thread and back costs a third of the list.
        """
        if quick:
            return work()
        self.service.metrics.waiting.set(self.service.workers.busy + 1)
        return await self.service.workers.run(work)


def _as_it_is(recommender: Recommender) -> Recommender:
    """The same with its state of this moment: a change puts another into the original."""
    still = object.__new__(Recommender)
    still.__dict__.update(recommender.__dict__)
    return still


def call_of(request: Request) -> Call:
    """The call behind a request. Raises Problem 404 for an unknown run."""
    service: Service = request.app.state.service
    host = service.host(request.path_params.get("run"))
    return Call(service, host, request.scope[ID], request.state.key)


async def _call(request: Request) -> Call:
    return call_of(request)  # not a thread's work: FastAPI would send a plain function to one


Asked = Annotated[Call, Depends(_call)]
