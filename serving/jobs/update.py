"""Learn on from what a run was told: ``python -m trefoil.serving.jobs.update RUN OUT``."""

import sys
from collections.abc import Sequence
from pathlib import Path

from trefoil.fusion.recommender import Recommender


def main(argv: Sequence[str] | None = None) -> int:
    """Read a run with its log, learn on, and write another run beside it."""
    run, out = map(Path, sys.argv[1:] if argv is None else argv)
    recommender = Recommender.load(run)
    print(f"{run.name}: learns on from {recommender.state.number} changes", flush=True)
    told = recommender.update()
    recommender.save(out)
    print(f"{out.name}: {told.events} events of {told.users} users in {told.seconds} s of CPU")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
