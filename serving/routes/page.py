"""The page: one HTML file and its parts, all from this process."""

from functools import cache
from importlib.resources import files
from typing import Annotated

from fastapi import APIRouter, Path
from starlette.responses import Response

from trefoil.serving.problems import Problem
from trefoil.serving.routes.guarded import router

TYPES = {
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "svg": "image/svg+xml",
    "txt": "text/plain; charset=utf-8",
}


def page_routes() -> APIRouter:
    """The page, the reference of routes, and what they load."""
    own = router()

    @own.get("/", include_in_schema=False)
    async def page() -> Response:
        return _file("index.html")

    @own.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        return _file("docs.html")

    @own.get("/assets/{name:path}", include_in_schema=False)
    async def asset(name: Annotated[str, Path(max_length=100)]) -> Response:
        return _file(name)

    return own


@cache
def _all() -> dict[str, bytes]:
    """All files of the page, by name: what is not among them is not there."""
    found: dict[str, bytes] = {}
    folder = files("trefoil.serving.page")
    for one in folder.iterdir():
        if one.is_file() and one.name.rpartition(".")[2] in TYPES:
            found[one.name] = one.read_bytes()
    for one in folder.joinpath("vendor").iterdir():
        if one.is_file():
            found[f"vendor/{one.name}"] = one.read_bytes()
    return found


def _file(name: str) -> Response:
    body = _all().get(name)
    if body is None:
        raise Problem(404, f"no file {name[:100]!r} belongs to the page")
    kind = TYPES.get(name.rpartition(".")[2], TYPES["txt"])
    return Response(body, headers={"Content-Type": kind, "Cache-Control": "no-cache"})
