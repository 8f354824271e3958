"""Jobs, one after the other, each in a process of its own that gives way to the service."""

import logging
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from trefoil.data.errors import ConfigError
from trefoil.data.manifest import load_manifest
from trefoil.data.privacy import FORGOTTEN
from trefoil.fusion.live.log import place_of
from trefoil.serving.jobs.store import Job, JobStore

log = logging.getLogger(__name__)
BOUND = Path(__file__).with_name("bound.py")
ROOT = Path(__file__).parents[2]  # where the package can be imported from, in a checkout


class Runner:
    """A thread that starts the processes of jobs and writes down what they say."""

    def __init__(self, store: JobStore) -> None:
        self.store = store
        self._waiting: queue.Queue[tuple[Job, Sequence[str]] | None] = queue.Queue()
        self._process: subprocess.Popen[str] | None = None
        self._running: str | None = None
        self._stopped: set[str] = set()
        self._closing = False
        self._thread = threading.Thread(target=self._work, name="jobs", daemon=True)
        self._thread.start()

    def start(self, job: Job, command: Sequence[str]) -> None:
        """Do a job when those before it are done."""
        self._waiting.put((job, command))

    def stop(self, id: str) -> None:
        """Stop a job that runs or waits; one that has ended stays as it is."""
        self._stopped.add(id)
        if self._running == id and self._process is not None:
            with suppress(ProcessLookupError):
                self._process.terminate()

    def close(self) -> None:
        """Stop what runs, and the thread."""
        self._closing = True  # what waits is not begun
        self._waiting.put(None)
        if self._running is not None:
            self.stop(self._running)
        self._thread.join(timeout=10)

    def _work(self) -> None:
        while (one := self._waiting.get()) is not None and not self._closing:
            job, command = one
            if job.id in self._stopped:
                self.store.change(job.id, "stopped", "stopped before it began")
                continue
            try:
                self._do(job, command)
            except Exception as fault:  # the thread goes on: another job may go well
                log.exception("job %s", job.id)
                self.store.change(job.id, "failed", str(fault)[:500])

    def _do(self, job: Job, command: Sequence[str]) -> None:
        self.store.change(job.id, "running", "begins")
        with subprocess.Popen(
            [sys.executable, str(BOUND), str(os.getpid()), *command],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            errors="replace",
            env=environment() | {"HF_HUB_OFFLINE": "1"},
            process_group=0,  # no session of its own: Linux shares the cores between sessions
        ) as process:
            self._process, self._running = process, job.id
            if self._closing or job.id in self._stopped:  # while the process began
                process.terminate()
            give_way(process.pid)
            last = ""
            assert process.stdout is not None
            for line in process.stdout:
                if said := line.strip():
                    last = said[:500]
                    self.store.say(job.id, last)
        self._process, self._running = None, None
        if job.id in self._stopped:
            self.store.change(job.id, "stopped", last)
        elif process.returncode:
            self.store.change(job.id, "failed", last or f"ended with {process.returncode}")
        else:
            self.store.change(job.id, "done", last)


def give_way(pid: int) -> None:
    """Let a process have what the others leave: it is put off at once when one of them wakes."""
    with suppress(OSError, AttributeError):  # AttributeError: elsewhere than on Linux
        os.sched_setscheduler(pid, os.SCHED_IDLE, os.sched_param(0))
        return
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, pid, 19)


def environment() -> dict[str, str]:
    """That of another process of ours: it finds the package where this one did."""
    known = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(known)}


def refit(run: Path, out: Path) -> list[str]:
    """The command that trains a run again from its data, with its settings, into ``out``.

    The data still holds people who were forgotten since: the list of the run leaves them out.
    Raises ConfigError for a run that was saved in Python, which does not know its data.
    """
    manifest = load_manifest(run)
    data = manifest.get("data") or {}
    command = [sys.executable, "-m", "trefoil.train", "--config", str(run / "settings.toml")]
    if data.get("root"):
        command += ["--data", str(data["source"]), "--data-root", str(data.get("at"))]
    elif place := data.get("at") or data.get("source"):
        command += ["--data", str(place)]
    else:
        raise ConfigError(f"{run.name} does not say what data it is of; train it with train.py")
    if manifest.get("max_bad_share") is not None:
        command += ["--max-bad-share", str(manifest["max_bad_share"])]
    if manifest.get("purpose") == "serve":
        command.append("--final")
    forgotten = place_of(run.absolute()) / FORGOTTEN
    if forgotten.exists():
        command += ["--forgotten", str(forgotten)]
    return [*command, "--out", str(out)]


def update(run: Path, out: Path) -> list[str]:
    """The command that learns on from what a run was told, into ``out``."""
    return [sys.executable, "-m", "trefoil.serving.jobs.update", str(run), str(out)]
