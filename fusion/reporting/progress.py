"""Progress of long work: a bar on a terminal, plain lines elsewhere."""

import threading
import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

EVERY_S = 10.0  # between plain lines of one kind of work
SILENT_S = 25.0  # after which a plain line says that the work goes on


class Progress:
    """Call with (done, total, what); a total of 0 announces work of unknown length.

    All goes to stderr, so that stdout holds results alone.
    """

    def __init__(self, what: str = "", began: float | None = None) -> None:
        """``what`` is announced at once; lines tell the seconds since ``began`` (monotonic)."""
        self.first = what
        self.console = Console(stderr=True)
        self.bars: Bars | None = None
        self.task: TaskID | None = None
        self.what, self.said_at = "", 0.0
        self.heard_at = time.monotonic()
        self.began = self.heard_at if began is None else began
        self.ended, self.lock = threading.Event(), threading.Lock()

    def __enter__(self) -> "Progress":
        if self.console.is_terminal:
            columns = (
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                TimeElapsedColumn(),
            )
            self.bars = Bars(*columns, console=self.console, transient=True)
            self.bars.start()
        else:
            threading.Thread(target=self._beat, daemon=True).start()
        if self.first:
            self(0, 0, self.first)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.ended.set()
        if self.bars is not None:
            self.bars.stop()

    def _beat(self) -> None:
        """Say now and then that long work goes on, whoever does it."""
        while not self.ended.wait(1.0):
            now = time.monotonic()
            if self.what and now - self.said_at >= SILENT_S:
                self.said_at = now
                self._say(f"{self.what} goes on, for {now - self.heard_at:.0f} s now")

    def _say(self, line: str) -> None:
        passed = time.monotonic() - self.began
        line = f"[{passed:6.1f} s] {line}"
        self.console.print(line, markup=False, highlight=False, soft_wrap=True)

    def __call__(self, done: int, total: int, what: str) -> None:
        with self.lock:  # networks and base models may learn, and tell of it, side by side
            self._hear(done, total, what)

    def _hear(self, done: int, total: int, what: str) -> None:
        kind = what.partition(":")[0]
        new = kind != self.what
        self.what = kind
        if self.bars is not None:
            if new or self.task is None:
                if self.task is not None:
                    self.bars.remove_task(self.task)
                self.task = self.bars.add_task(what, total=total or None)
            self.bars.update(self.task, description=what, completed=done)
            return
        now = time.monotonic()
        self.heard_at = now if new else self.heard_at
        if new or now - self.said_at >= EVERY_S or (total and done >= total):
            self.said_at = now
            amount = f" {done}/{total}" if total else ""
            self._say(f"{what}{amount}")
