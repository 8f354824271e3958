"""What processes of one service say to each other, and how a request goes from one to another.

All of it travels over a Unix socket in a folder that only this user may enter, in frames of JSON
and bytes. A request that is passed on is ASGI over that socket: messages go to and fro as the
application asks for them, so a reply is the same to the byte, wherever its request arrived.
"""

import asyncio
import mmap
import os
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEAD = struct.Struct("!II")  # bytes of JSON, bytes behind it
PLAIN = ("type", "http_version", "method", "scheme", "path", "root_path", "client", "server")
RAW = ("raw_path", "query_string")
SOCKET, BOARD = "first.sock", "position"


class Board:
    """Where the first process is, as one number that all processes see: it only grows.

    It lies in a mapped file. Eight aligned bytes are read and written as a whole.
    """

    def __init__(self, folder: Path) -> None:
        handle = os.open(folder / BOARD, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            os.ftruncate(handle, 8)
            self._cells = memoryview(mmap.mmap(handle, 8)).cast("Q")
        finally:
            os.close(handle)

    @property
    def position(self) -> int:
        """Grows with each change of what the first process answers from."""
        return self._cells[0]

    def advance(self) -> None:
        """Another position. Only the first process may say so."""
        self._cells[0] += 1


def framed(told: Any, body: bytes = b"") -> bytes:
    """A frame, to be written at once."""
    text = orjson.dumps(told)
    return HEAD.pack(len(text), len(body)) + text + body


async def heard(stream: asyncio.StreamReader) -> tuple[Any, bytes]:
    """The next frame. Raises EOFError where the other end is gone."""
    size, more = HEAD.unpack(await stream.readexactly(HEAD.size))
    return orjson.loads(await stream.readexactly(size)), await stream.readexactly(more)


async def pass_on(place: Path, scope: Scope, receive: Receive, send: Send) -> None:
    """Let the process that listens at ``place`` answer a request, on a connection of its own.

    Raises EOFError where that process goes before it has answered.
    """
    stream, writer = await asyncio.open_unix_connection(place)
    asking: asyncio.Task[None] | None = None

    async def hand_over() -> None:
        message = await receive()
        writer.write(framed(_without_body(message), message.get("body", b"")))

    try:
        writer.write(framed({"scope": _told(scope)}))
        more = True
        while more:
            message, body = await heard(stream)
            if message["type"] == "receive":
                asking = asyncio.create_task(hand_over())
                continue
            if message["type"] == "http.response.start":
                message["headers"] = [_raw(pair) for pair in message["headers"]]
                await send(message)
                continue
            more = message["more_body"]
            await send({**message, "body": body})
    finally:
        if asking is not None:
            asking.cancel()
        writer.close()


async def answer(
    app: ASGIApp,
    told: Mapping[str, Any],
    stream: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> None:
    """Answer a request that was passed on. Who passed it on hears nothing where the app fails."""

    async def receive() -> Message:
        writer.write(framed({"type": "receive"}))
        try:
            message, body = await heard(stream)
        except (EOFError, ConnectionError):
            return {"type": "http.disconnect"}
        return {**message, "body": body}

    async def send(message: Message) -> None:
        told = _without_body(message)
        if message["type"] == "http.response.start":
            told["headers"] = [_text(pair) for pair in message.get("headers", ())]
        else:
            told.setdefault("more_body", False)
        writer.write(framed(told, message.get("body", b"")))
        await writer.drain()

    await app(_scope(told), receive, send)


def _told(scope: Scope) -> dict[str, Any]:
    """A request as JSON values."""
    plain = {name: scope.get(name) for name in PLAIN}
    raw = {name: scope[name].decode("latin-1") for name in RAW}
    return {**plain, **raw, "headers": [_text(pair) for pair in scope["headers"]]}


def _scope(told: Mapping[str, Any]) -> Scope:
    """The request again."""
    raw = {name: told[name].encode("latin-1") for name in RAW}
    ends = {name: told[name] and tuple(told[name]) for name in ("client", "server")}
    asgi = {"version": "3.0", "spec_version": "2.3"}
    headers = [_raw(pair) for pair in told["headers"]]
    return {**told, **raw, **ends, "headers": headers, "asgi": asgi}


def _without_body(message: Message) -> dict[str, Any]:
    return {name: value for name, value in message.items() if name != "body"}


def _text(pair: tuple[bytes, bytes]) -> list[str]:
    return [one.decode("latin-1") for one in pair]


def _raw(pair: list[str]) -> tuple[bytes, ...]:
    return tuple(one.encode("latin-1") for one in pair)
