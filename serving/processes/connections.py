"""Connections, let in by the first process and dealt out in turn.

Whoever keeps a few of them open for long keeps all processes busy. Left to themselves, processes
that share a listening socket take what comes at once one-sidedly: whoever wakes first takes all.
"""

import asyncio
import logging
import socket
from collections import deque
from typing import Any

import uvicorn

log = logging.getLogger(__name__)
MOST_WAITING = 2048  # connections that may wait to be let in
PAUSE_S = 1.0  # after a fault of the system, such as no descriptor that is left
_beginning: set[asyncio.Task[Any]] = set()


def take(server: uvicorn.Server, connection: socket.socket) -> None:
    """Answer from now on what comes over a connection; call it in the event loop."""
    connection.setblocking(False)
    if connection.family != socket.AF_UNIX:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def protocol() -> asyncio.Protocol:
        made: Any = server.config.http_protocol_class  # as uvicorn itself makes one
        state = server.lifespan.state
        return made(config=server.config, server_state=server.server_state, app_state=state)

    loop = asyncio.get_running_loop()
    task = loop.create_task(loop.connect_accepted_socket(protocol, connection))
    _beginning.add(task)
    task.add_done_callback(_begun)


def take_from(server: uvicorn.Server, way: socket.socket) -> None:
    """Answer what comes over connections that another process hands over by this way."""

    def given() -> None:
        _, handles, _, _ = socket.recv_fds(way, 1, 1)
        for handle in handles:
            take(server, socket.socket(fileno=handle))

    way.setblocking(False)
    asyncio.get_running_loop().add_reader(way, given)


class Dealer:
    """Lets connections in: for this process and others, one after the other."""

    def __init__(self, place: socket.socket) -> None:
        """``place`` is a bound socket. ``server`` has to be told before the first turn."""
        self.place = place
        self.server: uvicorn.Server | None = None
        self._turns: deque[socket.socket | None] = deque([None])  # None for this process

    def begin(self) -> None:
        """Listen; call it in the event loop."""
        self.place.setblocking(False)
        self.place.listen(MOST_WAITING)
        asyncio.get_running_loop().add_reader(self.place, self._let_in)

    def end(self) -> None:
        """Let nobody in any more."""
        asyncio.get_running_loop().remove_reader(self.place)
        self.place.close()

    def add(self, way: socket.socket) -> None:
        """Another process takes its turns from now on."""
        self._turns.append(way)

    def remove(self, way: socket.socket) -> None:
        """A process is gone."""
        if way in self._turns:
            self._turns.remove(way)

    def _let_in(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            connection, _ = self.place.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        except OSError as fault:
            log.warning("nobody can be let in just now: %s", fault)
            loop.remove_reader(self.place)
            loop.call_later(PAUSE_S, self.begin)
            return
        assert self.server is not None
        for _ in range(len(self._turns)):
            way = self._turns[0]
            self._turns.rotate(-1)
            if way is None and not self.server.should_exit:
                take(self.server, connection)
                return
            if way is not None and _handed(way, connection):
                break
        connection.close()


def _handed(way: socket.socket, connection: socket.socket) -> bool:
    """Whether another process took a connection: it is there, and has not too many to begin."""
    try:
        socket.send_fds(way, [b"."], [connection.fileno()])
    except OSError:
        return False
    return True


def _begun(task: asyncio.Task[Any]) -> None:
    _beginning.discard(task)
    if not task.cancelled() and task.exception() is not None:
        log.warning("a connection went before it began: %s", task.exception())
