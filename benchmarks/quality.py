"""How good, against whom: ``python -m benchmarks.quality --set lastfm --data-root DIR``.

For every set and seed: one split, one exam, one tie rule for all models; ours
through ``Recommender``, the baselines tuned on validation within one budget.
Writes ``quality.json``, ``quality.md`` and ``quality.html`` to ``--out`` after
each set, and ``tables/SET.md`` as it stands in ``docs/results``. Results of each
model are kept under ``OUT/cases`` and reused by the next run with the same data,
settings of ours and code, unless ``--fresh``. ``--keep`` keeps the runs.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.code_version import code_digest, commit
from benchmarks.rivals import SLOW, printable, rivals
from benchmarks.sets import SETS, Bench, hide_items
from benchmarks.stages import Stages, told
from benchmarks.tables import write_tables
from trefoil.data import Dataset, Split, read_dataset, split_events
from trefoil.evaluation.baselines import Biases, tune
from trefoil.evaluation.exam import Exam, Scorer
from trefoil.evaluation.metrics.list_metrics import Background
from trefoil.evaluation.protocols.pointwise_exam import (
    Rater,
    click_result,
    ctr_exam,
    stars_exam,
    stars_result,
)
from trefoil.evaluation.protocols.protocols import cold_exam, context_exam, full_exam
from trefoil.evaluation.protocols.slices import slices_of
from trefoil.evaluation.ranking import rank
from trefoil.evaluation.result import PLAIN, Result, summarise

OURS = "trefoil"
PARTS = {"one-network": "network", "one-sequence": "behaviour"}
COLD = "cold-items-alone"
METRICS = (*PLAIN, "coverage@20", "novelty@10", "gini@10")


@dataclass(frozen=True)
class Measured:
    """One model on one set and seed: a result, its slices, and how it came about."""

    result: Result
    slices: dict[str, Result] = field(default_factory=dict)
    about: dict[str, Any] = field(default_factory=dict)


def fit_ours(
    dataset: Dataset, split: Split, seed: int, changes: Sequence[str], keep: Path | None = None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The engine trained on ``split``, and one of its networks alone, as it ranks and as it reads.

    The only place where the engine is touched; ``keep`` is a folder for the run. Told is what
    each stage cost.
    """
    from trefoil.fusion.network.scorers import network_scorers
    from trefoil.fusion.recommender import Recommender
    from trefoil.fusion.settings import load_settings

    settings = load_settings(None, changes=[f"seed={seed}", *changes])
    stages = Stages()
    whole = Recommender(settings).fit(dataset, split=split, progress=stages.tell)
    parts = stages.end()
    if keep is not None:
        whole.save(keep)
    networks = whole.model.networks[:1]
    alone = network_scorers(networks) if networks else {}
    scorers = {part: alone[name] for part, name in PARTS.items() if name in alone}
    return {OURS: whole} | scorers, {"CPU seconds by stage": parts}


def main(argv: Sequence[str] | None = None) -> int:
    args = parser().parse_args(argv)
    names = [name for part in args.set for name in part.split(",") if name]
    unknown = [name for name in names if name not in SETS]
    if unknown:
        print(f"unknown set {unknown[0]!r}; known are {', '.join(SETS)}")
        return 2
    seeds = [int(seed) for seed in args.seeds.split(",")]
    args.out.mkdir(parents=True, exist_ok=True)
    found: dict[str, dict[int, dict[str, Measured]]] = {}
    for name in names:
        for seed in seeds:
            found.setdefault(name, {})[seed] = run(name, SETS[name], seed, args)
        write_tables(args.out, found, command=command(args, names, seeds))
    return 0


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--set", action="append", required=True, help="names, comma-separated")
    parser.add_argument("--data-root", type=Path, help="folder of data folders; else downloaded")
    parser.add_argument("--seeds", default="0", help="of split and models, as 0,1,2")
    parser.add_argument("--out", type=Path, default=Path("runs/quality"))
    parser.add_argument("--only", default="", help="these models only")
    parser.add_argument("--without", default="", help=f"leave out, as {','.join(SLOW)}")
    parser.add_argument(
        "--change", action="append", default=[], help="a setting of ours, a.b=value"
    )
    parser.add_argument("--keep", type=Path, help="a folder: runs of ours go to SET/SEED in it")
    parser.add_argument("--fresh", action="store_true", help="forget earlier results")
    return parser


