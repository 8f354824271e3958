"""Train a recommender and write it as a run folder."""

import argparse
import hashlib
import json
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from trefoil.data import ConfigError, Dataset, read_dataset
from trefoil.data.command import run
from trefoil.data.files import write_file
from trefoil.data.privacy import FORGOTTEN, ForgottenPeople
from trefoil.data.readers.quarantine import write_quarantine
from trefoil.fusion.live.log import place_of
from trefoil.fusion.network.checkpoints import Checkpoints, partial_of
from trefoil.fusion.recommender import Recommender
from trefoil.fusion.reporting.html_report import read_history, training_page
from trefoil.fusion.reporting.model_card import model_card, training_report, write_curves
from trefoil.fusion.reporting.progress import Progress
from trefoil.fusion.runs.folder import REPORTS, check_manifest, check_place, new_run, write_manifest
from trefoil.fusion.runs.leftovers import claimed
from trefoil.fusion.settings import Settings, load_settings


def parser() -> argparse.ArgumentParser:
    """The command line."""
    p = argparse.ArgumentParser(
        prog="train.py",
        description="Train on a dataset folder or a named dataset; alone, on the embedded demo.",
        epilog="Exit status: 0 done, 2 wrong use or bad input, 1 a fault of Trefoil; stopped by "
        "Ctrl-C 130, by SIGTERM 143, and --resume goes on.",
    )
    p.add_argument("--config", type=Path, metavar="FILE.toml", help="settings")
    p.add_argument("--data", help="a folder with dataset.toml, or a name (default: demo)")
    p.add_argument("--data-root", type=Path, metavar="DIR", help="where a named dataset lies")
    p.add_argument("--out", type=Path, metavar="RUN", help="run folder (default: runs/<name>)")
    p.add_argument(
        "--resume", type=Path, metavar="RUN", help="go on with a run that was stopped in training"
    )
    p.add_argument(
        "--from",
        type=Path,
        dest="start",
        metavar="RUN",
        help="start from the item, text and graph vectors of another run",
    )
    p.add_argument(
        "--final",
        action="store_true",
        help="choose on validation, then fit on all events: a run to serve, not to judge",
    )
    p.add_argument(
        "--set", action="append", default=[], metavar="a.b=value", help="change one setting"
    )
    p.add_argument(
        "--memory",
        type=gigabytes,
        metavar="4GB",
        help="what training may take (setting memory_gb); what does not fit is cut to size",
    )
    p.add_argument(
        "--max-bad-share",
        type=float,
        help="share of unusable rows that is tolerated (default: that of dataset.toml, or 0.01)",
    )
    p.add_argument(
        "--forgotten",
        type=Path,
        metavar="FILE",
        help="leave out the people of this list, such as RUN.live/forgotten.json, beside "
        "those of forgotten.json of the data folder, if there",
    )
    return p


def gigabytes(told: str) -> float:
    """A size such as 4GB, 500 MB or 4, in gigabytes."""
    parts = re.fullmatch(r"\s*([\d.]+)\s*([A-Za-z]*)\s*", told)
    number, unit = parts.groups() if parts else ("", "")
    try:
        found = float(number) * {"gb": 1.0, "g": 1.0, "": 1.0, "mb": 1e-3, "m": 1e-3}[unit.lower()]
    except (KeyError, ValueError):
        raise argparse.ArgumentTypeError(f"{told!r} is no size; write 4GB or 500MB") from None
    if not 0 < found < float("inf"):
        raise argparse.ArgumentTypeError(f"{told!r}: give more than nothing")
    return found


def changes_of(args: argparse.Namespace) -> list[str]:
    """The settings that the command line changes."""
    return [*args.set, *([] if args.memory is None else [f"memory_gb={args.memory}"])]


@dataclass(frozen=True)
class Plan:
    """What to train on what, where it goes, and where its checkpoints lie meanwhile."""

    out: Path
    settings: Settings
    made_from: dict[str, Any]
    checkpoints: Checkpoints


def fresh(args: argparse.Namespace) -> Plan:
    """A training from the start."""
    source = args.data or "demo"
    out = args.out or Path("runs") / Path(source).name
    check_place(out)
    made_from = {
        "source": source,
        "root": args.data_root and str(args.data_root),
        "max_bad_share": args.max_bad_share,
        "forgotten": args.forgotten and str(args.forgotten.resolve()),
        "from": args.start and str(args.start),
        "from_digest": args.start and digest_of(args.start),
        "final": args.final,
    }
    settings = load_settings(args.config, changes_of(args))
    return Plan(out, settings, made_from, Checkpoints.new(partial_of(out), made_from))


def resumed(args: argparse.Namespace) -> Plan:
    """A training that was stopped; what the command line says again has to agree."""
    out = args.resume
    if args.out is not None and args.out != out:
        raise ConfigError(f"--out {args.out}: --resume {out} writes {out}; leave --out away")
    checkpoints = Checkpoints.of(out)
    made_from = checkpoints.made_from
    said = {
        "source": args.data,
        "root": args.data_root and str(args.data_root),
        "max_bad_share": args.max_bad_share,
        "forgotten": args.forgotten and str(args.forgotten.resolve()),
        "from": args.start and str(args.start),
        "from_digest": made_from["from"] and digest_of(Path(made_from["from"])),
        "final": args.final or None,
    }
    for name, value in said.items():
        if value is not None and value != made_from.get(name):
            raise ConfigError(
                f"{out}: began with {name} {made_from.get(name)!r}, not {value!r}; "
                "leave that flag away"
            )
    settings = load_settings(args.config, changes_of(args), base=checkpoints.settings())
    return Plan(out, settings, made_from, checkpoints)


