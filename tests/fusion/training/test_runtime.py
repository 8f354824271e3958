"""What a training sets for its process: memory is kept within a stage, and given back after it."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from trefoil.fusion.training.runtime import keep_memory

STAGES = """
import resource
import numpy as np
from trefoil.fusion.training.runtime import give_back_memory, keep_memory

def megabytes():
    pages = int(open("/proc/self/statm").read().split()[1])
    return pages * resource.getpagesize() / (1 << 20)

keep_memory()
blocks = [np.ones(1 << 20, np.uint8) for _ in range(200)]
above = np.ones(1 << 20, np.uint8)  # so that what becomes free does not lie at the end
full = megabytes()
del blocks
kept = megabytes()
give_back_memory()
assert full - kept < 50, (full, kept)
assert kept - megabytes() > 150, (kept, megabytes())
"""


def test_memory_is_kept_for_the_next_step_to_take():
    keep_memory()
    keep_memory()
    block = np.ones(80_000_000, np.uint8)  # more than glibc keeps by default
    place = block.ctypes.data
    del block
    if platform.libc_ver()[0] == "glibc":
        lines = Path("/proc/self/maps").read_text().splitlines()
        spans = [one.split()[0].split("-") for one in lines]
        assert any(int(first, 16) <= place < int(last, 16) for first, last in spans)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other libraries keep nothing")
def test_memory_that_a_stage_kept_is_given_back():
    subprocess.run([sys.executable, "-c", STAGES], check=True)


def test_threads_that_wait_give_their_core_away():
    names = "OMP_WAIT_POLICY", "OPENBLAS_THREAD_TIMEOUT"
    told = f"import os, trefoil; print(*(os.environ[name] for name in {names}))"
    environment = {k: v for k, v in os.environ.items() if k not in names}
    own = {names[0]: "ACTIVE", names[1]: "26"}
    for asked, found in (({}, "PASSIVE 14"), (own, "ACTIVE 26")):
        done = subprocess.run(
            [sys.executable, "-c", told],
            env=environment | asked,
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip() == found
