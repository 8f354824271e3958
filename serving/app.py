"""The application: routes, what surrounds them, and how faults are told."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

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
from trefoil.serving.service import Service

ABOUT = """\
Recommendations with reasons. Every route of a run answers under `/v1/…` for the first run
and under `/v1/{run}/…` for each. Errors are problem+json with a remedy. Keys go into
`Authorization: Bearer KEY`.
"""


def create_app(service: Service) -> FastAPI:
    """The application that answers for a service."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        service.close()

    app = FastAPI(
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
    for one in (lists, reasons, asks, catalogue, changes, facts, people, graph, models, health):
        app.include_router(one, prefix="/v1")
        app.include_router(one, prefix="/v1/{run}", include_in_schema=False)
    app.add_middleware(Gateway, metrics=service.metrics, names=service.names)
    for kind in (Problem, *BAD_INPUT):
        app.add_exception_handler(kind, _told)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    return app


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
        413: "the body is larger than this service takes",
    }.get(fault.status_code, str(fault.detail))
    return Problem(fault.status_code, detail, headers=fault.headers).response(request.scope[ID])
