"""Evaluate a run on its test part, beside the references that every table carries."""

import argparse
import json
import resource
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from trefoil.data import ConfigError, Dataset
from trefoil.data.command import run
from trefoil.data.split import Split
from trefoil.evaluation.by_group import POWER, check_columns
from trefoil.evaluation.exam import Exam, Scorer
from trefoil.evaluation.protocols.leaks import leaks
from trefoil.evaluation.protocols.protocols import cold_exam, exam_for, next_exam
from trefoil.evaluation.reporting.html import Example
from trefoil.evaluation.reporting.json_figures import check_writable, figures, finite
from trefoil.evaluation.reporting.terminal import show
from trefoil.fusion.experiments.ablation import PARTS, ablated, variants
from trefoil.fusion.recommender import Recommender
from trefoil.fusion.reporting.explanations import in_words, typical_users
from trefoil.fusion.reporting.html_report import OURS, evaluated_page, read_history
from trefoil.fusion.reporting.knowledge import knowledge
from trefoil.fusion.reporting.model_card import training_report
from trefoil.fusion.reporting.origin import dataset_of, split_as_trained
from trefoil.fusion.reporting.outcome import Outcome, grouped, measured, with_reasons
from trefoil.fusion.reporting.progress import Progress
from trefoil.fusion.runs.folder import REPORTS, refresh


def parser() -> argparse.ArgumentParser:
    """The command line."""
    p = argparse.ArgumentParser(prog="evaluate.py", description=__doc__)
    p.add_argument("run", type=Path, metavar="RUN")
    p.add_argument(
        "--protocol",
        choices=("full", "ctr", "cold", "next"),
        default="full",
        help="rank all items (default); predict clicks; rank what nobody met; the next event",
    )
    p.add_argument("--against", type=Path, nargs="+", default=[], metavar="RUN")
    p.add_argument(
        "--ablate",
        default="",
        metavar="PART,...",
        help=f"retrain without these: {', '.join(PARTS)}; text and graph are also shuffled",
    )
    p.add_argument(
        "--cold",
        choices=("items", "users", "both"),
        help="with --protocol cold: what has no training event (items)",
    )
    p.add_argument(
        "--negatives",
        choices=("given", "uniform", "popular"),
        help="with --protocol ctr: those of the data (given), or drawn",
    )
    p.add_argument(
        "--groups",
        nargs="+",
        default=[],
        metavar="COLUMN",
        help="of users or items: what each group gets, beside groups by popularity",
    )
    p.add_argument("--propensity", type=float, default=POWER, help="power of popularity taken out")
    p.add_argument("--json", type=Path, metavar="FILE", help="write the figures here")
    p.add_argument("--data", help="where the dataset lies now, if it moved")
    p.add_argument("--data-root", type=Path, metavar="DIR")
    p.add_argument("--user", help="whose five recommendations to print")
    return p


def evaluate(argv: Sequence[str] | None = None) -> int:
    args = parser().parse_args(argv)
    from trefoil.evaluation.references import references  # torch takes seconds; --help needs none
    from trefoil.fusion.reporting.task_marks import task_marks

    began = time.monotonic()
    width = None if sys.stdout.isatty() else 110
    console = Console(width=width, markup=False, emoji=False)  # names come from data
    with Progress("reading", began):
        recommender = Recommender.load(args.run, live=False)
        dataset = dataset_of(recommender, args)
        split = split_as_trained(recommender, dataset, args.run)
    retrained = variants([part for part in args.ablate.split(",") if part])
    check_question(args, dataset, split)
    rivals = others(args, dataset)
    with Progress("references, tuned on validation", began) as progress:
        known = knowledge(recommender)
        content = known if args.protocol == "cold" else None
        scorers: dict[str, Scorer] = {OURS: recommender, **references(dataset, split, content)}
        for path, rival in rivals.items():  # a name that is taken gives way to the whole path
            scorers[str(path) if path.name in scorers else path.name] = rival
        for name, part in retrained.items():
            settings = ablated(recommender.settings, part)
            scorers[name] = Recommender(settings).fit(dataset, split=split, progress=progress)
        progress(0, 0, "the test part")
        exam = exam_of(args, dataset, split)
        how = args.protocol, scorers, dataset, split, exam, known, args.negatives or "given"
        outcome = grouped(measured(*how), dataset, split, args.groups, args.propensity)
        progress(0, 0, "reasons")
        outcome, shown = with_reasons(outcome, recommender, dataset, split)
        progress(0, 0, "leak meter")
        told = leaks(scorers, dataset, split, outcome.exam, outcome.table.ranks)
    report = figures(args.protocol, outcome.table, outcome.verdicts, dataset, split, told)
    if outcome.exam is not None:
        results = outcome.table.results
        report["tasks"] = task_marks(OURS, scorers, results, outcome.exam, dataset.items)
    if outcome.reasons:
        report["explanations"] = finite(outcome.reasons)
    report["seconds"] = {
        "train": recommender.about.get("seconds", {}).get("train"),  # None: saved from Python
        "evaluate": round(time.monotonic() - began, 2),
    }
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    report["peak_rss_mb"] = round(peak / (2**20 if sys.platform == "darwin" else 1024), 1)
    show(report, outcome.verdicts, console)
    show_reasons(recommender, outcome.exam, args.user, console)
    write(args, recommender, dataset, report, outcome, shown, console)
    return 0


