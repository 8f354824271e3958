"""Evaluate a run on its test part, beside the references that every table carries."""

import argparse
import json
import resource
import sys
import time
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table as Grid

from data import ConfigError, Dataset, read_dataset, split_events
from data.command import run
from data.split import Split
from evaluation.exam import Exam, Scorer
from evaluation.protocol import full_exam, next_exam
from evaluation.rows import click_result, ctr_exam, stars_exam, stars_result
from evaluation.significance import as_json
from evaluation.table import Table, compared, references
from fusion.ablation import LEAVES, ablated
from fusion.progress import Progress
from fusion.recommender import Recommender

SHOWN = ("recall@10", "ndcg@10", "mrr@10", "hit@10", "recall@20", "ndcg@20", "coverage@10", "rmse")


def parser() -> argparse.ArgumentParser:
    """The command line."""
    p = argparse.ArgumentParser(prog="evaluate.py", description=__doc__)
    p.add_argument("run", type=Path, metavar="RUN")
    p.add_argument("--protocol", choices=("full", "ctr", "cold", "next"), default="full")
    p.add_argument("--against", type=Path, nargs="+", default=[], metavar="RUN")
    p.add_argument("--ablate", default="", metavar=",".join(LEAVES), help="retrain without these")
    p.add_argument("--json", type=Path, metavar="FILE", help="write the figures here")
    p.add_argument("--data", help="where the dataset lies now, if it moved")
    p.add_argument("--data-root", type=Path, metavar="DIR")
    p.add_argument("--user", help="whose five recommendations to print")
    return p


def evaluate(argv: Sequence[str] | None = None) -> int:
    args = parser().parse_args(argv)
    warnings.filterwarnings("ignore", message="Sparse (CSR|invariant)")
    began = time.perf_counter()
    console = Console() if sys.stdout.isatty() else Console(width=110)
    recommender = Recommender.load(args.run)
    dataset = dataset_of(recommender, args)
    split = split_events(dataset, recommender.settings.split_seed)
    with Progress(console) as progress:
        progress(0, 0, "references, tuned on validation")
        scorers: dict[str, Scorer] = {"trefoil": recommender, **references(dataset, split)}
        for path in args.against:
            other = Recommender.load(path)
            if other.about["dataset"]["fingerprint"] != dataset.fingerprint:
                raise ConfigError(f"{path}: trained on other data than {args.run}")
            scorers[path.name] = other
        for leaf in filter(None, args.ablate.split(",")):
            name = f"without {leaf}"
            scorers[name] = Recommender(ablated(recommender.settings, leaf)).fit(
                dataset, split=split, progress=progress
            )
        progress(0, 0, "ranking the test part")
        exam = exam_of(args.protocol, dataset, split)
        report = measured(args.protocol, scorers, dataset, split, exam)
    report["seconds"] = {
        "train": recommender.about["seconds"]["train"],
        "evaluate": round(time.perf_counter() - began, 2),
    }
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    report["peak_rss_mb"] = round(peak / (2**20 if sys.platform == "darwin" else 1024), 1)
    show(report, console)
    if exam is not None:
        show_reasons(recommender, dataset, exam, args.user, console)
    if args.json:
        args.json.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", "utf-8")
        console.print(f"figures: {args.json}")
    return 0


def dataset_of(recommender: Recommender, args: argparse.Namespace) -> Dataset:
    """The dataset a run was trained on, read again; ConfigError where it has changed."""
    made_from = recommender.about["data"]
    source, root = args.data or made_from["source"], args.data_root or made_from["root"]
    dataset = read_dataset(source, root=root, max_bad_share=recommender.about["max_bad_share"])
    trained = recommender.about["dataset"]["fingerprint"]
    if dataset.fingerprint != trained:
        raise ConfigError(
            f"{source}: fingerprint {dataset.fingerprint[:12]}, but {args.run} was trained on "
            f"{trained[:12]}; the data has changed since, so train again"
        )
    if recommender.about.get("added"):
        raise ConfigError(
            f"{args.run}: {recommender.about['added']} items were added after training, of which "
            "the data knows nothing; evaluate the run that they were added to"
        )
    return dataset


