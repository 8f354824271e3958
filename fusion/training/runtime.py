"""What a training sets for the whole process, and puts back when it ends."""

import ctypes
import os
import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from trefoil.data.errors import ConfigError
from trefoil.fusion.settings import Settings

# Of glibc's mallopt: blocks that are mapped one by one, and what is given back at the end.
TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3


def keep_memory() -> None:
    """Let the process keep what a step frees, for the next step to take.

    By default glibc maps each block of more than 32 MB anew, and the system clears its pages
    anew: half the time of a step over a hundred thousand items. Elsewhere than with glibc
    nothing is done. It cannot be put back; ``give_back_memory`` is for the ends of stages.
    """
    if (mallopt := _of_glibc("mallopt")) is not None:
        mallopt(MMAP_THRESHOLD, 1 << 30)
        mallopt(TRIM_THRESHOLD, (1 << 31) - 1)


def give_back_memory() -> None:
    """Give the system what is free now, so that the next stage does not come on top of it."""
    if (trim := _of_glibc("malloc_trim")) is not None:
        trim(0)


def _of_glibc(name: str) -> Callable[..., int] | None:
    """A function of the C library; None where it is another one."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        return getattr(ctypes.CDLL("libc.so.6"), name)
    except (OSError, AttributeError):
        return None


@contextmanager
def reproducible(settings: Settings) -> Iterator[None]:
    """One seed for all generators, and kernels that give the same sums every time.

    Generators, threads and modes of the process are put back afterwards, as they were.
    """
    python, legacy = random.getstate(), np.random.get_state()  # noqa: NPY002
    threads = torch.get_num_threads()
    strict = torch.are_deterministic_algorithms_enabled()
    lenient = torch.is_deterministic_algorithms_warn_only_enabled()
    deterministic: Any = torch.utils.deterministic  # type: ignore[attr-defined]
    filled = deterministic.fill_uninitialized_memory
    keep_memory()
    with torch.random.fork_rng(_gpus()):
        try:
            seed_everything(settings)
            yield
        finally:
            random.setstate(python)
            np.random.set_state(legacy)  # noqa: NPY002
            torch.use_deterministic_algorithms(strict, warn_only=lenient)
            deterministic.fill_uninitialized_memory = filled
            torch.set_num_threads(threads)
            give_back_memory()


def seed_everything(settings: Settings) -> None:
    """Seeds, deterministic kernels and threads, until something else is set."""
    random.seed(settings.seed)
    np.random.seed(settings.seed)  # noqa: NPY002 - libraries below may still use it
    torch.manual_seed(settings.seed)
    torch.use_deterministic_algorithms(True, warn_only=True)
    # Memory that is written before it is read need not be filled first: that costs 6 %.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    set_threads(settings)


def set_threads(settings: Settings) -> None:
    """As many threads as asked for, or as there are processors, up to eight."""
    torch.set_num_threads(settings.threads or min(8, os.cpu_count() or 1))


def device_of(settings: Settings) -> torch.device:
    """The device asked for; "auto" takes a GPU where there is one.

    Raises ConfigError where a GPU is asked for and there is none.
    """
    if settings.device == "cuda" and not torch.cuda.is_available():
        raise ConfigError("device = 'cuda': torch finds no GPU here; use 'auto' or 'cpu'")
    if settings.device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(settings.device)


def _gpus() -> list[int]:
    """The GPUs whose generators are set as well."""
    return list(range(torch.cuda.device_count())) if torch.cuda.is_available() else []
