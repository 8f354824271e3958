"""The engine asked in a process of its own, where this one has no room for its library."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from trefoil.kg.stores.kglite import served

BUILD = """
import sys
from types import ModuleType
folder, home = sys.argv[1:]
for name in ("trefoil", "trefoil.data", "trefoil.kg"):
    # this very package, whatever else has its name, and no more of it than is needed
    sys.modules[name] = ModuleType(name)
    sys.modules[name].__path__ = ["/".join([home, *name.split(".")[1:]])]
from trefoil.kg.stores.kglite.store import build
build(folder)
"""


class Failed(Exception):
    """The engine refused a statement or a file, or its process has ended."""


class Slow(Failed):
    """The statement took longer than it may."""


@dataclass(frozen=True)
class Found:
    """An answer as the engine gives it: its columns, and each row by column."""

    columns: list[str]
    rows: list[list[Any]]

    def to_list(self) -> list[dict[str, Any]]:
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


class GraphElsewhere:
    """A stored graph, held and asked by another process; threads take turns.

    Behaves as the engine's own graph, as far as ``Engine`` uses it. An interruption ends
    the process and with it the statement; whoever asks next begins another.
    """

    def __init__(self, file: Path, *, frozen: bool) -> None:
        """Raises Failed where the file cannot be loaded."""
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-P", served.__file__, str(file), "frozen" if frozen else "open"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="ascii",
            process_group=0,  # Ctrl-C comes from us alone
        )
        self._owner = os.getpid()
        self.close = weakref.finalize(self, _end, self._process, self._owner)
        with self._lock:
            self._reply()

    @property
    def ended(self) -> bool:
        """Whether another process has to be begun; a fork has none of its own."""
        return self._process.poll() is not None or os.getpid() != self._owner

    def freeze(self) -> Self:
        return self

    def cypher(
        self, text: str, params: Mapping[str, Any], row_limit: int | None, timeout_ms: int
    ) -> Found:
        """Raises Slow, Failed, and TypeError for a parameter that no statement can have."""
        request = {
            "text": text,
            "parameters": served.encoded(params),
            "limit": row_limit,
            "timeout_ms": timeout_ms,
        }
        reply = self._exchange(request)
        rows = [[served.decoded(value) for value in row] for row in reply["rows"]]
        return Found(reply["columns"], rows)

    def save(self, path: str) -> None:
        self._exchange({"save": path})

    def _exchange(self, request: Mapping[str, Any]) -> dict[str, Any]:
        line = json.dumps(request) + "\n"
        with self._lock:
            try:
                assert self._process.stdin is not None
                self._process.stdin.write(line)
                self._process.stdin.flush()
            except (OSError, ValueError):  # it has ended, which the reply will say
                self.close()
            return self._reply()

    def _reply(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        try:
            line = "" if self._process.stdout.closed else self._process.stdout.readline()
        except BaseException:  # Ctrl-C: what still comes would be taken for the next answer
            self.close()
            raise
        if not line.endswith("\n"):
            self.close()
            status = self._process.returncode
            raise Failed(f"the process of the graph engine has ended (status {status}); ask again")
        reply = json.loads(line)
        if "fault" in reply:
            raise (Slow if reply.get("slow") else Failed)(reply["fault"])
        return reply


def _end(process: subprocess.Popen[str], owner: int) -> None:
    if os.getpid() != owner:
        return
    process.kill()  # it holds nothing that is not saved
    process.wait()
    for pipe in (process.stdin, process.stdout):
        try:
            if pipe is not None:
                pipe.close()
        except OSError:  # what was written last has no reader
            pass


def build_elsewhere(folder: Path, room: str) -> None:
    """Have another process make the engine's file of a folder from its columns and card.

    ``room`` is the setting that makes room for the library there. Raises Failed with what
    that process said.
    """
    home = str(Path(__file__).absolute().parents[3])
    tunables = ":".join(part for part in (os.environ.get("GLIBC_TUNABLES"), room) if part)
    done = subprocess.run(
        [sys.executable, "-P", "-c", BUILD, str(folder.absolute()), home],
        env=os.environ | {"GLIBC_TUNABLES": tunables},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no word"])[-1]
        raise Failed(last)
