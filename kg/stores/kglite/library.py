"""Where the engine's library is loaded: in this process if it has room, else in another.

It wants 1.5 KB of static thread storage, of which glibc sets little aside: after torch and
scikit-learn there is no room for it, and where it comes first there is none for them. So it
is loaded beside others only where the process was started with more.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from trefoil.data.errors import StoreError
from trefoil.kg.stores.kglite.elsewhere import Failed, GraphElsewhere, Slow

LEAST = 4096  # bytes
ROOM = "glibc.rtld.optional_static_tls=8192"  # of GLIBC_TUNABLES: room for all of them


def has_room() -> bool:
    """Whether the library fits into this process, whatever else is loaded before or after."""
    if sys.platform != "linux":
        return True
    try:  # what the process was started with: later changes of the environment make no room
        started = Path("/proc/self/environ").read_bytes()
    except OSError:
        return False
    found = re.search(
        rb"(?:^|\0)GLIBC_TUNABLES=[^\0]*optional_static_tls=(0x[\da-f]+|\d+)", started
    )
    return found is not None and int(found[1], 0) >= LEAST


def library() -> ModuleType:
    """The module, in this process. Raises StoreError where it cannot be loaded."""
    try:
        import kglite
    except ImportError as fault:
        raise StoreError(f"the graph engine cannot be loaded: {fault}") from fault
    kglite.set_query_warning_policy("silent")  # unknown names are told by the prompt
    return kglite


def opened(file: Path, *, frozen: bool) -> Any:
    """A graph of the engine from its file, here or in a process of its own."""
    if has_room():
        return library().load(str(file))
    return GraphElsewhere(file, frozen=frozen)


def slow() -> tuple[type[Exception], ...]:
    """What the engine raises for a statement that takes too long, here or elsewhere."""
    return (Slow, library().CypherTimeoutError) if has_room() else (Slow,)


def failed() -> tuple[type[Exception], ...]:
    """What the engine raises for a statement, a value or a file, here or elsewhere."""
    known = (Failed, OSError, OverflowError, TypeError, ValueError)
    return (*known, library().KgError) if has_room() else known
