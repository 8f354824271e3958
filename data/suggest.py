"""What a mistyped name may have meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def closest(name: str, known: Iterable[str], limit: int = 12) -> str:
    """A hint for an error message: the nearest known name, and what there is.

    >>> closest("tiem", ["time", "ratio"])
    "did you mean 'time'? there is 'time', 'ratio'"
    """
    names = [str(one) for one in known]
    near = difflib.get_close_matches(name, names, n=1)
    listed = ", ".join(repr(one) for one in names[:limit]) + (", ..." if len(names) > limit else "")
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"{hint}there is {listed or 'nothing'}"