def train(argv: Sequence[str] | None = None) -> int:
    args = parser().parse_args(argv)
    from trefoil.fusion.network.processes import joined  # torch takes seconds; --help needs none

    with joined() as leads:
        return lead(args) if leads else follow(args)


def follow(args: argparse.Namespace) -> int:
    """Learn beside the process that leads; it writes and speaks."""
    if args.resume:
        raise ConfigError(f"--resume {args.resume}: go on with one process, without torchrun")
    plan = fresh(args)
    dataset, start = read(plan)
    Recommender(plan.settings).fit(dataset, final=args.final, start=start)
    return 0


def lead(args: argparse.Namespace) -> int:
    """Learn and write the run."""
    plan = resumed(args) if args.resume else fresh(args)
    # names come from data, so nothing that is printed is markup
    console, began = Console(soft_wrap=True, markup=False, emoji=False), time.perf_counter()
    place = partial_of(plan.out).absolute()
    place.parent.mkdir(parents=True, exist_ok=True)
    with claimed(place):
        learn(plan, console)
    seconds = time.perf_counter() - began
    console.print(f"{plan.out}: written in {seconds:.1f} s. Next: python evaluate.py {plan.out}")
    return 0


def learn(plan: Plan, console: Console) -> None:
    """Read, train and write the run; its checkpoints go when it is written."""
    began, made_from = time.monotonic(), plan.made_from
    with Progress("reading", began):
        dataset, start = read(plan)
    describe(dataset, console)
    try:
        with Progress(began=began) as progress:
            recommender = Recommender(plan.settings).fit(
                dataset,
                final=bool(made_from.get("final")),
                progress=progress,
                checkpoints=plan.checkpoints,
                start=start,
            )
        for warning in recommender.graph.report.warnings:
            console.print(f"  note: {warning}")
        recommender.about |= about(plan, time.monotonic() - began)
        with Progress("writing", began):
            write(recommender, dataset, plan.out)
        keep_forgotten(made_from.get("forgotten"), plan.out)
    except KeyboardInterrupt as stop:
        raise type(stop)(how_to_go_on(plan)) from None
    plan.checkpoints.remove()


def read(plan: Plan) -> tuple[Dataset, Recommender | None]:
    """What is learned from, and the run that is started from, if there is one."""
    made_from = plan.made_from
    how = {name: made_from.get(name) for name in ("root", "max_bad_share", "forgotten")}
    dataset = read_dataset(made_from["source"], **how)
    start = Recommender.load(made_from["from"], live=False) if made_from["from"] else None
    return dataset, start


def about(plan: Plan, seconds: float) -> dict[str, Any]:
    """What the run was made from and for, for its manifest."""
    made_from = plan.made_from
    return {
        "purpose": "serve" if made_from.get("final") else "judge",
        "data": {
            "source": made_from["source"],
            "at": lies(made_from),
            "root": made_from["root"],
        },
        "max_bad_share": made_from["max_bad_share"],
        **({"forgotten": made_from["forgotten"]} if made_from.get("forgotten") else {}),
        "seconds": {"train": round(seconds, 2)},
        "resumed": plan.checkpoints.resumed,
        "from": made_from["from"],
    }


def lies(made_from: dict[str, Any]) -> str | None:
    """The folder that the data was read from, wherever the command is called; None without one."""
    folder = Path(made_from["root"] or made_from["source"])
    return str(folder.resolve()) if folder.is_dir() else None


def digest_of(run: Path) -> str:
    """Of the digests of all files of a run but its reports, which an evaluation rewrites."""
    files = check_manifest(run)["files"]
    kept = {name: digest for name, digest in files.items() if name not in REPORTS}
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()


def write(recommender: Recommender, dataset: Dataset, out: Path) -> None:
    """All files of a run; those that were there are replaced when all is written."""
    with new_run(out) as folder:
        recommender.write(folder)
        write_quarantine(dataset.report, folder / "quarantine.jsonl")
        report = training_report(recommender, dataset)
        write_file(folder / "report.json", json.dumps(report, indent=1, ensure_ascii=False))
        write_file(folder / "report.html", training_page(report, read_history(folder)))
        write_file(folder / "MODEL_CARD.md", model_card(recommender, dataset))
        write_curves(recommender, folder)
        write_manifest(folder, recommender.about)


def keep_forgotten(named: str | None, out: Path) -> None:
    """A list of forgotten people goes along: what is told of them later stays out as well."""
    place = place_of(out.absolute()) / FORGOTTEN
    if named and not place.exists():
        ForgottenPeople.read(Path(named)).write(place)


def how_to_go_on(plan: Plan) -> str:
    """One line for someone who stopped a training."""
    if plan.checkpoints.newest() is None:
        return "stopped before the first checkpoint; train again"
    return f"stopped; go on with: python train.py --resume {plan.out}"


def describe(dataset: Dataset, console: Console) -> None:
    """What was read, and what was set aside."""
    counts = ", ".join(
        f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in dataset.report.counts.items()
    )
    console.print(Text.assemble((dataset.name, "bold"), f": {counts}"), highlight=False)
    for reason, count in dataset.report.reasons.items():
        console.print(f"  set aside: {count} x {reason} (see quarantine.jsonl)")
    for warning in dataset.report.warnings:
        console.print(f"  note: {warning}")


def main(argv: Sequence[str] | None = None) -> int:
    return run(train, argv)


if __name__ == "__main__":
    raise SystemExit(main())
