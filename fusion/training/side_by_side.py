"""Two parts of a training at once: base models in a thread of their own, networks in this one."""

import os
from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

from trefoil.fusion.settings import Settings

T = TypeVar("T")


def begun(work: Callable[[], T], *, beside: bool) -> "Future[T]":
    """What will have the result of the work: done in a thread of its own, or now.

    Most of the work is in libraries that let other threads run meanwhile. Nobody waits for
    the thread where training fails or is stopped. Raises at once what work that is done now
    raises; whoever asks for the result of a thread is told of its fault.
    """
    result = Future[T]()
    if beside:
        Thread(target=_do, args=(work, result), daemon=True).start()
    else:
        result.set_result(work())
    return result


def room_beside(settings: Settings) -> bool:
    """Whether there is a processor for a second part, and one thread alone is not asked for."""
    return settings.threads != 1 and (os.cpu_count() or 1) > 1


def _do(work: Callable[[], T], result: "Future[T]") -> None:
    try:
        result.set_result(work())
    except BaseException as error:  # for whoever asks for the result
        result.set_exception(error)
