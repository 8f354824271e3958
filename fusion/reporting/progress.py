"""Progress of long work: a bar on a terminal, plain lines elsewhere."""

import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

EVERY_S = 10.0  # between plain lines of one kind of work


class Progress:
    """Call with (done, total, what); a total of 0 announces work of unknown length.

    All goes to stderr, so that stdout holds results alone.
    """

    def __init__(self) -> None:
        self.console = Console(stderr=True)
        self.bars: Bars | None = None
        self.task: TaskID | None = None
        self.what, self.said_at = "", 0.0
        self.began = time.monotonic()

    def __enter__(self) -> "Progress":
        if self.console.is_terminal:
            columns = (
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                TimeElapsedColumn(),
            )
            self.bars = Bars(*columns, console=self.console, transient=True)
            self.bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.bars is not None:
            self.bars.stop()

    def __call__(self, done: int, total: int, what: str) -> None:
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
        if new or now - self.said_at >= EVERY_S or (total and done >= total):
            self.said_at = now
            amount = f" {done}/{total}" if total else ""
            line = f"[{now - self.began:6.1f} s] {what}{amount}"
            self.console.print(line, markup=False, highlight=False, soft_wrap=True)