def exam_of(protocol: str, dataset: Dataset, split: Split) -> Exam | None:
    """The test exam of a ranking protocol; None for click prediction."""
    if protocol == "ctr":
        return None
    return (
        next_exam(dataset, split, "test")
        if protocol == "next"
        else full_exam(dataset, split, "test")
    )


def measured(
    protocol: str,
    scorers: Mapping[str, Scorer],
    dataset: Dataset,
    split: Split,
    exam: Exam | None,
) -> dict[str, Any]:
    """Everything the JSON report holds but costs."""
    report: dict[str, Any] = {
        "dataset": {
            "name": dataset.name,
            "fingerprint": dataset.fingerprint,
            "users": len(dataset.users),
            "items": len(dataset.items),
            "train": len(split.train),
            "valid": len(split.valid),
            "test": len(split.open_test()),
        },
        "protocol": protocol,
        "split": "test",
    }
    if exam is None:
        valid, test = (ctr_exam(dataset, split, part) for part in ("valid", "test"))
        results = {name: click_result(name, one, valid, test) for name, one in scorers.items()}
        return report | {"results": {name: one.values for name, one in results.items()}}
    table: Table = compared(scorers, dataset, split, exam)
    report["results"] = {name: one.means() for name, one in table.results.items()}
    report["slices"] = {
        label: {name: one.means() for name, one in part.items()}
        for label, part in table.slices.items()
    }
    if protocol == "cold":
        report["results"] = report["slices"].get("cold-items", {})
    report["significance"] = as_json(table.significance)
    for name, one in scorers.items():
        if isinstance(one, Recommender) and one.model.notes.get("stars"):
            stars = stars_result(one, stars_exam(dataset, split, "test"))
            report["results"].setdefault(name, {}).update(stars)
    return report


def show(report: Mapping[str, Any], console: Console) -> None:
    """The results as a table, then what is significant."""
    shown = [name for name in SHOWN if any(name in one for one in report["results"].values())]
    shown = shown or list(next(iter(report["results"].values()), {}))
    grid = Grid(title=f"{report['dataset']['name']}, {report['protocol']}, test part")
    grid.add_column("model")
    for name in shown:
        grid.add_column(name, justify="right")
    for model, values in report["results"].items():
        grid.add_row(model, *(f"{values[n]:.4f}" if n in values else "" for n in shown))
    console.print(grid)
    for pair, test in report.get("significance", {}).items():
        said = f"p = {test['p']:.3g}" if test["p"] < 0.05 else "not significant"
        console.print(f"{pair}: ndcg@10 {test['difference']:+.4f} ({said}, Holm-corrected)")


def show_reasons(
    recommender: Recommender, dataset: Dataset, exam: Exam, user: str | None, console: Console
) -> None:
    """Five recommendations for one user, each with a path through the graph."""
    if user is None:
        lengths = exam.cases.history.lengths
        typical = int(np.argsort(lengths, kind="stable")[len(lengths) // 2])
        user = dataset.users.vocabulary[int(exam.cases.user[typical])]
    console.print(f"\n[bold]For {user}[/bold]", highlight=False)
    for place, one in enumerate(recommender.recommend(user, k=5), 1):
        stars = f", {one.stars:.1f} stars expected" if one.stars is not None else ""
        console.print(f"{place}. [bold]{one.title}[/bold] (score {one.score:.2f}{stars})")
        for path in one.reasons:
            console.print(f"   {path.text}", highlight=False)


def main(argv: Sequence[str] | None = None) -> int:
    return run(evaluate, argv)


if __name__ == "__main__":
    raise SystemExit(main())
