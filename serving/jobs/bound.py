"""Begin a command that ends with the process that asks for it: ``bound.py PARENT COMMAND``.

Linux tells a process that its parent has ended, and goes on doing so after ``exec``. Elsewhere
the command outlives a parent that is killed.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # of <linux/prctl.h>


def main() -> None:
    """Become the command, unless the parent has ended already."""
    parent, *command = sys.argv[1:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != int(parent):
            sys.exit(1)
    os.execv(command[0], command)


if __name__ == "__main__":
    main()
