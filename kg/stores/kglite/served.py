"""The engine as a process of its own that holds one graph and answers over its pipes.

    python served.py FILE frozen|open

It reads one JSON request a line and writes one JSON reply a line; the first reply says whether
the graph was loaded. The parent (``elsewhere.py``) has checked what is asked. This file imports
nothing of the package but the engine, so that the process is there in a tenth of a second.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import sys
import warnings
from collections.abc import Mapping
from typing import Any, TextIO

_FROM_TEXT = {
    "datetime": dt.datetime.fromisoformat,
    "date": dt.date.fromisoformat,
    "time": dt.time.fromisoformat,
}


def encoded(value: Any) -> Any:
    """A value as JSON keeps it; ``decoded`` gives it back. Raises TypeError for other kinds."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        return [encoded(part) for part in value]
    if isinstance(value, Mapping):
        return {"map": {str(name): encoded(part) for name, part in value.items()}}
    if isinstance(value, dt.timedelta):
        return {"duration": [value.days, value.seconds, value.microseconds]}
    for kind, known in (("datetime", dt.datetime), ("date", dt.date), ("time", dt.time)):
        if isinstance(value, known):
            return {kind: value.isoformat()}
    if hasattr(value, "tolist"):  # numbers and arrays of numpy
        return encoded(value.tolist())
    raise TypeError(f"a value of the type {type(value).__name__} cannot be given to a statement")


def decoded(value: Any) -> Any:
    """What ``encoded`` was given, with tuples as lists."""
    if isinstance(value, list):
        return [decoded(part) for part in value]
    if not isinstance(value, dict):
        return value
    ((kind, inner),) = value.items()
    if kind == "map":
        return {name: decoded(part) for name, part in inner.items()}
    if kind == "duration":
        return dt.timedelta(*inner)
    return _FROM_TEXT[kind](inner)


def serve(file: str, frozen: bool, requests: TextIO, replies: TextIO) -> None:
    """Answer requests until their end: a ``text`` to run, or a place to ``save`` the graph at."""

    def reply(found: Mapping[str, Any]) -> None:
        replies.write(json.dumps(found) + "\n")
        replies.flush()

    try:
        import kglite

        graph = kglite.load(file)
        asked = graph.freeze() if frozen else graph
    except Exception as fault:  # whatever it is, the parent says it
        reply({"fault": str(fault)})
        return
    reply({})
    for line in requests:
        request = json.loads(line)
        try:
            if "save" in request:
                graph.save(request["save"])
                reply({})
                continue
            found: Any = asked.cypher(
                request["text"],
                params=decoded(request["parameters"]),
                row_limit=request["limit"],
                timeout_ms=request["timeout_ms"],
            )
            rows = [[encoded(value) for value in row.values()] for row in found.to_list()]
            reply({"columns": list(found.columns), "rows": rows})
        except kglite.CypherTimeoutError as fault:
            reply({"fault": str(fault), "slow": True})
        except Exception as fault:  # one statement's fault is not the end of the process
            reply({"fault": str(fault)})


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # the engine's, on what a memory map cannot serve
    own = os.dup(1)  # replies go where nothing else can write
    os.dup2(2, 1)
    with os.fdopen(own, "w") as out:
        serve(sys.argv[1], sys.argv[2] == "frozen", sys.stdin, out)
