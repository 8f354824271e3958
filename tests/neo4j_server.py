"""A real Neo4j for tests: found, or started from the folder beside the checkout."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

STARTER = Path(__file__).resolve().parents[1] / "../shared/neo4j/start"
HOW = "docker run -p 7687:7687 -e NEO4J_AUTH=neo4j/some-password neo4j:5.26"
PASSWORD = "some-password"


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@dataclass
class Server:
    """A server process of our own on 127.0.0.1, with its folder."""

    folder: Path
    port: int = field(default_factory=free_port)
    settings: str = ""
    process: subprocess.Popen | None = None

    @property
    def uri(self) -> str:
        return f"bolt://127.0.0.1:{self.port}"

    def start(self) -> Server:
        """Start, and wait until it says so."""
        self.folder.mkdir(parents=True, exist_ok=True)
        log = self.folder / "console.log"
        with log.open("w") as output:
            self.process = subprocess.Popen(
                [str(STARTER), str(self.folder), str(self.port)],
                env={
                    **os.environ,
                    "NEO4J_PASSWORD": PASSWORD,
                    "NEO4J_SETTINGS": self.settings,
                    # short sessions: quick to start matters more than fast when warm
                    "JAVA_TOOL_OPTIONS": "-XX:TieredStopAtLevel=1",
                },
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + 90
        while "Started." not in log.read_text(errors="replace"):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(
                    f"Neo4j did not start:\n{log.read_text(errors='replace')[-2000:]}"
                )
            time.sleep(0.1)
        return self

    def kill(self) -> None:
        """As a power cut would: no flush, no goodbye."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
