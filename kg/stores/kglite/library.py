"""The engine's library, loaded when it is first needed.

It wants thread storage that a process sets aside once; other libraries may have used it up.
"""

from __future__ import annotations

from types import ModuleType

from trefoil.data.errors import StoreError


def library() -> ModuleType:
    """The module. Raises StoreError, from an ImportError, where a process has no room for it."""
    try:
        import kglite
    except ImportError as fault:
        raise StoreError(
            f"the graph engine cannot be loaded into this process ({fault}); import trefoil "
            "before torch and other large libraries, or ask in a process of its own: "
            "python explore.py RUN"
        ) from fault
    kglite.set_query_warning_policy("silent")  # unknown names are told by the prompt
    return kglite