def command(args: argparse.Namespace, names: Sequence[str], seeds: Sequence[int]) -> str:
    """What to type for the same tables, without the paths of this machine."""
    words = f"python -m benchmarks.quality --set {','.join(names)} --data-root DIR"
    words += f" --seeds {','.join(map(str, seeds))}"
    for flag in ("only", "without"):
        words += f" --{flag} {getattr(args, flag)}" if getattr(args, flag) else ""
    return words + "".join(f" --change {change}" for change in args.change)


def run(name: str, bench: Bench, seed: int, args: argparse.Namespace) -> dict[str, Measured]:
    """All models on one set and seed."""
    dataset = read_dataset(bench.source, root=args.data_root, rule=bench.rule)
    split = split_events(dataset, seed)
    if bench.hidden:
        split = hide_items(dataset, split, bench.hidden, seed)
    keep = args.keep and args.keep / name / str(seed)
    contest = Contest(bench, dataset, split, seed, args.out / "cases" / name / str(seed), keep)
    models = [OURS, *bench.variants, *contest.rivals]
    if dataset.interactions.stars is not None and bench.protocol != "ctr":
        models.append("biases")
    if args.only:
        models = [model for model in models if model in args.only.split(",")]
    models = [model for model in models if model not in args.without.split(",")]
    size = f"{len(dataset.users)} users, {len(dataset.items)} items"
    print(f"{name}, seed {seed}: {size}, {split.proof.statement}")
    out: dict[str, Measured] = {}
    for model in models:
        found = contest.measure(model, args.change, fresh=args.fresh)
        for part, kept in found.items():
            means = kept.result.means()
            shown = ("recall@10", "ndcg@10", "recall@20", "ndcg@20", "auc", "f1", "rmse")
            values = " ".join(f"{key} {means[key]:.4f}" for key in shown if key in means)
            print(f"  {part:20} {values}  {kept.about['seconds']:.0f} CPU s", flush=True)
        if model in found and "CPU seconds by stage" in found[model].about:
            print(f"  {told(found[model].about['CPU seconds by stage'])}", flush=True)
        out |= found
    return out


