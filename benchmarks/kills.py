"""Is anything lost or doubled by ``kill -9`` while a recommender is told what happens?

python -m benchmarks.kills RUN [--kills 200]

A process loads a copy of the run and tells it events, one or two in each call, some with ids that
were told before, and now and then takes an item out or back; it prints each call that
returned. It is killed at a random moment, two hundred times. Then the run is loaded: every
acknowledged call must be there, whole and once.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from trefoil.fusion.recommender import Recommender

FIRST = 2_000_000_000  # a time that no event of the run has
WRITER = """
import sys
from trefoil.fusion.recommender import Recommender
recommender = Recommender.load(sys.argv[1])
item = recommender.catalogue.items.vocabulary
first, count = int(sys.argv[2]), len(item)
print("ready", flush=True)
for number in range(first, first + 1_000_000):
    one = item[number % count]
    event = {"user": f"killed-{number % 97}", "item": one, "time": 2_000_000_000 + number}
    rows = [{**event, "id": f"{number}-{part}"} for part in range(2)]
    receipt = recommender.add_events(rows)
    if number > first and number % 5 == 0:
        again = recommender.add_events([{**event, "id": f"{number - 1}-0"}])
        assert again.repeated == 1, again
    if number % 11 == 0:
        (recommender.remove_items if number % 2 else recommender.return_items)([one])
    print(number, flush=True)
"""


def killed(run: Path, first: int, wait: float) -> list[int]:
    """The calls that returned until the process was killed, ``wait`` seconds after its start."""
    asked = [sys.executable, "-c", WRITER, str(run), str(first)]
    with subprocess.Popen(asked, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        if writer.stdout.readline() != "ready\n":
            raise SystemExit("the writer could not load the run")
        time.sleep(wait)
        os.kill(writer.pid, signal.SIGKILL)
        return [int(line) for line in writer.stdout if line.endswith("\n")]


def judged(run: Path, acknowledged: list[int]) -> dict[str, int]:
    """What is lost, doubled or half there."""
    events = Recommender.load(run).catalogue.every_event
    assert events.at is not None
    at = events.at[events.at >= FIRST] - FIRST
    moments, count = np.unique(at, return_counts=True)
    return {
        "acknowledged": len(acknowledged),
        "there": len(moments),
        "lost": len(set(acknowledged) - set(moments.tolist())),
        "doubled": int((count > 2).sum()),
        "half": int((count < 2).sum()),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--kills", type=int, default=200)
    args = parser.parse_args()
    chance = random.Random(0)
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        shutil.copytree(args.run, run)
        acknowledged: list[int] = []
        for turn in range(args.kills):
            acknowledged += killed(run, 1_000_000 * turn, chance.uniform(0, 0.3))
        found = judged(run, acknowledged)
    print({"kills": args.kills, **found})
    return int(bool(found["lost"] or found["doubled"] or found["half"]))


if __name__ == "__main__":
    raise SystemExit(main())
