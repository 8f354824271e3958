"""What /openapi.json says of replies."""

from typing import Any

from trefoil.serving.problems import MEDIA_TYPE, TITLES
from trefoil.serving.wire.shapes import ProblemReply

ALWAYS = (400, 401, 403, 409, 413, 415, 421, 422, 429, 503)


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Problems that a route may answer with."""
    schema = {"$ref": f"#/components/schemas/{ProblemReply.__name__}"}
    return {
        status: {"description": TITLES[status][1], "content": {MEDIA_TYPE: {"schema": schema}}}
        for status in statuses
    }


def answers(shape: Any, status: int = 200) -> dict[int | str, dict[str, Any]]:
    """A good reply of this shape, and the problems that any route may have."""
    return {status: {"model": shape, "description": "Done"}} | problems(*ALWAYS, 404)
