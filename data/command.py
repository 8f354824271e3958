"""How every command ends: 0 done, 2 wrong use or bad input, 1 a fault of ours."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from data.errors import ConfigError, DataError, SplitError, StoreError, UnknownId

BAD_INPUT = (ConfigError, DataError, SplitError, StoreError, UnknownId)


def run(command: Callable[[Sequence[str] | None], int], argv: Sequence[str] | None = None) -> int:
    """Run a command; what its user can mend is one message on stderr, no traceback."""
    try:
        return command(argv)
    except BAD_INPUT as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 0
