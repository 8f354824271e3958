"""A process that reads: it answers what is asked most, and passes everything else on.

``python -m trefoil.serving.processes.reader JSON`` is started by the first process, not by hand.
"""

import asyncio
import gc
import json
import logging
import os
import shutil
import socket
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn

import uvicorn
from starlette.types import Message, Receive, Scope, Send
from threadpoolctl import threadpool_limits

from trefoil.serving.app import LISTENING, Application, create_app
from trefoil.serving.metrics import Told
from trefoil.serving.problems import Elsewhere
from trefoil.serving.processes import wire
from trefoil.serving.processes.catching_up import caught_up, taken_over
from trefoil.serving.processes.connections import take_from
from trefoil.serving.service import Limits, Service, service_of

log = logging.getLogger(__name__)
OWN = ("recommend", "similar", "rank", "score", "explain")  # what a reader answers itself
AGAIN_S = 5.0  # before a run that could not be read is tried again
MOST_UNSAID = 32 << 20  # bytes; a first process that hears nothing is asked instead of told


class Link:
    """The connection to the first process; what is to count and to keep goes there."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        self._unsaid: list[list[Any]] = []

    def request(self, route: str, method: str, status: int, seconds: float) -> None:
        """One request was answered."""
        self._unsaid.append(["request", route, method, status, seconds])

    def answer(self, run: str, told: Told) -> None:
        """One list was given."""
        self._unsaid.append(["answer", run, asdict(told)])

    def refuse(self, why: str) -> None:
        """One request was refused."""
        self._unsaid.append(["refuse", why])

    def keep(self, run: str, id: str, user: str | None, body: bytes, known: bool) -> None:
        """See ``Service.keep``. It is on its way before the reply is: who asks by id finds it."""
        self.say("keep", run, id, user, known, body=body)

    def say(self, *told: Any, body: bytes = b"") -> None:
        """Say something, behind all that is unsaid."""
        unsaid, self._unsaid = self._unsaid, []
        self.writer.write(wire.framed([*unsaid, told], body))

    @property
    def choked(self) -> bool:
        """Whether the first process hears less than there is to say."""
        return self.writer.transport.get_write_buffer_size() > MOST_UNSAID


class Reader:
    """ASGI application of a reader.

    It answers itself only while it is where the first process is: while the position that it
    has caught up with is the one on the board.
    """

    service: Service
    app: Application
    link: Link
    server: uvicorn.Server
    own: frozenset[tuple[str, str]]

    def __init__(self, told: Mapping[str, Any]) -> None:
        """``told`` is what the first process has to say; see ``serve.py`` and ``Children``."""
        self.told, self.folder = told, Path(told["folder"])
        self.way = socket.socket(fileno=told["way"])
        self.board, self.place = wire.Board(self.folder), self.folder / wire.SOCKET
        self.at: int | None = None
        self._standing: Mapping[str, Any] = {}
        self._news = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if (scope["method"], scope["path"]) in self.own and self._is_there():
            read = Read(receive)
            try:
                await self.app.gateway(scope, read, send)
                return
            except Elsewhere:
                receive = read.again
        await wire.pass_on(self.place, scope, receive, send)

    def _is_there(self) -> bool:
        return self.at == self.board.position and not self.link.choked

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        await self._begin()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        for one in self._tasks:
            one.cancel()
        self.service.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _begin(self) -> None:
        """Meet the first process, load what it answers from, and follow it from then on."""
        try:
            stream, writer = await asyncio.open_unix_connection(self.place)
            writer.write(wire.framed({"reader": self.told["number"]}))
            self._standing, _ = await wire.heard(stream)
        except (EOFError, OSError):  # it was killed while this process began
            self._end()
        self.link = Link(writer)
        self._tasks.append(asyncio.create_task(self._listen(stream)))
        runs = self._standing["runs"]
        self.service = await asyncio.to_thread(self._loaded, runs)
        self.app = create_app(self.service)
        self.own = frozenset(
            (method, path)
            for method, path in self.app.short.ways
            if method == "POST" and path.rpartition("/")[2] in OWN
        )
        gc.freeze()
        self._news.set()
        self._tasks.append(asyncio.create_task(self._follow()))
        take_from(self.server, self.way)
        self.link.say("ready")

    def _loaded(self, runs: Mapping[str, Any]) -> Service:
        service = service_of(
            {name: Path(one["folder"]) for name, one in runs.items()},
            host=self.told["host"],
            keys=None if self.told["keys"] is None else Path(self.told["keys"]),
            names=self.told["names"],
            limits=Limits(**self.told["limits"]),
            first=self.link,
        )
        taken_over(service, runs)
        return service

    async def _listen(self, stream: asyncio.StreamReader) -> None:
        """Hear where the first process is; when it ends, so does this one, at once.

        Nothing is left to finish: what is acknowledged was acknowledged by the first process.
        """
        try:
            while True:
                told, _ = await wire.heard(stream)
                if told == "all":
                    self.link.say("all")
                else:
                    self._standing = told
                    self._news.set()
        except Exception as fault:
            if not isinstance(fault, EOFError | ConnectionError):
                log.exception("a reader does not understand the first process")
            self._end()

    def _end(self) -> NoReturn:
        """End at once, and sweep what a first process that was killed could not."""
        shutil.rmtree(self.folder, ignore_errors=True)
        os._exit(0)

    async def _follow(self) -> None:
        """Catch up with what was heard last, again and again."""
        while True:
            await self._news.wait()
            self._news.clear()
            standing = self._standing
            if any(one["trial"] for one in standing["runs"].values()):
                continue  # it answers some people from another model; it ends by other news
            try:
                if await asyncio.to_thread(caught_up, self.service, standing["runs"]):
                    self.at = standing["position"]
            except Exception as fault:  # whatever it is, the first process can answer
                log.warning("a reader cannot follow, and passes questions on: %s", fault)
                asyncio.get_running_loop().call_later(AGAIN_S, self._news.set)


class Read:
    """What was received of a request, to be received once more by another."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._messages: list[Message] = []

    async def __call__(self) -> Message:
        self._messages.append(message := await self._receive())
        return message

    async def again(self) -> Message:
        """The same messages from the start, then what comes."""
        return self._messages.pop(0) if self._messages else await self._receive()


def main(argv: list[str] | None = None) -> None:
    """Read until the first process ends, or says so."""
    with suppress(OSError):  # which holds where it is begun by hand
        os.setpgid(0, 0)  # Ctrl-C is for the first process alone, which ends the others
    (text,) = sys.argv[1:] if argv is None else argv
    told = json.loads(text)
    # products by more threads than there are processors wait for each other, and spin meanwhile
    threadpool_limits(told["threads"], user_api="blas")
    reader = Reader(told)
    reader.server = uvicorn.Server(uvicorn.Config(reader, lifespan="on", **LISTENING))
    reader.server.run(sockets=[])


if __name__ == "__main__":
    main()