class Contest:
    """One set and seed: the split and the exams that all models share."""

    def __init__(
        self,
        bench: Bench,
        dataset: Dataset,
        split: Split,
        seed: int,
        folder: Path,
        keep: Path | None = None,
    ) -> None:
        self.bench, self.dataset, self.split, self.seed = bench, dataset, split, seed
        self.folder, self.keep = folder, keep
        self.train = dataset.interactions.take(split.train)
        self.valid = self.exam("valid")
        self.rivals = rivals(dataset, split, self.valid, seed)

    def exam(self, part: str) -> Exam:
        make = context_exam if self.bench.protocol == "context" else full_exam
        return make(self.dataset, self.split, part)

    def measure(self, model: str, change: Sequence[str], *, fresh: bool) -> dict[str, Measured]:
        """The test exam of a model, and of the parts of ours; from disk if it was taken before."""
        ours = model == OURS or model in self.bench.variants
        changes = [*change, *self.bench.variants.get(model, ())] if ours else []
        divided = f"{self.split.rule} {len(self.split.train)} {len(self.split.valid)}"
        of = " ".join([self.dataset.fingerprint, divided, code_digest(), *sorted(changes)])
        names = [model, *PARTS] if model == OURS else [model]
        kept = {} if fresh else {one: load(self.folder, one, of) for one in names}
        found = {one: result for one, result in kept.items() if result is not None}
        if model in found:
            return found
        began = time.process_time()
        scorers, about = self.fitted(model, changes)
        about |= {"seconds": time.process_time() - began, "of": of}
        about |= {"fingerprint": self.dataset.fingerprint, "commit": commit()}
        about |= {"date": datetime.datetime.now(datetime.UTC).date().isoformat()}
        for name, scorer in scorers.items():
            exam = self.exam("test")
            result = examined(self.bench, self.dataset, self.split, exam, name, scorer)
            found[name] = dataclasses.replace(result, about=about | result.about)
            save(self.folder, name, found[name])
        return found

    def fitted(self, model: str, changes: Sequence[str]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Scorers by name, and how their settings were found."""
        if model == OURS:
            return fit_ours(self.dataset, self.split, self.seed, changes, self.keep)
        if model in self.bench.variants:
            scorers, about = fit_ours(self.dataset, self.split, self.seed, changes)
            return {model: scorers[OURS]}, about
        users, items = len(self.dataset.users), self.valid.items
        if model == "biases":
            return {model: Biases.fit(self.train, users, items)}, {}
        tuned = tune(self.rivals[model](), self.train, users, self.valid)
        tried = [[printable(row), round(value, 5)] for row, value in tuned.tried]
        return {model: tuned.scorer}, {"settings": printable(tuned.settings), "tried": tried}


def examined(
    bench: Bench, dataset: Dataset, split: Split, exam: Exam, model: str, scorer: Any
) -> Measured:
    """The test exam of one model, with slices; clicks and stars where the set has them."""
    if bench.protocol == "ctr":
        clicks = click_result(
            model, scorer, *(ctr_exam(dataset, split, part) for part in ("valid", "test"))
        )
        return Measured(Result(model, {}, 0.0, clicks.values))
    stars = star_values(dataset, split, scorer)
    if not isinstance(scorer, Scorer):
        return Measured(Result(model, {}, 0.0, stars))
    train = dataset.interactions.take(split.train)
    background = Background.of(train, len(dataset.users), exam.items)
    began = time.perf_counter()
    ranks = rank(scorer, exam, 20)
    result = summarise(model, ranks, METRICS, time.perf_counter() - began, background)
    slices = {
        name: summarise(model, part.cut(ranks), ["recall@10", "ndcg@10"])
        for name, part in slices_of(dataset, split, exam).items()
    }
    about = {name: part.meaning for name, part in slices_of(dataset, split, exam).items()}
    cold = cold_exam(dataset, split, exam.part)
    if len(cold) and bench.protocol == "full":
        about[COLD] = "items without a training event, ranked among themselves"
        slices[COLD] = summarise(model, rank(scorer, cold, 20), ["recall@10", "ndcg@10"])
    result = dataclasses.replace(result, overall={**result.overall, **stars})
    return Measured(result, slices, {"slices": about})


def star_values(dataset: Dataset, split: Split, model: Any) -> dict[str, float]:
    """Rating errors of a model that predicts stars, on a set that has them."""
    if not isinstance(model, Rater):
        return {}
    try:
        return stars_result(model, stars_exam(dataset, split, "test"))
    except ValueError:  # no ratings held out, or none learned
        return {}


def save(folder: Path, model: str, measured: Measured) -> None:
    """Arrays as npz, the rest as JSON; written beside and renamed."""
    folder.mkdir(parents=True, exist_ok=True)
    arrays, parts = {}, {"": measured.result, **measured.slices}
    for part, result in parts.items():
        arrays[f"{part}|users"] = result.users  # also where there is nothing else
        arrays |= {f"{part}|{metric}": values for metric, values in result.per_case.items()}
    beside = folder / f"{model}.part.npz"
    np.savez_compressed(beside, **arrays)
    about = measured.about | {
        "overall": dict(measured.result.overall),
        "ranking seconds": measured.result.seconds,
    }
    text = json.dumps(about, indent=1)
    (folder / f"{model}.json").write_text(text, encoding="utf-8")
    beside.rename(folder / f"{model}.npz")


def load(folder: Path, model: str, of: str) -> Measured | None:
    """What was saved for this data and these settings; None where there is nothing of it."""
    if not (folder / f"{model}.npz").exists():
        return None
    about = json.loads((folder / f"{model}.json").read_text(encoding="utf-8"))
    if about["of"] != of:
        return None
    parts: dict[str, dict[str, np.ndarray]] = {}
    with np.load(folder / f"{model}.npz", allow_pickle=False) as arrays:
        for key in arrays.files:
            part, _, metric = key.partition("|")
            parts.setdefault(part, {})[metric] = arrays[key]
    results = {
        part: Result(model, {k: v for k, v in columns.items() if k != "users"}, 0.0, {}, users)
        for part, columns in parts.items()
        for users in (columns["users"],)
    }
    whole = dataclasses.replace(
        results.pop(""), seconds=about.pop("ranking seconds"), overall=about.pop("overall")
    )
    return Measured(whole, results, about)


if __name__ == "__main__":
    raise SystemExit(main())
