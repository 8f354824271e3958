"""Train a recommender and write it as a run folder."""

import argparse
import json
import time
import warnings
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from data import Dataset, read_dataset
from data.command import run
from data.sieve import write_quarantine
from fusion.progress import Progress
from fusion.recommender import Recommender
from fusion.run_card import model_card, training_report, write_curves
from fusion.run_folder import new_run, write_file, write_manifest
from fusion.settings import load_settings


def parser() -> argparse.ArgumentParser:
    """The command line."""
    p = argparse.ArgumentParser(
        prog="train.py",
        description="Train on a dataset folder or a named dataset; alone, on the embedded demo.",
        epilog="Exit status: 0 done, 2 wrong use or bad input, 1 a fault of Trefoil.",
    )
    p.add_argument("--config", type=Path, metavar="FILE.toml", help="settings")
    p.add_argument("--data", default="demo", help="a folder with dataset.toml, or a name")
    p.add_argument("--data-root", type=Path, metavar="DIR", help="where a named dataset lies")
    p.add_argument("--out", type=Path, metavar="RUN", help="run folder (default: runs/<name>)")
    p.add_argument(
        "--set", action="append", default=[], metavar="a.b=value", help="change one setting"
    )
    p.add_argument(
        "--max-bad-share", type=float, default=0.01, help="share of bad rows that is tolerated"
    )
    return p


def train(argv: Sequence[str] | None = None) -> int:
    args = parser().parse_args(argv)
    warnings.filterwarnings("ignore", message="Sparse (CSR|invariant)")
    settings = load_settings(args.config, args.set)
    console = Console()
    began = time.perf_counter()
    dataset = read_dataset(args.data, root=args.data_root, max_bad_share=args.max_bad_share)
    describe(dataset, console)
    out = args.out or Path("runs") / Path(args.data).name
    with new_run(out) as folder:
        with Progress(console) as progress:
            recommender = Recommender(settings).fit(dataset, progress=progress)
        seconds = time.perf_counter() - began
        recommender.about |= {
            "data": {"source": args.data, "root": args.data_root and str(args.data_root)},
            "max_bad_share": args.max_bad_share,
            "seconds": {"train": round(seconds, 2)},
        }
        recommender.write(folder)
        write_quarantine(dataset.report, folder / "quarantine.jsonl")
        report = training_report(recommender, dataset)
        write_file(folder / "report.json", json.dumps(report, indent=1, ensure_ascii=False))
        write_file(folder / "MODEL_CARD.md", model_card(recommender, dataset))
        write_curves(recommender, folder)
        write_manifest(folder, recommender.about)
    console.print(f"{out}: written in {seconds:.1f} s. Next: python evaluate.py {out}")
    return 0


def describe(dataset: Dataset, console: Console) -> None:
    """What was read, and what was set aside."""
    counts = ", ".join(f"{name} {value}" for name, value in dataset.report.counts.items())
    console.print(f"[bold]{dataset.name}[/bold]: {counts}", highlight=False)
    for reason, count in dataset.report.reasons.items():
        console.print(f"  set aside: {count} x {reason} (see quarantine.jsonl)")
    for warning in dataset.report.warnings:
        console.print(f"  note: {warning}")


def main(argv: Sequence[str] | None = None) -> int:
    return run(train, argv)


if __name__ == "__main__":
    raise SystemExit(main())
