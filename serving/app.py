"""The application: routes, what surrounds them, and how faults are told."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from trefoil.data.command import BAD_INPUT
from trefoil.serving.gateway import ID, Gateway
from trefoil.serving.problems import Problem, invalid, problem_of
from trefoil.serving.routes.asks import asks
from trefoil.serving.routes.catalogue import catalogue
from trefoil.serving.routes.changes import changes
from trefoil.serving.routes.facts import facts
from trefoil.serving.routes.gorse import gorse
from trefoil.serving.routes.graph import graph
from trefoil.serving.routes.health import health, service_routes
from trefoil.serving.routes.lists import lists
from trefoil.serving.routes.models import models
from trefoil.serving.routes.page import page_routes
from trefoil.serving.routes.people import people
from trefoil.serving.routes.reasons import reasons
from trefoil.serving.routes.schema import schema_routes
from trefoil.serving.routes.short_way import TOO_LARGE, Faults, ShortWay, ways_of
from trefoil.serving.service import Service

ABOUT = """\
Recommendations with reasons. Every route of a run answers under `/v1/…` for the first run
and under `/v1/{run}/…` for each. Errors are problem+json with a remedy. Keys go into
`Authorization: Bearer KEY`.
"""

# how every process of the service listens
LISTENING: dict[str, Any] = {
    "log_level": "warning",
    "access_log": False,
    "server_header": False,
    "date_header": False,
    "timeout_graceful_shutdown": 10,
}


def create_app(service: Service) -> "Application":
    """The application that answers for a service."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        service.close()

    app = Application(
        title="Trefoil",
        description=ABOUT,
        version="1",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        redirect_slashes=False,
        max_body_size=service.limits.body_bytes,
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.service = service
    for one in (service_routes(), page_routes(), schema_routes(), gorse):
        app.include_router(one)
    of_runs = lists, reasons, asks, catalogue, changes, facts, people, graph, models, health
    for one in of_runs:
        app.include_router(one, prefix="/v1")
        app.include_router(one, prefix="/v1/{run}", include_in_schema=False)
    app.add_middleware(Gateway, counts=service.counts, names=service.names)
    faults: Faults = {
        **dict.fromkeys((Problem, *BAD_INPUT), _told),
        RequestValidationError: _invalid,
        HTTPException: _http,
    }
    for kind, told in faults.items():
        app.add_exception_handler(kind, told)
    app.short = ShortWay(app, ways_of(of_runs, service.hosts), faults)
    app.gateway = Gateway(app.short, service.counts, service.names)
    return app


class Application(FastAPI):
    """FastAPI, which what is asked most does not pass through; see ``routes.short_way``."""

    short: ShortWay
    gateway: Gateway

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.short.has(scope):
            await self.gateway(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


async def _told(request: Request, fault: Exception) -> Response:
    problem = problem_of(fault)
    assert problem is not None
    return problem.response(request.scope[ID])


async def _invalid(request: Request, fault: Exception) -> Response:
    assert isinstance(fault, RequestValidationError)
    return invalid(fault.errors()).response(request.scope[ID])


async def _http(request: Request, fault: Exception) -> Response:
    """What Starlette itself refuses: no such route, no such method, a body too large."""
    assert isinstance(fault, HTTPException)
    detail = {
        404: "no route of this address",
        405: f"this route has no method {request.method}",
        413: TOO_LARGE,
    }.get(fault.status_code, str(fault.detail))
    return Problem(fault.status_code, detail, headers=fault.headers).response(request.scope[ID])
