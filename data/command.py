"""How every command ends: 0 done, 2 wrong use or bad input, 1 a fault of ours."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from trefoil.data.errors import (
    ConfigError,
    DataError,
    SplitError,
    StoreError,
    TrainingError,
    UnknownId,
)
from trefoil.data.files import OF_THE_PLACE, reason

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
        return _refused(str(error))
    except KeyboardInterrupt as stop:
        print(str(stop) or "stopped", file=sys.stderr)
        return 143 if isinstance(stop, Terminated) else 130
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except OSError as error:
        if error.errno not in OF_THE_PLACE:
            raise
        return _refused(reason(error))


def check_output(path: Path, flag: str = "--out") -> None:
    """Raises ConfigError where nothing can be written at ``path``; asked before the work.

    Folders that are missing on the way may be made.
    """
    above = path.absolute().parent
    while not above.exists() and above != above.parent:
        above = above.parent
    if not above.is_dir():
        raise ConfigError(f"{path}: {above} is a file, no folder; name another place with {flag}")
    if not os.access(above, os.W_OK | os.X_OK):
        raise ConfigError(f"{path}: {above} may not be written to; name another place with {flag}")


def check_output_file(path: Path, flag: str) -> None:
    """As ``check_output``, for one file that is written or replaced."""
    check_output(path, flag)
    if path.is_dir():
        raise ConfigError(f"{path}: is a folder; name a file with {flag}")
    if path.exists() and not os.access(path, os.W_OK):
        raise ConfigError(f"{path}: may not be written to; name another file with {flag}")


def _refused(message: str) -> int:
    print(f"error: {message}", file=sys.stderr)
    return 2


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
