"""Questions that are asked most, without a router: the same guard, the same bodies and replies.

A router asks each of its routes whether an address is its own, and layers of middleware pass
each message on; together that costs more than a list that is remembered. Addresses without a
parameter, of endpoints that take a call and a body alone, are looked up in a table here.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from trefoil.serving.problems import Problem
from trefoil.serving.routes.guarded import GuardedRoute, Handler, straight

Faults = Mapping[type[Exception], Callable[[Request, Exception], Awaitable[Response]]]
Way = tuple[Handler, dict[str, str]]
TOO_LARGE = "the body is larger than this service takes"


class ShortWay:
    """ASGI application for the addresses of its table alone."""

    def __init__(self, app: ASGIApp, ways: Mapping[tuple[str, str], Way], faults: Faults) -> None:
        """``app`` is what requests know as theirs; ``faults`` tells those that callers can mend."""
        self.app, self.ways, self.faults = app, ways, faults

    def has(self, scope: Scope) -> bool:
        """Whether a request goes this way."""
        return scope["type"] == "http" and (scope["method"], scope["path"]) in self.ways

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        handler, params = self.ways[scope["method"], scope["path"]]
        scope["app"], scope["path_params"] = self.app, params
        request = Request(scope, limited(scope, receive))
        try:
            response = await handler(request)
        except Exception as fault:
            told = next((self.faults[k] for k in type(fault).__mro__ if k in self.faults), None)
            if told is None:
                raise
            response = await told(request, fault)
        await response(scope, receive, send)


def ways_of(routers: Iterable[APIRouter], runs: Iterable[str]) -> dict[tuple[str, str], Way]:
    """What has a short way, by method and address: of the first run, and of each by name."""
    found: dict[tuple[str, str], Way] = {}
    for router in routers:
        for route in router.routes:
            if not isinstance(route, GuardedRoute) or "{" in route.path:
                continue
            if straight(route.endpoint) is None:
                continue
            handler = route.get_route_handler()
            for method in route.methods or ():
                found[method, f"/v1{route.path}"] = handler, {}
                for run in runs:
                    found[method, f"/v1/{run}{route.path}"] = handler, {"run": run}
    return found


def limited(scope: Scope, receive: Receive) -> Receive:
    """Messages of a request, up to the size of a body that the service takes.

    Raises Problem 413 beyond it.
    """
    most = scope["app"].state.service.limits.body_bytes
    told = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    left = most - (int(told) if told.isdigit() else 0)
    if left < 0:

        async def refused() -> Message:
            raise Problem(413, TOO_LARGE)

        return refused
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > most:
            raise Problem(413, TOO_LARGE)
        return message

    return counted