def check_question(args: argparse.Namespace, dataset: Dataset, split: Split) -> None:
    """Raises ConfigError where data or split cannot answer, or the figures have no place."""
    check_columns(dataset, args.groups)
    for flag, protocol in (("cold", "cold"), ("negatives", "ctr")):
        if getattr(args, flag) and args.protocol != protocol:
            raise ConfigError(f"--{flag} is for --protocol {protocol}, not {args.protocol}")
    for lack in split.proof.lacks:
        raise ConfigError(f"{args.run}: {lack}")
    if args.protocol == "next" and not split.proof.in_time:
        raise ConfigError(
            f"--protocol next: {args.run} was trained on a split by {split.rule.by}, which may "
            "train on what a user did after the event that is asked for; train for it: python "
            f"train.py --data DIR --set split.by=leave-one-out --out {args.run}-next"
        )
    if args.json:
        check_writable(args.json)


def exam_of(args: argparse.Namespace, dataset: Dataset, split: Split) -> Exam | None:
    """The test exam of a ranking protocol; None for click prediction.

    Raises ConfigError where nothing is asked.
    """
    if args.protocol == "ctr":
        return None
    if args.protocol == "cold":
        what = args.cold or "items"
        exam = cold_exam(dataset, split, "test", what)
        why = f"nothing of {what} without training events"
        if split.rule.by != "time":
            why += "; a split by time leaves some: train with --set split.by=time"
    else:
        exam = (next_exam if args.protocol == "next" else exam_for)(dataset, split, "test")
        why = "only what its users met before; keep repeats, or split by another rule"
    if not len(exam):
        raise ConfigError(f"--protocol {args.protocol}: the test part of {args.run} wants {why}")
    return exam


def others(args: argparse.Namespace, dataset: Dataset) -> dict[Path, Recommender]:
    """The runs to compare with. Raises ConfigError for one of other data."""
    found = {}
    for path in args.against:
        other = Recommender.load(path, live=False)
        if other.about["dataset"]["fingerprint"] != dataset.fingerprint:
            raise ConfigError(f"{path}: trained on other data than {args.run}")
        split_as_trained(other, dataset, path)
        found[path] = other
    return found


def show_reasons(
    recommender: Recommender, exam: Exam | None, user: str | None, console: Console
) -> None:
    """Five recommendations for one user, each with a path through the graph."""
    if user is None:
        if exam is None or not len(exam):
            return
        user = typical_users(recommender, exam)[0]
    known = "" if user in recommender.catalogue.users else " (unknown here: what suits anyone)"
    console.print(f"\nFor {user}{known}", highlight=False)
    for line in in_words(recommender.recommend(user, k=5, before="test")):
        console.print(line, highlight=False, markup=False)


def write(
    args: argparse.Namespace,
    recommender: Recommender,
    dataset: Dataset,
    report: Mapping[str, Any],
    outcome: Outcome,
    shown: Sequence[Example],
    console: Console,
) -> None:
    """The figures as JSON, and both into the run: its report and its page."""
    text = json.dumps(report, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(text, "utf-8")
    trained = training_report(recommender, dataset)
    history = read_history(args.run)
    page = evaluated_page(trained, history, report, outcome.table, outcome.verdicts, shown)
    whole = json.dumps(trained | {"evaluation": report}, indent=1, ensure_ascii=False)
    try:
        refresh(args.run, dict(zip(REPORTS, (whole + "\n", page), strict=True)))
    except OSError as error:
        console.print(f"{args.run}: the report is not written: {error.strerror}", highlight=False)
        return
    console.print(f"report: {args.run / 'report.html'}", highlight=False)


def main(argv: Sequence[str] | None = None) -> int:
    return run(evaluate, argv)


if __name__ == "__main__":
    raise SystemExit(main())
