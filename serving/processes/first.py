"""The first process of several: it alone changes anything, and tells readers where it is."""

import asyncio
import logging
import socket
import tempfile
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from threadpoolctl import threadpool_limits

from trefoil.fusion.batch import processors
from trefoil.fusion.requests.state import State
from trefoil.serving.app import LISTENING
from trefoil.serving.hosting.host import Line
from trefoil.serving.metrics import Told
from trefoil.serving.processes import wire
from trefoil.serving.processes.children import Children
from trefoil.serving.processes.connections import MOST_WAITING, Dealer
from trefoil.serving.service import Service

log = logging.getLogger(__name__)
SUMS = ("/metrics", "/health", "/answers/")  # in addresses that tell what all processes did
HEARING_S = 2.0  # how long such a question waits for readers to say all


@dataclass(eq=False)
class Link:
    """A reader that is connected, and who waits for it to have said all."""

    writer: asyncio.StreamWriter
    way: socket.socket
    ready: bool = False
    waiting: deque[asyncio.Future[None]] = field(default_factory=deque)

    def said_all(self) -> None:
        """The oldest of who waits goes on."""
        future = self.waiting.popleft()
        if not future.done():
            future.set_result(None)


class First:
    """ASGI application around that of one process.

    No reply begins before the board says where this process is. So whoever knows of a change by
    a reply finds that no reader is where this process is until it has taken that change in.
    """

    def __init__(
        self, app: ASGIApp, service: Service, folder: Path, dealer: Dealer, children: Children
    ) -> None:
        """``folder`` is private: the board and the socket lie in it."""
        self.app, self.service, self.folder = app, service, folder
        self.dealer, self.children = dealer, children
        self.board = wire.Board(folder)
        self._at: list[tuple[Line, State]] = []  # of each run; nothing before the start
        self._links: list[Link] = []
        self._server: asyncio.Server | None = None
        self._hears: Mapping[str, Callable[..., None]] = {
            "request": service.metrics.request,
            "answer": lambda run, told: service.metrics.answer(run, Told(**told)),
            "refuse": service.metrics.refuse,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, self._living(receive), send)
            return
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if any(part in scope["path"] for part in SUMS):
            await self._hear_out()

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._tell()
            await send(message)

        await self.app(scope, receive, sending)

    def _living(self, receive: Receive) -> Receive:
        """Readers begin when the application does, and end before it."""

        async def received() -> Message:
            message = await receive()
            if message["type"] == "lifespan.startup":
                place, most = self.folder / wire.SOCKET, MOST_WAITING
                self._server = await asyncio.start_unix_server(self._met, place, backlog=most)
                self._tell()
                self.dealer.begin()
                self.children.start()
            elif message["type"] == "lifespan.shutdown" and self._server is not None:
                self.dealer.end()
                await self.children.stop()
                self._server.close()
            return message

        return received

    def _tell(self) -> None:
        """Tell readers where this process is, if that has changed."""
        lines = [host.line for host in self.service.hosts.values()]
        at = [(line, line.current.recommender.state) for line in lines]
        if self._at and all(
            old is line and before is state
            for (old, before), (line, state) in zip(self._at, at, strict=True)
        ):
            return
        self._at = at
        self.board.advance()
        for link in self._links:
            link.writer.write(self._standing())

    def _standing(self) -> bytes:
        """The position, and for each run what it stands for."""
        runs = {}
        for name, (line, state) in zip(self.service.hosts, self._at, strict=True):
            runs[name] = {
                "folder": str(line.current.folder),
                "digest": line.current.digest,
                "token": state.token,
                "trial": line.canary is not None,
            }
        return wire.framed({"position": self.board.position, "runs": runs})

    async def _met(self, stream: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Somebody connects: a reader, or a request that one passes on."""
        try:
            told, _ = await wire.heard(stream)
            if scope := told.get("scope"):
                await wire.answer(self, scope, stream, writer)
            else:
                await self._listen(stream, Link(writer, self.children.ways[told["reader"]]))
        except (EOFError, ConnectionError):
            pass  # it is gone
        except Exception:
            log.exception("a request that was passed on failed")
        finally:
            writer.close()

    async def _listen(self, stream: asyncio.StreamReader, link: Link) -> None:
        """Hear what a reader did, for as long as it is there."""
        self._links.append(link)
        link.writer.write(self._standing())
        try:
            while True:
                told, body = await wire.heard(stream)
                for what, *said in told:
                    self._take(link, what, said, body)
        finally:
            self.dealer.remove(link.way)
            self._links.remove(link)
            while link.waiting:
                link.said_all()
            self._count()

    def _take(self, link: Link, what: str, said: list[Any], body: bytes) -> None:
        if what == "ready":
            link.ready = True
            self.dealer.add(link.way)
            self._count()
        elif what == "all":
            link.said_all()
        elif what == "keep":
            self._keep(said, body)
        else:
            self._hears[what](*said)

    def _keep(self, said: list[Any], body: bytes) -> None:
        """Keep a reader's answer, unless it is of somebody who was forgotten meanwhile."""
        run, id, user, known = said
        users = self.service.hosts[run].model_for(user).recommender.catalogue.users
        if not known or user in users:
            self.service.kept.keep(id, run, user, body)

    def _count(self) -> None:
        self.service.metrics.processes.set(1 + sum(link.ready for link in self._links))

    async def _hear_out(self) -> None:
        """Wait until readers have said what they had done when this was called."""
        waits = [asyncio.get_running_loop().create_future() for _ in self._links]
        for link, future in zip(self._links, waits, strict=True):
            link.waiting.append(future)
            link.writer.write(wire.framed("all"))
        if waits:
            await asyncio.wait(waits, timeout=HEARING_S)


def run(
    app: ASGIApp, service: Service, place: socket.socket, readers: int, told: Mapping[str, Any]
) -> None:
    """Answer what comes to ``place``, a bound socket, with so many readers beside this process.

    ``told`` goes to each reader; see ``Reader``. Each process has its share of the processors.
    """
    dealer, threads = Dealer(place), max(1, processors() // (readers + 1))
    threadpool_limits(threads, user_api="blas")
    with tempfile.TemporaryDirectory(prefix="trefoil-", ignore_cleanup_errors=True) as folder:
        children = Children(readers, {**told, "folder": folder, "threads": threads})
        first = First(app, service, Path(folder), dealer, children)
        dealer.server = uvicorn.Server(uvicorn.Config(first, **LISTENING))
        dealer.server.run(sockets=[])
