"""How every command ends: 0 done, 2 wrong use or bad input, 1 a fault of ours."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from data.errors import ConfigError, DataError, SplitError, StoreError, TrainingError, UnknownId

BAD_INPUT = (ConfigError, DataError, SplitError, StoreError, TrainingError, UnknownId)


class Terminated(KeyboardInterrupt):
    """SIGTERM came: stop as on Ctrl-C, with a status of its own."""


def run(command: Callable[[Sequence[str] | None], int], argv: Sequence[str] | None = None) -> int:
    """Run a command; what its user can mend is one message on stderr, no traceback.

    Ctrl-C gives 130 and SIGTERM 143, as shells expect.
    """
    try:
        with _sigterm_raised():
            return command(argv)
    except BAD_INPUT as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt as stop:
        print(str(stop) or "stopped", file=sys.stderr)
        return 143 if isinstance(stop, Terminated) else 130
    except BrokenPipeError:
        sys.stderr.close()
        return 0


@contextmanager
def _sigterm_raised() -> Iterator[None]:
    """SIGTERM raises Terminated, so that what is open is closed; only a main thread may ask."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: object) -> None:
        raise Terminated

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
