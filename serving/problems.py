"""What goes wrong, as problem+json (RFC 9457): what it is, and what to do about it."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from starlette.responses import Response

from trefoil.data.errors import ConfigError, DataError, StoreError, TrainingError, UnknownId

KIND = "urn:trefoil:problem:"
MEDIA_TYPE = "application/problem+json"
LONGEST = 600  # characters of a message that came from input

# by status: a title, and a remedy where the message has none of its own
TITLES: Mapping[int, tuple[str, str, str]] = {
    400: ("bad-request", "The request cannot be read", "send JSON as /docs shows it"),
    401: ("no-key", "A key is needed", "send 'Authorization: Bearer KEY'; an administrator makes "
          "keys with: python serve.py keys add"),
    403: ("forbidden", "This is not allowed", "ask an administrator for a key with this scope"),
    404: ("not-found", "There is no such thing here", "see /docs for routes, and check the id"),
    405: ("method", "This route has no such method", "see /docs for the methods of each route"),
    409: ("conflict", "This does not fit what is there now", "read again, then repeat the request"),
    413: ("too-large", "The request is too large", "send it in several smaller requests"),
    415: ("media-type", "The body is not JSON", "send it with 'Content-Type: application/json'"),
    421: ("host", "This service does not answer to that host", "start it with --allow-host NAME"),
    422: ("invalid", "A value in the request has no meaning", "see /docs for what is allowed"),
    429: ("too-many", "Too many requests", "wait as long as Retry-After says"),
    500: ("fault", "The service has a fault", "report the request id to whoever runs it"),
    501: ("not-here", "This run cannot do that", "see GET /v1/models/current for what it can do"),
    503: ("busy", "The service cannot answer now", "try again after Retry-After"),
    504: ("too-slow", "The answer took too long", "ask for less"),
}  # fmt: skip


class Problem(Exception):
    """A request that gets no answer: the status, what was wrong, and what to do."""

    def __init__(
        self,
        status: int,
        detail: str,
        remedy: str | None = None,
        *,
        kind: str | None = None,
        headers: Mapping[str, str] | None = None,
        errors: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.errors = status, detail[:LONGEST], errors
        name, self.title, usual = TITLES.get(status, TITLES[500 if status >= 500 else 400])
        self.kind, self.remedy = KIND + (kind or name), remedy or usual
        self.headers = dict(headers or {})

    def response(self, request_id: str) -> Response:
        """As it is sent."""
        body: dict[str, Any] = {
            "type": self.kind,
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "remedy": self.remedy,
            "request": request_id,
        }
        if self.errors:
            body["errors"] = list(self.errors)
        return Response(orjson.dumps(body), self.status, self.headers, MEDIA_TYPE)


class Elsewhere(Exception):
    """A question that a process leaves to the one that it reads for; no caller hears of it."""


def problem_of(fault: Exception) -> Problem | None:
    """The problem behind a fault that a caller can mend; None for a fault of ours."""
    if isinstance(fault, Problem):
        return fault
    if isinstance(fault, UnknownId):
        detail, remedy = parted(str(fault))
        return Problem(404, detail, remedy or "check the id", kind="unknown-id")
    if isinstance(fault, ConfigError | DataError):
        return Problem(422, *parted(str(fault)))
    if isinstance(fault, StoreError):
        detail, remedy = parted(str(fault))
        if remedy and "--write" in remedy:
            remedy = "statements only read here; POST /v1/triples tells facts"
        slow = "timeout" in detail or "longer than" in detail
        return Problem(504 if slow else 422, detail, remedy, kind="statement")
    if isinstance(fault, TrainingError):
        return Problem(409, *parted(str(fault)))
    return None


def parted(message: str) -> tuple[str, str | None]:
    """What was wrong, and the remedy at a message's end, where it has one."""
    for mark in ("; ", ": give ", ": pass "):
        told, found, remedy = message.rpartition(mark)
        if found:
            return told, (found.lstrip(":; ") + remedy).strip()
    return message, None


def invalid(faults: Sequence[Mapping[str, Any]]) -> Problem:
    """The problem of a body or query that does not fit its schema: each field, and what is right.

    ``faults`` are those of pydantic.
    """
    errors = [_field(one) for one in faults[:20]]
    first = errors[0] if errors else {"field": "body", "message": "cannot be read"}
    malformed = any(one.get("type") == "json_invalid" for one in faults)
    return Problem(
        400 if malformed else 422,
        f"{first['field']}: {first['message']}",
        None if malformed else f"mend {', '.join(dict.fromkeys(e['field'] for e in errors))}",
        errors=errors,
    )


def _field(fault: Mapping[str, Any]) -> dict[str, Any]:
    place = [str(part) for part in fault.get("loc", ())]
    if place[:1] in (["body"], ["query"], ["path"], ["header"]) and len(place) > 1:
        place = place[1:]
    message = str(fault.get("msg", "is wrong"))
    if fault.get("type") == "json_invalid":
        message = f"is no JSON: {fault.get('ctx', {}).get('error', 'cannot be read')}"
    return {"field": ".".join(place) or "body", "message": message[:LONGEST]}
