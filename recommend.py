"""Write everybody's list from a run into a Parquet file."""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import polars as pl
from rich.console import Console

from trefoil.data import ConfigError
from trefoil.data.command import run
from trefoil.data.readers.columns import ids
from trefoil.fusion.recommender import Recommender
from trefoil.fusion.reporting.progress import Progress


def parser() -> argparse.ArgumentParser:
    """The command line."""
    p = argparse.ArgumentParser(
        prog="recommend.py",
        description="Write the best items of everybody: a Parquet file of user, rank, item, score.",
        epilog="Exit status: 0 done, 2 wrong use or bad input, 1 a fault of Trefoil.",
    )
    p.add_argument("run", type=Path, metavar="RUN")
    p.add_argument("--out", type=Path, required=True, metavar="FILE.parquet")
    p.add_argument("-k", type=int, default=10, help="items of each list (default: 10)")
    p.add_argument("--users", type=Path, metavar="FILE.parquet", help="only those in column user")
    p.add_argument("--seen", choices=("auto", "hide", "show"), default="auto")
    p.add_argument("--threads", type=int, default=0, help="lists made at once (0: processors)")
    return p


def recommend(argv: Sequence[str] | None = None) -> int:
    args = parser().parse_args(argv)
    began = time.perf_counter()
    if args.out.suffix not in ("", ".parquet"):
        raise ConfigError(
            f"--out {args.out}: lists are a Parquet file; name it {args.out.stem}.parquet"
        )
    recommender = Recommender.load(args.run)
    with Progress() as progress:
        rows = recommender.recommend_all(
            args.out,
            args.k,
            users=users_in(args.users),
            seen=args.seen,
            threads=args.threads,
            progress=progress,
        )
    seconds = time.perf_counter() - began
    console = Console(soft_wrap=True, markup=False, emoji=False)
    console.print(f"{args.out}: {rows:,} rows in {seconds:.1f} s")
    return 0


def users_in(path: Path | None) -> list[str] | None:
    """The ids in column user of a Parquet file, read as ``read_dataset`` does; None without one.

    Rows without an id are left out.
    """
    if path is None:
        return None
    try:
        column = pl.read_parquet(path, columns=["user"])["user"]
        return [one for one in ids(column, str(path)) if one]
    except (OSError, pl.exceptions.PolarsError) as error:
        raise ConfigError(f"{path}: no Parquet file with a column user: {error}") from None


def main(argv: Sequence[str] | None = None) -> int:
    return run(recommend, argv)


if __name__ == "__main__":
    raise SystemExit(main())
