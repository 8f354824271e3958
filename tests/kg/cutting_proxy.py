"""A TCP proxy that cuts connections in the middle of what a client sends."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading


class CuttingProxy:
    """Passes bytes to ``port`` until told to cut all lines.

    ``cut_after`` lets so many more bytes of the client through. With
    ``cut_replies`` the whole message then reaches the server and only its
    answer is lost: the server has done what the client asked.
    """

    def __init__(self, port: int, *, cut_replies: bool = False) -> None:
        self.port, self.cut_replies = port, cut_replies
        self.sent, self.made = 0, 0
        self._cut_at: int | None = None
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads: list[threading.Thread] = []
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    @property
    def uri(self) -> str:
        return f"bolt://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> CuttingProxy:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in [self._accepting, *self._threads]:
            thread.join(10)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._pass, args=(client,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _pass(self, client: socket.socket) -> None:
        with (
            contextlib.suppress(OSError),
            client,
            socket.create_connection(("127.0.0.1", self.port)) as server,
            selectors.DefaultSelector() as ready,
        ):
            ready.register(client, selectors.EVENT_READ, server)
            ready.register(server, selectors.EVENT_READ, client)
            deaf = False  # the answer to what was sent is lost
            while True:
                for key, _ in ready.select():
                    data = key.fileobj.recv(65536)  # type: ignore[union-attr]
                    if not data or (deaf and key.fileobj is server):
                        return
                    if key.fileobj is client:
                        data, cut = self._count(data)
                        key.data.sendall(data)
                        if cut and not self.cut_replies:
                            return
                        deaf = deaf or cut
                    else:
                        key.data.sendall(data)

    def cut_after(self, count: int) -> None:
        """Cut once, when so many more bytes came from the client."""
        with self._lock:
            self._cut_at = self.sent + count

    def _count(self, data: bytes) -> tuple[bytes, bool]:
        """What of these bytes still goes through, and whether the line is cut then."""
        with self._lock:
            if self._cut_at is None or self.sent + len(data) < self._cut_at:
                self.sent += len(data)
                return data, False
            if not self.cut_replies:
                data = data[: self._cut_at - self.sent]
            self.sent += len(data)
            self._cut_at = None
            self.made += 1
            return data, True
