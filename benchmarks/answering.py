"""What one ``recommend`` costs: CPU ms without and with a reason, first and again asked.

python -m benchmarks.answering RUN [RUN ...] [--users N]

"first" is the first question about a user, in a process that has answered others; "again"
is the same question once more. The median of the means of groups of 20 users (clocks of CPU time
may tick in milliseconds), and the slowest group; the line "clock" is a fixed piece of numpy work,
to compare sittings by.
"""

import argparse
import time
from pathlib import Path

import numpy as np

from trefoil.fusion.recommender import Recommender

K = 10
GROUP = 20  # users whose questions are timed together
WARM_UP = 20  # users that are asked before anything is measured


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("runs", type=Path, nargs="+", metavar="RUN")
    parser.add_argument("--users", type=int, default=200, help="how many are asked")
    args = parser.parse_args()
    print(f"clock {clock():.2f} ms")
    for run in args.runs:
        for reasons in (0, 1):
            recommender = Recommender.load(run, live=False)
            print(
                f"{run.name}, {len(recommender.catalogue.items)} items, {reasons} reasons:", end=""
            )
            for name, found in cost(recommender, reasons, args.users).items():
                print(f"  {name} {np.median(found):.2f} (slowest {max(found):.2f})", end="")
            print()


def cost(recommender: Recommender, reasons: int, count: int) -> dict[str, list[float]]:
    """CPU milliseconds of a question in each group, first and again asked."""
    users = recommender.catalogue.users.ids
    drawn = np.random.default_rng(0).permutation(len(users))[: count + WARM_UP]
    names = [users[row] for row in drawn.tolist()]
    for name in names[:WARM_UP]:
        recommender.recommend(name, K, reasons=reasons)
    times = {"first": [], "again": []}
    for start in range(WARM_UP, len(names), GROUP):
        part = names[start : start + GROUP]
        for found in times.values():
            begin = time.process_time()
            for name in part:
                recommender.recommend(name, K, reasons=reasons)
            found.append(1000 * (time.process_time() - begin) / len(part))
    return times


def clock() -> float:
    """CPU milliseconds of a fixed piece of work."""
    table = np.random.default_rng(0).random((400, 400), np.float32)
    begin = time.process_time()
    for _ in range(20):
        np.sort(table, axis=1)
    return 1000 * (time.process_time() - begin) / 20


if __name__ == "__main__":
    main()
