"""Around every request: its id, the host it names, where it comes from, headers, time, faults."""

import logging
import re
import secrets
import time
from collections.abc import Sequence
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from trefoil.serving.metrics import Counts
from trefoil.serving.problems import Elsewhere, Problem

log = logging.getLogger(__name__)
ID, ROUTE = "trefoil.id", "trefoil.route"  # keys of an ASGI scope
_GOOD_ID = re.compile(r"[\w.-]{1,64}")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
HEADERS = [
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
]
NO_STORE = (b"cache-control", b"no-store")


class Gateway:
    """ASGI middleware, outermost of ours. No reply leaves without it, and no traceback."""

    def __init__(self, app: ASGIApp, counts: Counts, names: Sequence[str]) -> None:
        """``names`` are the host names that are answered to; none for any."""
        self.app, self.counts, self.names = app, counts, frozenset(names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        headers = dict(scope["headers"])
        told = headers.get(b"x-request-id", b"").decode("latin-1")
        scope[ID] = told if _GOOD_ID.fullmatch(told) else secrets.token_hex(8)
        began, started, outside = time.perf_counter(), False, False
        status: int | None = 500

        async def sending(message: Message) -> None:
            nonlocal status, started, outside
            if message["type"] == "http.response.start":
                status, started = message["status"], True
                own = message.setdefault("headers", [])
                own += [*HEADERS, (b"x-request-id", scope[ID].encode())]
                if all(name != b"cache-control" for name, _ in own):
                    own.append(NO_STORE)
            outside = True
            await send(message)
            outside = False

        try:
            self._check(scope["method"], headers)
            await self.app(scope, receive, sending)
        except Elsewhere:  # who answers it counts it
            status = None
            raise
        except Exception as fault:
            if outside:  # of whoever is around us, such as the limit of bodies: it is theirs
                raise
            problem = fault if isinstance(fault, Problem) else None
            if problem is None:
                log.exception("request %s failed", scope[ID])
                problem = Problem(500, "the service has a fault, which its log tells of")
            if not started:
                await problem.response(scope[ID])(scope, receive, sending)
        finally:
            if status is not None:
                route, seconds = scope.get(ROUTE, "none"), time.perf_counter() - began
                self.counts.request(route, scope["method"], status, seconds)

    def _check(self, method: str, headers: dict[bytes, bytes]) -> None:
        """Raises Problem for another host's name, and for a page of another origin."""
        host = headers.get(b"host", b"").decode("latin-1")
        if self.names and _name(host) not in self.names:
            self.counts.refuse("host")
            raise Problem(421, f"the request names the host {host[:80]!r}")
        origin = headers.get(b"origin")
        if origin is None or method in ("GET", "HEAD", "OPTIONS"):
            return
        if urlsplit(origin.decode("latin-1")).netloc != host:
            self.counts.refuse("origin")
            raise Problem(403, "a page of another origin may change nothing here", kind="origin")


def _name(host: str) -> str:
    """The name in a Host header, without its port."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]
